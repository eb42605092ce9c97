# ruff: noqa: E501  tables
"""Keys of each provider, made up here from pieces so that no scanner complains, and what is shaped like one."""

import base64
import hashlib
import json
import random
import string
from pathlib import Path
from time import process_time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from spanward.guards.detectors.secret_patterns import OWN, plugin_patterns
from spanward.guards.detectors.secrets import Secrets

ALL = frozenset(Secrets.labels)
RANDOM = random.Random(7)
ROOT = Path(__file__).resolve().parents[2]


def some(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """Random letters with all kinds of the alphabet among them."""
    ends = [kind[1] for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits) if kind[1] in alphabet]
    return "".join(ends) + "".join(RANDOM.choice(alphabet) for _ in range(length - len(ends)))


HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + "234567"
KEYS = [
    ("OPENAI_KEY", "sk-" + some(48)),
    ("OPENAI_KEY", "sk-proj-" + some(60) + "_" + some(60)),
    ("OPENAI_KEY", "sk-svcacct-" + some(80)),
    ("ANTHROPIC_KEY", "sk-ant-api03-" + some(93) + "-AA"),
    ("OPENROUTER_KEY", "sk-or-v1-" + some(64, HEX)),
    ("GOOGLE_API_KEY", "AIza" + some(35)),
    ("GOOGLE_OAUTH_SECRET", "GOCSPX-" + some(28)),
    ("GOOGLE_OAUTH_TOKEN", "ya29." + some(120)),
    ("HUGGINGFACE_TOKEN", "hf_" + some(34)),
    ("GROQ_KEY", "gsk_" + some(52)),
    ("XAI_KEY", "xai-" + some(80)),
    ("PERPLEXITY_KEY", "pplx-" + some(48)),
    ("REPLICATE_TOKEN", "r8_" + some(37)),
    ("PINECONE_KEY", "pcsk_" + some(70)),
    ("LANGSMITH_KEY", "lsv2_pt_" + some(32, HEX) + "_" + some(10, HEX)),
    ("AWS_ACCESS_KEY", "AKIA" + some(16, UPPER)),
    ("AWS_ACCESS_KEY", "ASIA" + some(16, UPPER)),
    ("AWS_SESSION_TOKEN", "IQoJb3JpZ2lu" + some(300)),
    ("AZURE_CLIENT_SECRET", some(3) + "8Q~" + some(34)),
    ("DIGITALOCEAN_TOKEN", "dop_v1_" + some(64, HEX)),
    ("DATABRICKS_TOKEN", "dapi" + some(32, HEX)),
    ("DATABRICKS_TOKEN", "dapi" + some(32, HEX) + "-2"),
    ("GITHUB_TOKEN", "ghp_" + some(36)),
    ("GITHUB_TOKEN", "gho_" + some(36)),
    ("GITHUB_TOKEN", "ghs_" + some(36)),
    ("GITHUB_TOKEN", "github_pat_" + some(22) + "_" + some(59)),
    ("GITLAB_TOKEN", "glpat-" + some(20)),
    ("NPM_TOKEN", "npm_" + some(36)),
    ("PYPI_TOKEN", "pypi-" + "AgEIcHlwaS5vcmc" + some(120)),
    ("VAULT_TOKEN", "hvs." + some(90)),
    ("GRAFANA_TOKEN", "glsa_" + some(32) + "_" + some(8, HEX)),
    ("LINEAR_KEY", "lin_api_" + some(40)),
    ("POSTMAN_KEY", "PMAK-" + some(24, HEX) + "-" + some(34, HEX)),
    ("SLACK_TOKEN", "xoxb-" + "123456789012-123456789013-" + some(24)),
    ("SLACK_TOKEN", "xapp-1-" + some(11) + "-" + some(40)),
    ("STRIPE_KEY", "sk_live_" + some(24)),
    ("STRIPE_KEY", "rk_test_" + some(99)),
    ("STRIPE_KEY", "whsec_" + some(32)),
    ("MAILGUN_KEY", "key-" + some(32, HEX)),
    ("MAILCHIMP_KEY", some(32, HEX) + "-us12"),
    ("SHOPIFY_TOKEN", "shpat_" + some(32, HEX)),
    ("SENDGRID_KEY", "SG." + some(22) + "." + some(43)),
    ("TWILIO_KEY", "SK" + some(32, HEX)),
    ("TELEGRAM_TOKEN", "123456789:" + "AA" + some(33)),
    ("DISCORD_TOKEN", "MT" + some(22) + "." + some(6) + "." + some(27)),
    ("SQUARE_SECRET", "sq0csp-" + some(43)),
    ("JWT", "eyJ" + some(33) + ".eyJ" + some(60) + "." + some(43)),
    ("JWT", "eyJ" + some(33) + ".eyJ" + some(3000) + "." + some(43)),
]


def found(text: str) -> list[tuple[str, str]]:
    return [(hit.label, text[hit.start : hit.end]) for hit in SECRETS.detect([text], ALL)[0] if hit.score >= 0.5]


@pytest.mark.parametrize(("label", "key"), KEYS)
@pytest.mark.parametrize("around", ["{}", "my key is {}, thanks", '{{"k": "{}"}}', "export X={}\ny", "`{}`"])
def test_each_key_is_found_whole_under_its_provider(label: str, key: str, around: str) -> None:
    assert found(around.format(key)) == [(label, key)]


@pytest.mark.parametrize(
    ("text", "label", "secret"),
    [
        ("https://x.blob.core.windows.net/c/b?sv=2023-01-03&se=2027&sr=b&sp=r&sig={}", "AZURE_SAS", some(43) + "%3D"),
        ("AccountName=x;AccountKey={};Suffix=y", "AZURE_STORAGE_KEY", some(86) + "=="),
        ("https://hooks.slack.com/services/{}", "SLACK_WEBHOOK", "T" + some(9) + "/B" + some(9) + "/" + some(24)),
        ("https://discord.com/api/webhooks/{}", "DISCORD_WEBHOOK", "123456789012345678/" + some(68)),
        ("//registry.example/:_authToken={}", "NPM_TOKEN", "npm_" + some(36)),
        ("mongodb+srv://app:{}@db.example.net/x", "BASIC_AUTH", "p4" + some(10)),
        ("redis://:{}@cache:6379/0", "BASIC_AUTH", some(12)),
        ("Server=x;User Id=sa;Password={};Encrypt=true", "PASSWORD", "Str0ng" + some(6)),
    ],
)
def test_the_secret_within_a_setting(text: str, label: str, secret: str) -> None:
    said = text.format(secret)
    assert found(said)[0][0] == label
    start, end = next((hit.start, hit.end) for hit in SECRETS.detect([said], ALL)[0])
    assert start <= said.index(secret)
    assert end >= said.index(secret) + len(secret)


def test_the_secret_of_an_aws_pair_needs_no_word_beside_it() -> None:
    access, secret = "AKIA" + some(16, UPPER), some(38) + "/+"
    for text in (f"{access} {secret}", f"{access},{secret}", f'"{access}",\n  "{secret}"'):
        assert found(text) == [("AWS_ACCESS_KEY", access), ("AWS_SECRET_KEY", secret)]
    assert found(f"{access} at commit {some(40, HEX)}") == [("AWS_ACCESS_KEY", access)]


PEM = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ),
    "pkcs8": lambda: ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ),
    "encrypted": lambda: ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    ),
    "openssh": lambda: ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ),
}


@pytest.mark.parametrize("kind", PEM)
def test_private_keys_in_text_and_in_json(kind: str) -> None:
    key = PEM[kind]().decode().strip()
    assert found(f"Here it is:\n{key}\nThanks") == [("PRIVATE_KEY", key)]
    inside = json.dumps(key)[1:-1]
    account = f'{{"type": "service_account", "private_key_id": "{some(40, HEX)}", "private_key": "{inside}"}}'
    assert [label for label, said in found(account) if inside in said] == ["PRIVATE_KEY"]


@pytest.mark.parametrize(
    "key",
    [
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: x\n\n" + some(600) + "\n=aBcD\n-----END PGP PRIVATE KEY BLOCK-----",
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\nPublic-Lines: 1\n" + some(64)
        + "\nPrivate-Lines: 1\n" + some(48) + "\nPrivate-MAC: " + some(64, HEX),
    ],
)  # fmt: skip
def test_other_private_keys(key: str) -> None:
    assert found(f"x\n{key}\ny") == [("PRIVATE_KEY", key)]


MINIFIED = (
    "!function(e,t){var n=e.token||t.key;this.apiKey=n,this.secretKey=function(){return n.password?1:0},"
    "k.key===e.key&&(r=o.get(a.tokenType)),x.password=y.value,u={key:c,token:d}}(window,document);"
)
NEAR_MISSES = [
    "OPENAI_API_KEY=sk-...",
    "OPENAI_API_KEY=<your-api-key>",
    "export ANTHROPIC_API_KEY='your-api-key-here'",
    'api_key = os.environ["OPENAI_API_KEY"]',
    "api_key: ${OPENAI_API_KEY}",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "pk_live_ is the public one",
    "hf_hub_download is a function of huggingface_hub, from_pretrained_with_some_more_words too",
    "task-based risk-assessment of desk-bound brisk-walking-people-in-general",
    "npm_config_registry and npm_package_version_of_something_rather_long_in_words",
    "do_v1_something dapi_docs key-value key-signature",
    "commit " + hashlib.sha1(b"a", usedforsecurity=False).hexdigest(),
    "sha256:" + hashlib.sha256(b"a").hexdigest(),
    "integrity=sha512-" + base64.b64encode(hashlib.sha512(b"a").digest()).decode(),
    'etag: "' + hashlib.md5(b"a", usedforsecurity=False).hexdigest() + '"',
    "id 6ba7b810-9dad-11d1-80b4-00c04fd430c8 key 6ba7b811-9dad-11d1-80b4-00c04fd430c8",
    "![x](data:image/png;base64," + base64.b64encode(bytes(range(256)) * 20).decode() + ")",
    "https://x.example/a.js?sig=abc&sv=1",
    "https://hooks.slack.com/services/T000/B000/XXXX",
    MINIFIED,
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "The password is required. Passwords are secret. Tokens: 4096. key: value",
    "keyboard: qwerty1, tokenizer: cl100k_base2, monkey: banana9",
    "Press any key: F1",
]  # fmt: skip


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_what_only_looks_like_a_key_is_clean(text: str) -> None:
    assert found(text) == []


STONES = [
    "xxxxxxxx-sk-", "your-sk-a1",
    "sk-", "AKIA", "ASIA" + "A" * 16 + " ", "eyJaaaaaaaa.", "eyJaaaaaaaa.eyJaaaa.", "://a:", "-----BEGIN RSA PRIVATE KEY-----",
    "PuTTY-User-Key-File-3: Private-Lines:", "PuTTY-User-Key-File-3: \nPrivate-Lines: 1", "password", "password is ", "aws key ", "aws", "bearer ", "a" * 50, "A1", "x=",
    "key=", "//a/:_authToken=npm_", "?sig=", "hooks.slack.com/services/aaaaaa/", "8Q~", "sk-ant-", "xoxb-1-", "1:", "ac", "SG.",
]  # fmt: skip


@pytest.mark.parametrize("stone", STONES)
def test_time_grows_with_the_length_and_no_faster(stone: str) -> None:
    """Twice as much takes twice as long; squared growth would take four times, of far more than the floor."""

    def took(size: int) -> float:
        text = (stone * (size // len(stone) + 1))[:size]
        started = process_time()
        SECRETS.detect([text], ALL)
        return process_time() - started

    half = min(took(50_000) for _ in range(2))
    assert min(took(100_000) for _ in range(2)) < 3.4 * half + 0.05


def test_what_is_read_whole_bounds_its_own_time() -> None:
    patterns = [*OWN, *plugin_patterns()]
    assert {pattern.label for pattern in patterns if pattern.whole} == {"PRIVATE_KEY", "JWT"}
    endless = [
        p.regex.pattern for p in OWN if any(f"{part}{sign}" in p.regex.pattern for part in ")]" for sign in "*+")
    ]
    assert endless == []


def test_this_repository_has_no_secret_in_its_documents() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))]
    assert texts
    hits = [hit for hits in SECRETS.detect(texts, ALL - {"BASIC_AUTH", "PASSWORD"}) for hit in hits]
    assert hits == []


SECRETS = Secrets()
