# ruff: noqa: E501  a pattern is read in one line
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
    """`group` of a match is the secret; `holds` has the last word on what was matched.

    Nothing is tried on a text without one of `openings` (lower case; none: any text) or without a run of `run`
    characters of a token. What may be longer than a stretch is `whole`: it bounds its own time.
    """

    label: str
    regex: re.Pattern[str]
    group: int = 0
    score: float = 1.0
    holds: Callable[[str], bool] = bool
    source: str = "own pattern"
    openings: tuple[str, ...] = ()
    run: int = 0
    whole: bool = False


def _is_password(value: str) -> bool:
    """Neither a placeholder, a variable, a call nor a plain word: `password: required` is documentation."""
    if value[0] in "<[{($%*" or re.search(r"[({\[]|\*{3}|^(?:os|env|process|self|config|settings)\.", value):
        return False
    mixed_case = re.search(r"[a-z]", value) and re.search(r"[A-Z]", value)
    return bool(re.search(r"[0-9!@#$%^&*+~]", value) or (len(value) >= 12 and mixed_case))


def _has_letter_and_digit(value: str) -> bool:
    return re.search(r"[A-Za-z]", value) is not None and re.search(r"\d", value) is not None


def _is_random(value: str) -> bool:
    """A letter and a digit, as nearly all have; or cases as mixed as in no word: one key in a thousand has no digit."""
    return _has_letter_and_digit(value) or len(re.findall(r"[a-z][A-Z]", value)) >= HUMPS


def _has_both_cases(value: str) -> bool:
    """And a digit: no commit or digest, which has small letters only."""
    return _has_letter_and_digit(value) and value.lower() != value and value.upper() != value


HUMPS = 8
"""Capitals right behind small letters: a random text of 48 letters has twelve, a CamelCaseName one a word."""
_ASKED_OPENINGS = ("pass", "pwd", "secret", "key", "token")
_ASKED = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|(?:client|app|shared)[ _-]?secret|secret(?:[ _-]?(?:key|token))?"
    r"|api[ _-]?(?:key|token|secret)|(?:access|auth|bearer|refresh)[ _-]?token|private[ _-]?key)"
)
_BODY = r"[A-Za-z0-9_-]"


def _key(label: str, opening: str, body: str, *, run: int = 20) -> SecretPattern:
    """A key that says whose it is: `opening` as it is written, then `body`, as a whole word."""
    regex = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(opening)}{body}")
    return SecretPattern(label, regex, holds=_is_random, openings=(opening.lower(),), run=run)


OWN = (
    SecretPattern(
        "PRIVATE_KEY",
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:[\s\S]{0,16000}?-----END (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
            r"|(?:[A-Za-z0-9+/=\s:,-]|\\[nr]){0,16000})"
        ),
        openings=("private key",), whole=True,
    ),
    SecretPattern(
        "PRIVATE_KEY",
        re.compile(
            r"PuTTY-User-Key-File-\d:(?:[^\n]{0,200}\n){1,60}?Private-(?:MAC: ?[0-9a-f]{1,128}|Lines: ?\d{1,4}"
            r"(?:\r?\n(?!Private)[A-Za-z0-9+/=]{1,80}){1,100}(?:\r?\nPrivate-MAC: ?[0-9a-f]{1,128})?)"
        ),
        openings=("putty-user-key",), whole=True,
    ),
    # --- models
    _key("ANTHROPIC_KEY", "sk-ant-", _BODY + "{16,300}"),
    SecretPattern("OPENROUTER_KEY", re.compile(r"\bsk-or-v1-[0-9a-f]{32,80}"), openings=("sk-or-",), run=32),
    SecretPattern(
        "OPENAI_KEY", re.compile(r"\bsk-(?!ant-|or-v1-)(?:proj-|svcacct-|admin-|None-)?[A-Za-z0-9_-]{20,300}"),
        holds=_is_random, openings=("sk-",), run=20,
    ),
    SecretPattern("GOOGLE_API_KEY", re.compile(r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"), openings=("aiza",), run=39),
    _key("HUGGINGFACE_TOKEN", "hf_", "[A-Za-z0-9]{30,100}", run=30),
    _key("GROQ_KEY", "gsk_", "[A-Za-z0-9]{40,100}", run=40),
    _key("XAI_KEY", "xai-", "[A-Za-z0-9]{60,120}", run=60),
    _key("PERPLEXITY_KEY", "pplx-", "[A-Za-z0-9]{40,80}", run=40),
    _key("REPLICATE_TOKEN", "r8_", "[A-Za-z0-9]{37}(?![A-Za-z0-9])", run=40),
    _key("PINECONE_KEY", "pcsk_", _BODY + "{40,120}", run=40),
    _key("LANGSMITH_KEY", "lsv2_", "(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}", run=40),
    # --- clouds
    SecretPattern("GOOGLE_OAUTH_TOKEN", re.compile(r"\bya29\.[A-Za-z0-9_-]{20,2000}"), openings=("ya29.",), run=20),
    _key("GOOGLE_OAUTH_SECRET", "GOCSPX-", _BODY + "{28}(?![A-Za-z0-9_-])"),
    SecretPattern(
        "AWS_ACCESS_KEY", re.compile(r"\b(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}\b"),
        openings=("a3t", "abia", "acca", "akia", "asia"), run=20,
    ),
    SecretPattern(
        "AWS_SECRET_KEY",
        re.compile(r"(?i:aws.{0,20}?(?:key|secret|token|pw|pass).{0,20}?)(?<![A-Za-z0-9/+])([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"),
        group=1, holds=_has_letter_and_digit, openings=("aws",), run=40,
    ),
    SecretPattern(  # without a word beside it, but behind its own access key
        "AWS_SECRET_KEY",
        re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b(?=[\s\S]{1,80}?(?<![A-Za-z0-9/+])([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=]))"),
        group=1, holds=_has_both_cases, openings=("akia", "asia"), run=40,
    ),
    SecretPattern(
        "AWS_SESSION_TOKEN", re.compile(r"(?<![A-Za-z0-9])(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9/+=]{80,2000}"),
        openings=("fwogzxivyxdz", "iqojb3jpz2lu"), run=90,
    ),
    SecretPattern(
        "AZURE_SAS", re.compile(r"[?&;]sig=((?:[A-Za-z0-9/+_-]|%2[BbFf]|%3[Dd]){40,100}={0,2})"),
        group=1, holds=_has_letter_and_digit, openings=("sig=",),
    ),
    SecretPattern(
        "AZURE_CLIENT_SECRET", re.compile(r"(?<![A-Za-z0-9~._-])[A-Za-z0-9~._-]{3}\dQ~[A-Za-z0-9~._-]{31,34}(?![A-Za-z0-9~_-])"),
        openings=("q~",),
    ),
    _key("DIGITALOCEAN_TOKEN", "do", "[opr]_v1_[0-9a-f]{64}", run=64),
    _key("DATABRICKS_TOKEN", "dapi", "[0-9a-f]{32}(?:-\\d)?(?![0-9a-zA-Z])", run=36),
    # --- code and packages
    SecretPattern(
        "GITHUB_TOKEN", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{40,255})"),
        openings=("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"), run=36,
    ),
    _key("NPM_TOKEN", "npm_", "[A-Za-z0-9]{36}(?![A-Za-z0-9])", run=36),
    _key("PYPI_TOKEN", "pypi-", "Ag[EN]" + _BODY + "{50,500}", run=50),
    _key("VAULT_TOKEN", "hvs.", _BODY + "{24,300}"),
    _key("GRAFANA_TOKEN", "glsa_", "[A-Za-z0-9]{32}_[0-9a-f]{8}", run=40),
    _key("LINEAR_KEY", "lin_api_", "[A-Za-z0-9]{40}", run=40),
    _key("POSTMAN_KEY", "PMAK-", "[0-9a-f]{24}-[0-9a-f]{34}", run=60),
    # --- messages, payment, shops
    SecretPattern(
        "SLACK_TOKEN", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,300}|\bxapp-\d-[A-Za-z0-9-]{10,300}"),
        openings=("xox", "xapp-"),
    ),
    SecretPattern(
        "SLACK_WEBHOOK", re.compile(r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9_]{6,20}/[A-Za-z0-9_/]{20,120})"),
        group=1, openings=("hooks.slack.com",),
    ),
    SecretPattern(
        "DISCORD_WEBHOOK", re.compile(r"discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/(\d{15,22}/[A-Za-z0-9_-]{50,100})"),
        group=1, openings=("/webhooks/",),
    ),
    SecretPattern(
        "STRIPE_KEY", re.compile(r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,250}|\bwhsec_[0-9A-Za-z]{24,100}"),
        openings=("k_live_", "k_test_", "whsec_"), run=20,
    ),
    SecretPattern("MAILGUN_KEY", re.compile(r"(?<![A-Za-z0-9_-])key-[0-9a-f]{32}(?![0-9a-zA-Z])"), openings=("key-",), run=36),
    _key("SHOPIFY_TOKEN", "shp", "(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", run=36),
    # --- what any of them may use
    SecretPattern(
        "JWT", re.compile(r"\beyJ[A-Za-z0-9_-]{8,4000}={0,2}\.eyJ[A-Za-z0-9_-]{4,8000}={0,2}(?:\.[A-Za-z0-9_-]{0,2000}={0,2})?"),
        openings=(".eyj",), run=16, whole=True,
    ),
    SecretPattern(
        "BASIC_AUTH", re.compile(r"://[^\s/:@{}<>\"']{0,100}:([^\s/@{}<>\"'$]{3,200})@[\w.-]"), group=1, openings=("://",)
    ),
    SecretPattern(
        "BEARER_TOKEN", re.compile(r"(?i:\bbearer)\s{1,5}([A-Za-z0-9_~+/.-]{20,2000}={0,2})"),
        group=1, holds=_has_letter_and_digit, openings=("bearer",), run=16,
    ),
    SecretPattern(
        "PASSWORD",
        re.compile(rf"(?i:{_ASKED})[\"'`\])]{{0,2}}\s{{0,3}}(?::=|=>|={{1,3}}|:)\s{{0,3}}[\"'`]?([^\s\"'`,;]{{6,200}})"),
        group=1, score=0.9, holds=_is_password, openings=_ASKED_OPENINGS,
    ),
    SecretPattern(
        "PASSWORD",
        re.compile(rf"(?i:\b{_ASKED})\s{{1,5}}(?:is|was)\s{{1,5}}[\"'`]?([^\s\"'`,;]{{6,200}})"),
        group=1, score=0.8, holds=lambda value: _has_letter_and_digit(value) and _is_password(value),
        openings=_ASKED_OPENINGS,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin's label here, and what a text must have before it is tried."""

    label: str
    openings: tuple[str, ...] = ()
    run: int = 0


_ASSIGNED = ("key", "pwd", "pw", "pass", "token")
PLUGINS = {
    "ArtifactoryDetector": Plugin("ARTIFACTORY_CREDENTIALS", ("akc", "ap"), 12),
    "AzureStorageKeyDetector": Plugin("AZURE_STORAGE_KEY", ("accountkey=",)),
    "CloudantDetector": Plugin("CLOUDANT_CREDENTIALS", ("cl", "cloudant.com"), 24),
    "DiscordBotTokenDetector": Plugin("DISCORD_TOKEN", (), 58),
    "GitLabTokenDetector": Plugin("GITLAB_TOKEN", ("gl", "gr1348941"), 20),
    "IbmCloudIamDetector": Plugin("IBM_CLOUD_KEY", _ASSIGNED, 44),
    "IbmCosHmacDetector": Plugin("IBM_COS_KEY", ("key",), 48),
    "MailchimpDetector": Plugin("MAILCHIMP_KEY", ("-us",), 36),
    "NpmDetector": Plugin("NPM_TOKEN", ("_authtoken",)),
    "PypiTokenDetector": Plugin("PYPI_TOKEN", ("pypi-",), 70),
    "SendGridDetector": Plugin("SENDGRID_KEY", ("sg.",), 60),
    "SlackDetector": Plugin("SLACK_TOKEN", ("xox", "hooks.slack.com")),
    "SoftlayerDetector": Plugin("SOFTLAYER_CREDENTIALS", ("softlayer", "sl"), 60),
    "SquareOAuthDetector": Plugin("SQUARE_SECRET", ("sq0csp-",)),
    "TelegramBotTokenDetector": Plugin("TELEGRAM_TOKEN", (":",), 35),
    "TwilioKeyDetector": Plugin("TWILIO_KEY", ("ac", "sk"), 34),
}
"""detect-secrets' plugins by class. Left out: those that our own table covers, public IP addresses (no secret), and
entropy alone (a quoted digest or trace id has as much of it as a key)."""


def plugin_patterns() -> Iterator[SecretPattern]:
    """The patterns of the installed detect-secrets. Raises `ImportError`, or `LookupError` for a plugin it lacks."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    plugins: dict[str, Any] = get_mapping_from_secret_type_to_class()
    classes = {plugin.__name__: plugin for plugin in plugins.values()}
    for name, plugin in PLUGINS.items():
        for regex in classes[name]().denylist:
            if "hooks" in regex.pattern:
                continue  # Slack's webhooks have a label of their own
            yield SecretPattern(
                plugin.label,
                regex,
                holds=_has_letter_and_digit,
                source=f"detect-secrets {name}",
                openings=plugin.openings,
                run=plugin.run,
            )
