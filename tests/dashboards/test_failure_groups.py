"""One cause is one group, whatever ids, numbers, names and quotes its messages carry; two causes are never one."""

import random
import re
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from spanward.collector.store import Store

from .conftest import NOW
from .traffic import Call, put

MODELS = ("gpt-4o", "gpt-5-mini-2026-08-07", "claude-sonnet-4-6", "gemini-2.5-pro", "my-own-deployment", "o3-mini")
WORDS = ("alice", "the blue sofa", "order", "x1", "a b c", "Ünal")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

SLOTS: dict[str, Callable[[random.Random], str]] = {
    "n": lambda dice: str(dice.choice([dice.randrange(10), dice.randrange(100_000), f"{dice.randrange(1, 99)},{dice.randrange(100, 999)}"])),  # noqa: E501
    "wait": lambda dice: dice.choice(["1.2s", "20s", "6m0s", "15ms", "1 second", "20 seconds", "0.5 s"]),
    "id": lambda dice: "req_" + "".join(dice.choices(LETTERS, k=20)) + str(dice.randrange(10)),
    "uuid": lambda dice: str(uuid.UUID(int=dice.getrandbits(128))),
    "hex": lambda dice: f"0x{dice.getrandbits(48):x}",
    "trace": lambda dice: f"{dice.getrandbits(128):032x}",
    "url": lambda dice: f"https://{dice.choice(['a.example', 'b.example:8443'])}/v1/{dice.randrange(999)}?q=1",
    "ip": lambda dice: f"10.{dice.randrange(255)}.{dice.randrange(255)}.7:{dice.randrange(1024, 65535)}",
    "time": lambda dice: f"2026-{dice.randrange(10, 12)}-{dice.randrange(10, 28)}T{dice.randrange(10, 23)}:00:{dice.randrange(10, 59)}Z",  # noqa: E501
    "mail": lambda dice: f"{dice.choice(['kim', 'j.doe+x'])}@{dice.choice(['shop.example', 'mail.example.org'])}",
    "quoted": lambda dice: dice.choice(["'{}'", '"{}"', "`{}`"]).format(dice.choice(WORDS)),
}  # fmt: skip


def message_of(cause: str, model: str, dice: random.Random) -> str:
    def filled(slot: re.Match[str]) -> str:
        return model if slot[1] == "model" else SLOTS[slot[1]](dice)

    return re.sub(r"\{(\w+)\}", filled, cause).replace("{{", "{").replace("}}", "}")


CAUSES = [
    "RateLimitError HTTP 429",
    "RateLimitError HTTP 429 insufficient_quota",
    "InternalServerError HTTP 500",
    "InternalServerError HTTP 502",
    "InternalServerError HTTP 503",
    "BadRequestError HTTP 400 context_length_exceeded",
    "BadRequestError HTTP 400 invalid_value",
    "ModelCallBlocked rule pii-out",
    "ModelCallBlocked rule pii-in",
    "ModelCallBlocked rule injection",
    "Rate limit reached for {model} in organization {id} on tokens per min (TPM): Limit {n}, Used {n}. Please try again in {wait}.",  # noqa: E501
    "Rate limit reached for {model} in organization {id} on requests per min (RPM): Limit {n}, Used {n}. Please try again in {wait}.",  # noqa: E501
    "Rate limit reached for {model} in organization {id} on requests per day (RPD): Limit {n}, Used {n}.",
    "This model's maximum context length is {n} tokens. However, your messages resulted in {n} tokens.",
    "This model's maximum context length is {n} tokens. However, you requested {n} output tokens.",
    "Error code: 400 - {{'error': {{'message': \"Unsupported value: 'temperature' does not support {n}.\", 'type': 'invalid_request_error', 'param': 'temperature', 'code': 'unsupported_value'}}}}",  # noqa: E501
    "Error code: 400 - {{'error': {{'message': \"Unsupported value: 'top_p' does not support {n}.\", 'type': 'invalid_request_error', 'param': 'top_p', 'code': 'unsupported_value'}}}}",  # noqa: E501
    "Error code: 400 - {{'error': {{'message': 'Invalid schema for response_format {quoted}', 'type': 'invalid_request_error', 'param': 'response_format', 'code': None}}}}",  # noqa: E501
    "Error code: 404 - {{'error': {{'message': 'The model `{model}` does not exist', 'type': 'invalid_request_error', 'param': None, 'code': 'model_not_found'}}}}",  # noqa: E501
    "Error code: 401 - {{'error': {{'message': 'Incorrect API key provided: {id}.', 'type': 'invalid_request_error', 'param': None, 'code': 'invalid_api_key'}}}}",  # noqa: E501
    "Error code: 401 - {{'error': {{'message': 'You must be a member of an organization', 'type': 'invalid_request_error', 'param': None, 'code': None}}}}",  # noqa: E501
    '{{"type":"error","error":{{"type":"overloaded_error","message":"Overloaded"}},"request_id":"{id}"}}',
    '{{"type":"error","error":{{"type":"api_error","message":"Internal server error"}},"request_id":"{id}"}}',
    '{{"type":"error","error":{{"type":"invalid_request_error","message":"messages.{n}: all messages must have non-empty content"}},"request_id":"{id}"}}',  # noqa: E501
    '{{"type":"error","error":{{"type":"invalid_request_error","message":"messages.{n}: roles must alternate"}},"request_id":"{id}"}}',  # noqa: E501
    "Connection to {ip} refused ({hex})",
    "Connection to {ip} reset by peer ({hex})",
    "[Errno 111] Connection refused",
    "[Errno 113] No route to host",
    "HTTPSConnectionPool: read timed out after {wait} for {url}",
    "HTTPSConnectionPool: connect timed out after {wait} for {url}",
    "User {mail} has no seat since {time}, trace {trace}",
    "User {mail} is blocked since {time}, trace {trace}",
    "Operation {uuid} was not found",
    "Operation {uuid} has failed",
    "Tool {quoted} is not known to {model}",
    "Tool {quoted} was called twice by {model}",
    "Expected {n} items in 'tools', found {n}",
    "Expected {n} items in 'messages', found {n}",
    "error code 1302: account in arrears",
    "error code 1305: account in arrears",
]
"""Told apart by one word, one status, or one name of a parameter each."""


def test_one_cause_one_group_and_never_two(store: Store, tmp_path: Path) -> None:
    dice = random.Random(5)
    calls, cause_of = [], {}
    for cause in CAUSES:
        for _ in range(40):
            model = dice.choice(MODELS)
            message = message_of(cause, model, dice)
            call = Call(NOW, model=model, error="APIStatusError", message=message)
            cause_of[call.span_id] = cause
            calls.append(call)
    put(store, tmp_path, calls)
    groups, texts = defaultdict(set), defaultdict(set)
    for span, kind, group, text in store.ask(
        "SELECT span_id, failure, failure_group, failure_text FROM llm_calls"
    ).rows:
        groups[group].add(cause_of[span])
        texts[cause_of[span]].add((kind, text))
    assert {group: causes for group, causes in groups.items() if len(causes) > 1} == {}
    assert {cause: told for cause, told in texts.items() if len(told) > 1} == {}


def test_a_group_reads_like_its_message(store: Store, tmp_path: Path) -> None:
    told = {
        "Rate limit reached for gpt-4o in organization org-Ab12Cd34Ef on tokens per min (TPM): Limit 30,000, Used 29000. Please try again in 1.2s.":  # noqa: E501
        "RateLimitError: Rate limit reached for <model> in organization <id> on tokens per min (TPM): Limit <n>, Used <n>. Please try again in <n>.",  # noqa: E501
        "RateLimitError HTTP 429": "RateLimitError HTTP 429",
        "": "RateLimitError",
        "no seat for 'kim', see https://a.example/help": "RateLimitError: no seat for <value>, see <url>",
        "x" * 900: "RateLimitError: " + "x" * 240,
        "don't do that, it's 'this' or 'that'": "RateLimitError: don't do that, it's <value> or <value>",
    }  # fmt: skip
    calls = {message: Call(NOW, error="RateLimitError", message=message) for message in told}
    put(store, tmp_path, calls.values())
    found = dict(store.ask("SELECT span_id, failure_text FROM llm_calls").rows)
    assert {message: found[call.span_id] for message, call in calls.items()} == told


def test_the_name_of_a_group_never_changes(store: Store, tmp_path: Path) -> None:
    """It stands in addresses that people keep."""
    put(store, tmp_path, [Call(NOW, error="RateLimitError", message="RateLimitError HTTP 429")])
    ((group,),) = store.ask("SELECT failure_group FROM llm_calls").rows
    assert group == "dc2004c84e0d"
