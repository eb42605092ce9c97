"""The OpenAPI document of the API, made of its operations."""

import re
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core.core_schema import TypedDictSchema

from ..view import COLUMNS, FILTERS, NUMBERS, SEARCHED_IN
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
PATH_PARTS = {
    "trace": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "span": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
}
"""Of a path: what is not any text."""
_NAME = {"type": "string", "minLength": 1}
_TIME = {"type": "string", "pattern": _TIMES, "examples": ["now-24h", "1795219200000", "2026-01-31T09:00:00Z"]}
_TEXTS = {"type": "array", "items": {"type": "string"}, "maxItems": 50}
VIEW = (
    Parameter("from", "Begin of the range: now-24h, milliseconds since 1970, or ISO 8601", _TIME),
    Parameter("to", "End of the range, exclusive; as `from`, `now` unless given", _TIME),
    Parameter("q", "Text to look for", {"type": "string", "maxLength": 500}),
    Parameter("in", "Where `q` is looked for: the first words, or all of what was said", {"enum": [*SEARCHED_IN]}),
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
    all_of_them = tuple(operations)
    shapes = _Shapes(all_of_them)
    paths: dict[str, dict[str, Any]] = {}
    for operation in all_of_them:
        paths.setdefault(path(operation), {})[operation.method.lower()] = _operation(operation, shapes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Spanward",
            "version": version,
            "description": _TEXT,
        },
        "paths": paths,
        "components": {"schemas": shapes.named},
    }


def path(operation: Operation) -> str:
    """Without the converters: names that may hold a slash (`{user:path}`) are sent as %2F like any other."""
    return operation.path.replace(":path}", "}")


def _operation(operation: Operation, shapes: "_Shapes") -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", path(operation))
    told: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": re.sub(r"\W+", "_", f"{operation.method.lower()}{path(operation).removeprefix('/api')}").strip(
            "_"
        ),
        "parameters": [
            *({"name": n, "in": "path", "required": True, "schema": PATH_PARTS.get(n, _NAME)} for n in names),
            *map(_parameter, (*operation.takes, *(VIEW if operation.view else ()))),
        ],
        "responses": {
            "200": {
                "description": "The answer",
                "content": {
                    kind: {"schema": shapes.of(operation.answers, "serialization")} for kind in operation.media_types
                },
            },
            "504": {
                "description": "It took too long; `narrower` is a shorter range to ask for, where there is one",
                "content": {"application/json": {"schema": shapes.of(Stopped, "serialization")}},
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
            "content": {"application/json": {"schema": shapes.of(operation.body, "validation")}},
        }
    if operation.needs:
        told["x-needs"] = operation.needs
    return told


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {"name": parameter.name, "in": "query", "description": parameter.text, "schema": dict(parameter.schema)}


class _Exact(GenerateJsonSchema):
    """What we answer has the fields that the document names, and no others."""

    def typed_dict_schema(self, schema: TypedDictSchema) -> dict[str, Any]:
        told = super().typed_dict_schema(schema)
        return told | ({"additionalProperties": False} if self.mode == "serialization" else {})


class _Shapes:
    """Schemas of all operations together: of two types with one name each gets its module before it."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        kinds: dict[tuple[str, JsonSchemaMode], Any] = {(_key(Stopped), "serialization"): Stopped}
        for one in operations:
            kinds[_key(one.answers), "serialization"] = one.answers
            if one.body:
                kinds[_key(one.body), "validation"] = one.body
        adapters = [(key, mode, TypeAdapter(type_)) for (key, mode), type_ in sorted(kinds.items(), key=itemgetter(0))]
        self._found, named = TypeAdapter.json_schemas(
            adapters, ref_template="#/components/schemas/{model}", schema_generator=_Exact
        )
        self.named: dict[str, Any] = dict(sorted(named.get("$defs", {}).items()))

    def of(self, type_: Any, mode: JsonSchemaMode) -> dict[str, Any]:
        return self._found[_key(type_), mode]


def _key(type_: Any) -> str:
    return f"{getattr(type_, '__module__', '')}.{type_!r}"
