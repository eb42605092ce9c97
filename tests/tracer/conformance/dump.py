"""Any library's object as plain data, so that two runs of one program can be compared."""

import dataclasses
import re
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
VOLATILE = {"created", "created_at", "date", "Date", "RetryAttempts", "x-request-id", "create_time", "createTime"}
"""What differs from one run to the next whoever looks on."""
GUARDED = {
    "id", "response_id", "item_id", "call_id", "signature", "content-length", "Content-Length", "meta", "usage",
    "usage_metadata",
    "usageMetadata", "eval_count", "prompt_eval_count", "total_duration", "eval_duration", "prompt_eval_duration",
}  # fmt: skip
"""What a provider counts or names by the text that it got, which guards changed."""


def plain(value: Any, without: set[str] = VOLATILE) -> Any:
    """Dicts, lists and scalars below the name of each object's type; keys of `without` are left out."""
    if value is None or isinstance(value, (str, bytes, bool, int, float)):
        return value
    if isinstance(value, dict):
        return _named(value, {k: plain(v, without) for k, v in value.items() if k not in without})
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, without) for item in value]
    if hasattr(value, "model_dump"):
        fields = {**{name: getattr(value, name) for name in type(value).model_fields}, **(value.model_extra or {})}
        return _named(value, {k: plain(v, without) for k, v in fields.items() if k not in without})
    if dataclasses.is_dataclass(value):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return _named(value, {k: plain(v, without) for k, v in fields.items() if k not in without})
    return type(value).__qualname__


def failed(error: BaseException) -> list[str]:
    """Its type and what it says, without ids that are made up for each request."""
    return [f"{type(error).__module__}.{type(error).__qualname__}", _UUID.sub("", str(error))]


def _named(value: Any, fields: dict[Any, Any]) -> dict[Any, Any]:
    return fields if type(value) is dict else {"": type(value).__qualname__, **fields}
