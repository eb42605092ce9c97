"""Credentials that must be found whole, and look-alikes that must not be."""

import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.detectors.secrets import Secrets

ALL = frozenset(Secrets.labels)
A36 = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"


def found(secrets: Secrets, text: str) -> list[tuple[str, str]]:
    return [(hit.label, text[hit.start : hit.end]) for hit in secrets.detect([text], ALL)[0] if hit.score >= 0.5]


WHOLE = [
    ("OPENAI_KEY", "sk-" + A36),
    ("OPENAI_KEY", "sk-proj-" + A36 + "_-" + A36),
    ("OPENAI_KEY", "sk-svcacct-" + A36),
    ("OPENAI_KEY", "sk-proj-" + "BCPTPMraqqjNRPhJpRvRFPkigqskiAqqfrVHJunDdMcSewGJ"),  # not one digit
    ("ANTHROPIC_KEY", "sk-ant-api03-" + A36 + "-AA"),
    ("GOOGLE_API_KEY", "AIza" + A36[:35]),
    ("AWS_ACCESS_KEY", "AKIAIOSFODNN7EXAMPLE"),
    ("GITHUB_TOKEN", "ghp_" + A36),
    ("GITHUB_TOKEN", "github_pat_" + A36 + "_" + A36),
    ("GITLAB_TOKEN", "glpat-" + A36[:20]),
    ("SLACK_TOKEN", "xoxb-123456789012-abcdefGHIJKL"),
    ("STRIPE_KEY", "sk_live_" + A36[:24]),
    ("HUGGINGFACE_TOKEN", "hf_" + A36),
    ("SENDGRID_KEY", "SG." + A36[:22] + "." + A36 + A36[:7]),
    ("JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"),
    ("PRIVATE_KEY", "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----"),
]


@pytest.mark.parametrize(("label", "secret"), WHOLE)
@pytest.mark.parametrize("around", ["{}", "use {} please", '{{"k": "{}"}}', "a={}\nb", "({})"])
def test_keys_are_found_whole(secrets: Secrets, label: str, secret: str, around: str) -> None:
    assert found(secrets, around.format(secret)) == [(label, secret)]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password: hunter2x", "hunter2x"),
        ("Password = 'c0rrect-horse'", "c0rrect-horse"),
        ('{"password": "S3cret!x"}', "S3cret!x"),
        ("my password is Tr0ub4dor&3 by the way", "Tr0ub4dor&3"),
        ("DB_PASSWORD=pa55word123", "pa55word123"),
        ("api_key: abcd1234efgh", "abcd1234efgh"),
        ("client-secret => zYx987wVu", "zYx987wVu"),
        ("postgres://app:s3cr3tpw@db.internal/x", "s3cr3tpw"),
        ("https://bot:hunter22@example.com", "hunter22"),
        ("Authorization: Bearer " + A36, A36),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
    ],
)
def test_only_the_value_is_the_secret(secrets: Secrets, text: str, secret: str) -> None:
    assert [value for _, value in found(secrets, text)] == [secret]


@pytest.mark.parametrize(
    "text",
    [
        "550e8400-e29b-41d4-a716-446655440000",
        '"' + hashlib.md5(b"x", usedforsecurity=False).hexdigest() + '"',
        '"' + hashlib.sha1(b"x", usedforsecurity=False).hexdigest() + '"',
        '"' + hashlib.sha256(b"x").hexdigest() + '"',
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "<EMAIL_ADDRESS_1> and <PASSWORD_2>",
        "password: <PASSWORD_1>",
        "password: [PASSWORD]",
        "password: required",
        "password: your_password_1",
        "password = os.environ['DB_PASSWORD']",
        "password=getpass.getpass()",
        "password: $DB_PASSWORD1",
        "password: ${{ secrets.PASS1 }}",
        "password: ********",
        "def login(user: str, password: str) -> Token:",
        "Your password is incorrect, and the secret is patience.",
        "The secret of getting ahead is getting started.",
        "sk-learn is scikit-learn; see sk-something-with-words-only-here",
        "AKIA is a prefix, not a key",
        "https://example.com:8080/path and mailto:a@b.example",
        "git@github.com:owner/repository.git",
        "eyJ is how a token begins",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
        "PACKAGES APARTMENTS ACCEPTANCE",
        "sk-SomeVeryLongClassNameNobodyHas",
    ],
)
def test_look_alikes_are_clean(secrets: Secrets, text: str) -> None:
    assert found(secrets, text) == []


def test_a_private_key_cut_short_is_covered_to_where_it_may_end(secrets: Secrets) -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\nAAAA"
    assert found(secrets, f"here: {key}. Thanks") == [("PRIVATE_KEY", key)]


def test_no_text_is_too_long(secrets: Secrets) -> None:
    text = "plain words of prose " * 6000 + "password: hunter2x " + "and then some more " * 300 + WHOLE[0][1]
    assert found(secrets, text) == [("PASSWORD", "hunter2x"), WHOLE[0]]


@given(
    st.integers(0, 4500),
    st.integers(0, 900),
    st.sampled_from([secret for label, secret in WHOLE if label != "PRIVATE_KEY"]),
)
def test_a_key_is_found_whole_wherever_it_stands(before: int, after: int, secret: str) -> None:
    text = ("ab c" * 1200)[:before] + " " + secret + " " + ("de f" * 300)[:after]
    hits = SECRETS.detect([text], ALL)[0]
    assert [text[hit.start : hit.end] for hit in hits] == [secret]


@given(st.text(alphabet=string.ascii_lowercase + " .,;:'\"()-\n", max_size=400))
def test_lower_case_prose_holds_no_secret(text: str) -> None:
    assert SECRETS.detect([text], ALL) == [[]]


SECRETS = Secrets()
"""Hypothesis and function-scoped fixtures do not mix."""
