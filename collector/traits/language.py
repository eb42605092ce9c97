"""The language of a text: by its script where that says it all, else by py3langid's model."""

import re
import unicodedata
from collections import Counter
from typing import Any

FEWEST_LETTERS = 24
"""Below, a text in letters that many languages share is `und`: too short to tell."""
CERTAIN = 0.5
UNKNOWN = "und"
_LETTERS = re.compile(r"[^\W\d_]+")
_OF_ONE_LANGUAGE = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "THAI": "th", "GREEK": "el", "HEBREW": "he", "GEORGIAN": "ka",
    "ARMENIAN": "hy", "TAMIL": "ta", "TELUGU": "te", "KANNADA": "kn", "MALAYALAM": "ml", "GUJARATI": "gu",
    "GURMUKHI": "pa", "KHMER": "km", "LAO": "lo", "MYANMAR": "my", "SINHALA": "si",
}  # fmt: skip
"""First word of a letter's Unicode name -> its language."""
_SHARE = 0.3
"""Japanese is mostly Chinese characters, and any of these texts may quote Latin names."""


class Languages:
    """The model is loaded at the first text that needs it: half a second, 40 MB."""

    def __init__(self) -> None:
        self._identifier: Any = None

    def of(self, text: str) -> str:
        """ISO 639-1, or `und`."""
        letters = "".join(_LETTERS.findall(text))
        if by_script := _by_script(letters):
            return by_script
        if len(letters) < FEWEST_LETTERS:
            return UNKNOWN
        code, certainty = self._model().rank(" ".join(_LETTERS.findall(text)))[0]
        return str(code) if certainty >= CERTAIN and code != "zxx" else UNKNOWN

    def _model(self) -> Any:
        if self._identifier is None:
            from py3langid.langid import MODEL_FILE, LanguageIdentifier

            self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        return self._identifier


def _by_script(letters: str) -> str:
    """Empty for a script that several languages share."""
    if letters.isascii():
        return ""
    scripts = Counter(unicodedata.name(letter, "").partition(" ")[0] for letter in letters[:300])
    all_ = sum(scripts.values())
    for script, language in _OF_ONE_LANGUAGE.items():
        if scripts[script] >= _SHARE * all_:
            return language
    return "zh" if scripts["CJK"] >= (1 - _SHARE) * all_ else ""
