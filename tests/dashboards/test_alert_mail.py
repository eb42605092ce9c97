"""Mail over STARTTLS through a real server: taken where the way is what was asked for, and nothing said where not."""

import ssl
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from spanward.dashboards.alerts.channel import Email
from spanward.dashboards.alerts.mail import mail as send_mail
from spanward.dashboards.alerts.notification import Notification, compose
from spanward.dashboards.alerts.refused import Refused
from spanward.dashboards.alerts.rule import Rule

from .certificate import self_signed
from .conftest import NOW
from .receivers import Mails, free_port, mail

Shown = tuple[Path, ssl.SSLContext]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return self_signed(tmp_path_factory.mktemp("authority"))


def told() -> Notification:
    event = {
        "id": "e1", "at": NOW, "rule": "r1", "event": "firing", "value": 0.4, "threshold": 0.2, "names": [],
        "detail": "",
    }  # fmt: skip
    return compose(Rule(name="Shop fails", metric="failure_rate", threshold=0.2), event, "http://spanward.example")


def channel(port: int, **how: Any) -> Email:
    return Email(
        kind="email", name="Ops", host="127.0.0.1", port=port, sender="a@b.c", to=["d@e.f"], username="ops",
        password_env="SPANWARD_ALERT_MAIL", **how,
    )  # fmt: skip


def sent(mails: Mails, **how: Any) -> str:
    """Why it was not taken; empty where it was."""
    try:
        send_mail(channel(mails.port, **how), told(), NOW, {"SPANWARD_ALERT_MAIL": "s3cret"})
    except Refused as no:
        return no.why
    return ""


def test_it_is_sent_over_tls_to_a_server_that_the_given_authority_vouches_for(shown: Shown) -> None:
    with mail(shown[1], logins=True) as mails:
        assert sent(mails, ca_file=str(shown[0])) == ""
        assert (mails.logins, mails.sealed) == ([(b"ops", b"s3cret")], [True])
        came = message_from_bytes(mails.came[0].content, policy=policy.default)
    assert (came["Subject"], came["From"], came["To"]) == ("Warning: Shop fails", "a@b.c", "d@e.f")
    assert "Failure rate is 40 %" in came.get_content()


def test_a_server_without_starttls_is_told_nothing(shown: Shown) -> None:
    """Also what somebody sees who stands between and takes the offer of STARTTLS out."""
    with mail(logins=True) as mails:
        assert sent(mails, ca_file=str(shown[0])) == "the mail server offers no STARTTLS, so nothing was sent"
        assert (mails.logins, mails.came) == ([], [])


def test_a_certificate_that_nobody_vouches_for_is_refused(shown: Shown, tmp_path: Path) -> None:
    with mail(shown[1], logins=True) as mails:
        why = sent(mails)
        another, _ = self_signed(tmp_path)
        assert sent(mails, ca_file=str(another)).startswith("the mail server's certificate is not trusted: ")
        assert (mails.logins, mails.came) == ([], [])
    assert why.startswith("the mail server's certificate is not trusted: self")


def test_a_certificate_of_another_server_is_refused(tmp_path: Path) -> None:
    trusted, context = self_signed(tmp_path, "127.0.0.2")
    with mail(context, logins=True) as mails:
        why = sent(mails, ca_file=str(trusted))
        assert (mails.logins, mails.came) == ([], [])
    assert why.startswith("the mail server's certificate is not trusted: IP address mismatch")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_without_an_authority_is_named_before_anybody_is_asked(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    mails = Mails(port=free_port())  # nobody is there
    assert sent(mails, ca_file=str(file)) == "the file with the certificate authority cannot be read as PEM"
