"""What credentials look like: our own table first, then detect-secrets' patterns, with the whole match as the span.

detect-secrets answers which value matched, not where, and for some types only a fragment of it (`ghp` of a GitHub
token, a web token without its signature). So its compiled patterns are used, and not its line scanner, whose eager
entropy search flags prose. Its verification, which calls the providers, is never reached.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SecretPattern:
    """`group` of a match is the secret; `holds` has the last word on what was matched."""

    label: str
    regex: re.Pattern[str]
    group: int = 0
    score: float = 1.0
    holds: Callable[[str], bool] = bool
    source: str = "own pattern"


def _is_password(value: str) -> bool:
    """Neither a placeholder, a variable, a call nor a plain word: `password: required` is documentation."""
    if value[0] in "<[{($%*" or re.search(r"[({\[]|\*{3}|^(?:os|env|process|self|config|settings)\.", value):
        return False
    mixed_case = re.search(r"[a-z]", value) and re.search(r"[A-Z]", value)
    return bool(re.search(r"[0-9!@#$%^&*+~]", value) or (len(value) >= 12 and mixed_case))


def _has_letter_and_digit(value: str) -> bool:
    return re.search(r"[A-Za-z]", value) is not None and re.search(r"\d", value) is not None


_ASKED = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|(?:client|app|shared)[ _-]?secret|secret(?:[ _-]?(?:key|token))?"
    r"|api[ _-]?(?:key|token|secret)|(?:access|auth|bearer|refresh)[ _-]?token|private[ _-]?key)"
)
OWN = (
    SecretPattern(
        "PRIVATE_KEY",
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
            r"(?:[\s\S]{0,16000}?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s:,-]{0,16000})"
        ),
    ),
    SecretPattern("ANTHROPIC_KEY", re.compile(r"\bsk-ant-[A-Za-z0-9_-]{16,}"), holds=_has_letter_and_digit),
    SecretPattern(
        "OPENAI_KEY",
        re.compile(r"\bsk-(?!ant-)(?:proj-|svcacct-|admin-|None-)?[A-Za-z0-9_-]{20,}"),
        holds=_has_letter_and_digit,
    ),
    SecretPattern("GOOGLE_API_KEY", re.compile(r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])")),
    SecretPattern("GOOGLE_OAUTH_TOKEN", re.compile(r"\bya29\.[A-Za-z0-9_-]{20,}")),
    SecretPattern("AWS_ACCESS_KEY", re.compile(r"\b(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}\b")),
    SecretPattern(
        "AWS_SECRET_KEY",
        re.compile(r"(?i:aws.{0,20}?(?:key|secret|token|pw|pass).{0,20}?)(?<![A-Za-z0-9/+])([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"),
        group=1,
        holds=_has_letter_and_digit,
    ),
    SecretPattern("GITHUB_TOKEN", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})")),
    SecretPattern("HUGGINGFACE_TOKEN", re.compile(r"\bhf_[A-Za-z0-9]{30,}")),
    SecretPattern("GROQ_KEY", re.compile(r"\bgsk_[A-Za-z0-9]{40,}")),
    SecretPattern("SLACK_TOKEN", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-\d-[A-Za-z0-9-]{10,}")),
    SecretPattern("STRIPE_KEY", re.compile(r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,}|\bwhsec_[0-9A-Za-z]{24,}")),
    SecretPattern(
        "JWT",
        re.compile(r"\beyJ[A-Za-z0-9_-]{8,}={0,2}\.eyJ[A-Za-z0-9_-]{4,}={0,2}(?:\.[A-Za-z0-9_-]*={0,2})?"),
    ),
    SecretPattern("BASIC_AUTH", re.compile(r"://[^\s/:@{}<>\"']{0,100}:([^\s/@{}<>\"'$]{3,200})@[\w.-]"), group=1),
    SecretPattern(
        "BEARER_TOKEN",
        re.compile(r"(?i:\bbearer)\s+([A-Za-z0-9_~+/.-]{20,}=*)"),
        group=1,
        holds=_has_letter_and_digit,
    ),
    SecretPattern(
        "PASSWORD",
        re.compile(rf"(?i:\b\w{{0,30}}?{_ASKED})[\"'`\])]{{0,2}}\s{{0,3}}(?::=|=>|={{1,3}}|:)\s{{0,3}}[\"'`]?([^\s\"'`,;]{{6,200}})"),
        group=1,
        score=0.9,
        holds=_is_password,
    ),
    SecretPattern(
        "PASSWORD",
        re.compile(rf"(?i:\b{_ASKED})\s+(?:is|was)\s+[\"'`]?([^\s\"'`,;]{{6,200}})"),
        group=1,
        score=0.8,
        holds=lambda value: _has_letter_and_digit(value) and _is_password(value),
    ),
)  # fmt: skip

PLUGINS = {
    "ArtifactoryDetector": "ARTIFACTORY_CREDENTIALS",
    "AzureStorageKeyDetector": "AZURE_STORAGE_KEY",
    "CloudantDetector": "CLOUDANT_CREDENTIALS",
    "DiscordBotTokenDetector": "DISCORD_TOKEN",
    "GitLabTokenDetector": "GITLAB_TOKEN",
    "IbmCloudIamDetector": "IBM_CLOUD_KEY",
    "IbmCosHmacDetector": "IBM_COS_KEY",
    "MailchimpDetector": "MAILCHIMP_KEY",
    "NpmDetector": "NPM_TOKEN",
    "OpenAIDetector": "OPENAI_KEY",
    "PypiTokenDetector": "PYPI_TOKEN",
    "SendGridDetector": "SENDGRID_KEY",
    "SlackDetector": "SLACK_TOKEN",
    "SoftlayerDetector": "SOFTLAYER_CREDENTIALS",
    "SquareOAuthDetector": "SQUARE_SECRET",
    "TelegramBotTokenDetector": "TELEGRAM_TOKEN",
    "TwilioKeyDetector": "TWILIO_KEY",
}
"""detect-secrets' plugins by class. Left out: those that our own table covers, public IP addresses (no secret), and
entropy alone (a quoted digest or trace id has as much of it as a key)."""


def plugin_patterns() -> Iterator[SecretPattern]:
    """The patterns of the installed detect-secrets. Raises `ImportError`, or `LookupError` for a plugin it lacks."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    plugins: dict[str, Any] = get_mapping_from_secret_type_to_class()
    classes = {plugin.__name__: plugin for plugin in plugins.values()}
    for name, label in PLUGINS.items():
        for regex in classes[name]().denylist:
            yield SecretPattern(label, regex, holds=_has_letter_and_digit, source=f"detect-secrets {name}")
