"""One notification as a mail. Neither it nor the password leaves over a way that is not what the channel asks for."""

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from .channel import Email
from .hurried_smtp import Hurried, HurriedTls
from .notification import Notification
from .refused import TIMEOUT_S, Refused


def mail(channel: Email, told: Notification, now: int, environment: Mapping[str, str]) -> None:
    """Raises `Refused`."""
    password = environment.get(channel.password_env, "") if channel.password_env else ""
    if channel.password_env and not password:
        raise Refused(f"the sidecar's environment has no {channel.password_env}", again=True)
    trusted = _trusted(channel.ca_file)
    try:
        with _connected(channel, trusted) as server:
            if channel.username:
                server.login(channel.username, password)
            server.send_message(_message(channel, told, now))
    except smtplib.SMTPResponseException as no:
        raise Refused(f"the mail server answered {no.smtp_code}", again=not 500 <= no.smtp_code < 600) from None
    except smtplib.SMTPRecipientsRefused as no:
        codes = sorted({code for code, _ in no.recipients.values()})
        raise Refused(f"the mail server refused every recipient ({codes})", again=all(c < 500 for c in codes)) from None
    except ssl.SSLCertVerificationError as no:
        raise Refused(f"the mail server's certificate is not trusted: {no.verify_message}", again=True) from None
    except (smtplib.SMTPException, OSError) as failure:
        raise Refused(f"the mail server cannot be used ({type(failure).__name__})", again=True) from None


def _message(channel: Email, told: Notification, now: int) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = channel.sender, ", ".join(channel.to)
    message["Subject"] = told["title"]
    message["Date"] = formatdate(now / 1000)
    message["Message-ID"] = make_msgid(idstring=told["id"][:32], domain=channel.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{told['text']}\n\nThe calls: {told['link']}\nThe rule: {told['rule_link']}\n")
    return message


def _trusted(ca_file: str) -> ssl.SSLContext:
    """The system's authorities, and those of the file."""
    trusted = ssl.create_default_context()
    if ca_file:
        try:
            trusted.load_verify_locations(ca_file)
        except (OSError, ValueError):  # ssl.SSLError is an OSError
            raise Refused("the file with the certificate authority cannot be read as PEM", again=True) from None
    return trusted


def _connected(channel: Email, trusted: ssl.SSLContext) -> smtplib.SMTP:
    if channel.encryption == "tls":
        return HurriedTls(channel.host, channel.port, timeout=TIMEOUT_S, context=trusted)
    server = Hurried(channel.host, channel.port, timeout=TIMEOUT_S)
    if channel.encryption == "starttls":
        try:
            server.starttls(context=trusted)
        except smtplib.SMTPNotSupportedError:
            server.close()
            raise Refused("the mail server offers no STARTTLS, so nothing was sent", again=True) from None
        except BaseException:
            server.close()
            raise
    return server
