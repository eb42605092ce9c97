"""The OpenAPI document of the API, made of its operations."""

import re
from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter

from ..view import COLUMNS, FILTERS, NUMBERS
from .narrower import Stopped
from .operation import Operation, Parameter

_MESSAGE = {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
_REFUSALS = {
    "400": "A parameter or the body cannot be used; the message says which",
    "403": "The key that was shown may not do this",
    "404": "Nothing is stored under this name",
    "409": "Somebody else changed it meanwhile, or there is no room",
    "503": "The store could not answer, or the audit log cannot be written",
}
_TEXT = (
    "What the dashboards ask. Times in milliseconds (`us`: microseconds) since 1970, costs in US dollars, null where "
    "nothing was priced."
)
_TIMES = (
    r"^(now(-\d{1,6}[smhdw])?|\d{12,14}|\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?)$"
)
_PATH = {
    "trace": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "span": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
}
_NAME = {"type": "string", "minLength": 1}
_TIME = {"type": "string", "pattern": _TIMES, "examples": ["now-24h", "1795219200000", "2026-01-31T09:00:00Z"]}
_TEXTS = {"type": "array", "items": {"type": "string"}, "maxItems": 50}
VIEW = (
    Parameter("from", "Begin of the range: now-24h, milliseconds since 1970, or ISO 8601", _TIME),
    Parameter("to", "End of the range, exclusive; as `from`, `now` unless given", _TIME),
    Parameter("q", "Text to look for", {"type": "string", "maxLength": 500}),
    *(
        Parameter(name, f"{COLUMNS.get(name, name)} is one of these; `{name}!` is none of these", _TEXTS)
        for name in FILTERS
    ),
    *(
        Parameter(name, f"{column} {sign} this", {"type": "number", "minimum": 0})
        for name, (column, sign) in NUMBERS.items()
    ),
)


def document(operations: Iterable[Operation], version: str) -> dict[str, Any]:
    """OpenAPI 3.1. Schemas stand where they are used, named ones under components."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Spanward",
            "version": version,
            "description": _TEXT,
        },
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", operation.path)
    told: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": re.sub(r"\W+", "_", f"{operation.method.lower()}{operation.path.removeprefix('/api')}").strip(
            "_"
        ),
        "parameters": [
            *({"name": n, "in": "path", "required": True, "schema": _PATH.get(n, _NAME)} for n in names),
            *map(_parameter, (*operation.takes, *(VIEW if operation.view else ()))),
        ],
        "responses": {
            "200": {
                "description": "The answer",
                "content": {"application/json": {"schema": _schema(operation.answers, schemas, "serialization")}},
            },
            "504": {
                "description": "It took too long; `narrower` is a shorter range to ask for, where there is one",
                "content": {"application/json": {"schema": _schema(Stopped, schemas, "serialization")}},
            },
            **{
                status: {"description": text, "content": {"application/json": {"schema": _MESSAGE}}}
                for status, text in _REFUSALS.items()
            },
        },
    }
    if operation.body:
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _schema(operation.body, schemas, "validation")}},
        }
    if operation.needs:
        told["x-needs"] = operation.needs
    return told


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {"name": parameter.name, "in": "query", "description": parameter.text, "schema": dict(parameter.schema)}


def _schema(type_: Any, schemas: dict[str, Any], mode: Any) -> dict[str, Any]:
    schema = TypeAdapter(type_).json_schema(mode=mode, ref_template="#/components/schemas/{model}")
    schemas |= {name: _exact(one, mode) for name, one in schema.pop("$defs", {}).items()}
    return _exact(schema, mode)


def _exact(schema: dict[str, Any], mode: str) -> dict[str, Any]:
    """What we answer has the fields that the document names, and no others."""
    if mode == "serialization" and "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema
