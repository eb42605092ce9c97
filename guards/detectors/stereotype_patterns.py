"""The words of the stereotype flag: groups by name, verbs of being and of rule, and how a sentence takes it back."""

import re
from collections.abc import Iterable, Mapping

from .identity_terms import BODY, GENDER, ORIGIN, RELIGION


def either(words: Iterable[str]) -> str:
    """A pattern of any of `words`, the longest first."""
    return "|".join(sorted(map(re.escape, {*words}), key=lambda word: (-len(word), word)))


def _compiled(pattern: str) -> re.Pattern[str]:
    r"""Blanks and line ends in `pattern` are layout; a blank of the text is written `\ `."""
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE | re.VERBOSE)


_ADJECTIVES = frozenset(
    """
    islam judaism christianity hinduism buddhism sikhism jainism atheism disability autism epilepsy dyslexia dyspraxic
    schizophrenia depressed adhd handicapped impaired wheelchair hiv mute overweight obese fat thin short taller old
    older young younger middle aged elderly homeless poor unemployed straight eastern western secular islamic semitic
    bi undocumented asylum diaspora yiddish balkan caribbean english british irish scottish welsh french spanish dutch
    polish swedish danish finnish turkish jewish chinese japanese vietnamese nepalese sudanese lebanese maltese
    portuguese kurdish flemish bipolar autistic deaf blind disabled nonverbal neurodivergent transgender queer nonbinary
    """.split()  # noqa: SIM905
)
"""And names of beliefs: they are a group only before `people` and the like."""
_COLLECTIVE = (
    "irish", "english", "british", "french", "spanish", "dutch", "polish", "swedish", "danish", "chinese", "japanese",
    "vietnamese", "portuguese", "swiss", "welsh", "scottish", "elderly", "poor", "unemployed", "homeless", "disabled",
    "blind", "deaf", "young", "old",
)  # fmt: skip
"""Groups behind `the`, without a noun."""
_HUMANS = (
    "people", "folk", "folks", "persons", "men", "women", "guys", "girls", "boys", "kids", "children", "students",
    "workers", "immigrants", "migrants", "refugees", "drivers", "parents", "mothers", "fathers", "employees",
    "politicians", "communities", "families", "teenagers", "players", "customers", "tenants",
)  # fmt: skip
_PLURALS = {
    "man": "men", "woman": "women", "wife": "wives", "lady": "ladies", "transman": "transmen",
    "transwoman": "transwomen", "gentleman": "gentlemen",
}  # fmt: skip

_terms = f"{RELIGION}{ORIGIN}{GENDER}{BODY}".split()
_singular = {term for term in _terms if term not in _ADJECTIVES}
_plural = {_PLURALS.get(term, term if term.endswith(("men", "es")) else f"{term}s") for term in _singular}

_GROUP = rf"""
    (?:{either(_terms)}) (?:[-\ ](?:{either(_terms)}))? \ (?:{either(_HUMANS)})
    | the\ (?:{either(_COLLECTIVE)}) | {either(_plural)}
    | people\ of\ colou?r | people\ with\ (?:a\ )?disabilit(?:y|ies)
"""
GROUP_WORDS = frozenset({*_terms, *_plural, "color", "colour", "disability", "disabilities"})
"""Without one of them there is nothing to look for."""
ASSERTION = _compiled(rf"""
    (?: ^ | (?<=[,:("])\ ? | \b(?:because|that|thinks?|know|since|and|but|so|as|believe|say|course)\ )
    (?: (?:all|every|most|those|these|many|typical|such)\ (?:of\ )?(?:the\ )? )?
    (?P<group>{_GROUP})\ (?: (?:all|always|never|just|only|simply|naturally|inherently|basically|typically|generally
        |usually|born|so|too)\ ){{0,2}}
    (?P<verb> are | were | can(?:'t|not|\ not|\ never|\ only) | should(?:n't|\ not|\ never)?
        | must(?:n't|\ not)? | will\ (?:never|always) | do(?:n't|\ not) | never | always | only | all | lack | have\ no
        | (?:tend|love|like|need|want|deserve)\ to | belong | steal | lie | cheat
        | make\ (?:bad|poor|good|great|terrible|better|worse) )\b
    (?P<rest>[^.!?;]*)
""")
ONE_FOR_ALL = _compiled(rf"""
    \b(?P<group> (?:a|an|every|any|no)\ (?:{either(_singular)}) )\ 
    (?P<verb> (?:should|must|can|could|will)\ (?:never|not|always|only|be\ trusted) | belongs?\ in
        | can't | cannot | shouldn't )\b
""")  # noqa: W291  the blank at the line's end is a blank of the text
STRONG = _compiled(r"""
    \b(?: all | every | always | never | inherently | naturally | born | (?:should|must)(?:n't|\ not) | can(?:'t|not)
        | do(?:n't|\ not)\ belong | have\ no | no\ better )\b
""")
REPORT = _compiled(r"""
    ^\W* (?:(?:being|now|also|still|currently|already|both)\ )*
    (?: [a-z]+ing | here | there | in\ (?:the|an?|my|our) | at | on | from | with | among | my | our | his | her | their
        | your | born\ in | present | seated | married )\b
""")
"""What follows `are` where certain people did something: `are sitting`, `are from Peru`, `are my neighbours`."""
QUOTED = re.compile(r"\"[^\"\n]{0,400}\"|“[^”\n]{0,400}”|«[^»\n]{0,400}»|^\s*>.*$", re.MULTILINE)

TAKEN_BACK: Mapping[str, re.Pattern[str]] = {
    "asked": _compiled(r"\?\s*$"),
    "asked or supposed": _compiled(r"""
        ^\W*(?: why | what | how | who | where | when | which | are | is | do | does | did | can | could | should | if
            | whether | suppose | imagine )\b
    """),
    "denied": _compiled(r"""
        \bnot\ (?:true|right|fair|the\ case|correct)\b
        | \b(?:do(?:es)?\ ?n[o']t|never)\ (?:think|believe|mean|say|assume)\b
        | \b(?:false|wrong|untrue|offensive|racist|sexist|unfair|harmful|biased|inaccurate)\ (?:to|that|about)\b
        | \b(?:stereotypes?|prejudices?|clich\w+|misconceptions?|myths?)\b
        | \b(?:idea|claims?|claimed|belief|notion|assumption|rumou?r|propaganda|trope)\ (?:that|is|was)\b
    """),
    "reported": _compiled(r"""
        \b(?: said | says | wrote | writes | argued | argues | alleged | alleges | according\ to | quoted | reported
            | reports | tweeted | posted | complained | complains | shouted )\b
    """),
    "counted": _compiled(r"""
        \d | \b(?: per\ ?cent | percentage | survey | census | stud(?:y|ies) | statistic\w* | data | researchers?
            | on\ average | (?:more|less)\ likely | majority | minority | population | half | thirds? | quarters? )\b
    """),
    "said of some": _compiled(r"""
        \b(?: some | few | several | certain | not\ (?:all|every) | (?:many|one)\ of | two | three | these\ days
            | sometimes | often )\b (?= [^.!?]{0,30}$ | [^.!?]*\b(?:are|should|can|do|tend)\b )
    """),
    "defined": _compiled(r"""
        \b(?:is|are)\ (?: defined | called | known\ as | referred | considered\ to\ be
            | a\ (?:people|group|term|religion|nation|member|follower|person|minority) | people\ (?:who|from|of|whose)
            | (?:an?\ )?(?:ethnic|indigenous|religious) | followers | members | those\ who | adherents | citizens
            | native\ to | descend\w* )\b
    """),
    "about rights": _compiled(r"""
        \b(?: welcome | equal | equally | human | allowed | entitled | protected | free | eligible | invited | safe
            | individuals? | diverse | different | discriminated | persecuted | underrepresented | represented
            | oppressed | marginali[sz]ed | disadvantaged | left\ out | excluded
            | affected | respected | heard | included )\b
        | \bha(?:ve|s)\ (?:the\ )?(?:same\ )?rights?\b | \bdeserve\b
        | \b(?:is|are|was|were|been)\ (?:\w+\ ){0,2}(?:treated|attacked|targeted|murdered|killed|beaten|harassed)\b
    """),
}
"""Forms by which a sentence says no such thing of the whole group, or says it is somebody else's."""
