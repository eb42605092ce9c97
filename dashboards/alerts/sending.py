"""One notification to one channel, once. What can go wrong is told in words that hold no secret."""

import hmac
import json
import os
from collections.abc import Mapping
from functools import partial
from hashlib import sha256

import anyio
import httpx

from .channel import Email, Slack, Webhook
from .mail import mail
from .notification import Notification
from .refused import LONGEST_S, TIMEOUT_S, Refused

LATER = frozenset({408, 425, 429})
"""Of 4xx, those after which the same may be taken; 5xx are such too."""
_ICONS = {"firing": ":rotating_light:", "repeated": ":rotating_light:", "resolved": ":white_check_mark:"}


def send(
    channel: Webhook | Slack | Email, told: Notification, now: int, environment: Mapping[str, str] = os.environ
) -> None:
    """Blocks up to `LONGEST_S`. `now` in milliseconds. Raises `Refused`, and nothing else."""
    try:
        if isinstance(channel, Email):
            mail(channel, told, now, environment)
        elif isinstance(channel, Slack):
            _post(channel.url, _json(slack(told)), {})
        else:
            body = _json(dict(told))
            _post(channel.url, body, _signed(channel, body, now, environment) | {"Spanward-Notification": told["id"]})
    except Refused:
        raise
    except Exception as failure:  # noqa: BLE001  one channel that cannot be used must not keep the others from theirs
        raise Refused(f"could not be sent ({type(failure).__name__})", again=True) from None


def signature(key: str, body: bytes, second: int) -> str:
    """`t=SECOND,v1=HEX`: HMAC-SHA256 of `SECOND.BODY`, so that an old body cannot be sent again as a new one."""
    return f"t={second},v1={hmac.new(key.encode(), f'{second}.'.encode() + body, sha256).hexdigest()}"


def slack(told: Notification) -> dict[str, object]:
    """As blocks, with a plain text for notices of phones; all of it escaped."""
    title = _escaped(told["title"])
    lines = f"*{_ICONS.get(told['status'], ':bell:')} {title.replace('*', '')}*\n{_escaped(told['text'])}"
    links = f"<{_in_link(told['link'])}|Show the calls> · <{_in_link(told['rule_link'])}|Rule, history, snooze>"
    return {
        "text": title,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": lines[:2900]}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": links[:2900]}]},
        ],
    }


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _in_link(url: str) -> str:
    return _escaped(url).replace("|", "%7C")


def _json(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _signed(channel: Webhook, body: bytes, now: int, environment: Mapping[str, str]) -> dict[str, str]:
    if not channel.secret_env:
        return {}
    key = environment.get(channel.secret_env, "")
    if not key:
        raise Refused(f"the sidecar's environment has no {channel.secret_env}, so it cannot be signed", again=True)
    return {"Spanward-Signature": signature(key, body, now // 1000)}


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Redirects are not followed: an address is what somebody with the right to configure typed, and no other."""
    sent = {"Content-Type": "application/json", "User-Agent": "spanward-alerts", **headers}
    try:
        status = anyio.run(partial(_answered, url, body, sent))
    except httpx.TimeoutException:
        raise Refused(f"no answer within {TIMEOUT_S:g} s", again=True) from None
    except TimeoutError:
        raise Refused(f"no whole answer within {LONGEST_S:g} s", again=True) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as failure:
        raise Refused(f"cannot be reached ({type(failure).__name__})", again=True) from None
    if 300 <= status < 400:
        raise Refused(f"it answered {status}: redirects are not followed, give the address itself", again=False)
    if status >= 400:
        raise Refused(f"it answered {status}", again=status >= 500 or status in LATER)


async def _answered(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status; what the answer says is never read. Raises TimeoutError after `LONGEST_S`."""
    with anyio.fail_after(LONGEST_S):
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client,
            client.stream("POST", url, content=body, headers=headers) as answer,
        ):
            return answer.status_code
