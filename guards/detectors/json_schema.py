"""Texts that have to be JSON of a certain shape: `kind: json_schema`."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import local
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, field_validator

from .bounded_regex import Clock, UnsafePattern, compile_bounded
from .detector import Hit
from .options import Options, TimeLimit, thresholds


class JsonSchemaOptions(Options):
    """`schema` is JSON Schema, of the draft that its `$schema` names or 2020-12; it may refer to itself only."""

    model_config = ConfigDict(populate_by_name=True)

    wanted: Annotated[dict[str, Any], Field(alias="schema", min_length=1)]  # pydantic has a `schema` of its own
    timeout_ms: TimeLimit = 1000

    @field_validator("wanted")
    @classmethod
    def _is_a_schema(cls, schema: dict[str, Any]) -> dict[str, Any]:
        from jsonschema.exceptions import SchemaError

        try:
            _validator_class(schema).check_schema(schema)
        except SchemaError as error:
            raise ValueError(f"not a JSON Schema: at {error.json_path}: {error.validator}") from None
        for problem in _problems(schema):
            raise ValueError(problem)
        return schema


class JsonSchema:
    """Finds a whole text, which has to be there to its end: a stream needs `mode: buffer`."""

    name: ClassVar[str] = "json_schema"
    noun: ClassVar[str] = "labels"
    labels: ClassVar[Mapping[str, float]] = thresholds(["not_json", "schema_violation"])
    reads: ClassVar[str] = "source"
    whole_text: ClassVar[bool] = True
    Options: ClassVar[type[JsonSchemaOptions]] = JsonSchemaOptions

    def __init__(self, options: JsonSchemaOptions) -> None:
        self._schema = options.wanted
        self._limit = options.timeout_ms
        self._asking = local()  # a check's own clock, where the patterns find it
        draft = _validator_class(options.wanted)
        self._class = _on_a_clock(draft, self._within)
        self.engine = f"jsonschema {draft.__name__}"
        self.degraded = ""

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """At most one finding for a text: the first thing wrong, by its place in the schema. Raises `TimeoutError`."""
        self._asking.clock = Clock(self._limit)
        found = [self._wrong(text) for text in texts]
        return [
            [Hit(wrong[0], 0, len(text), 1.0, wrong[1])] if wrong and wrong[0] in labels else []
            for text, wrong in zip(texts, found, strict=True)
        ]

    def _within(self, search: Callable[[float], bool]) -> bool:
        clock: Clock = self._asking.clock
        return clock.within(search)

    def _wrong(self, text: str) -> tuple[str, str] | None:
        from referencing import Registry

        try:
            value = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return "not_json", "not JSON"
        # an empty registry: a reference outwards is refused at load, and would be no request here either
        validator = self._class(self._schema, registry=Registry())
        try:
            error = next(validator.iter_errors(value), None)
        except RecursionError:
            return "schema_violation", "nested too deeply"
        return ("schema_violation", f"does not fit {_path(error)}") if error else None


def _refuse(_: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


def _path(error: Any) -> str:
    """Where in the schema: the policy's words, never the text's."""
    return "/".join(("#", *(str(step) for step in error.absolute_schema_path)))


def _validator_class(schema: Any) -> Any:
    from jsonschema.validators import Draft202012Validator, validator_for

    return validator_for(schema, default=Draft202012Validator)


def _on_a_clock(cls: Any, within: Callable[[Callable[[float], bool]], bool]) -> Any:
    """The same validator with patterns that stop in time."""
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend

    def matches(pattern: str, text: str) -> bool:
        compiled = compile_bounded(pattern, empty=True)
        return within(lambda seconds: compiled.search(text, timeout=seconds, concurrent=True) is not None)

    def pattern(_validator: Any, wanted: str, value: Any, _schema: Any) -> Iterator[Any]:
        if isinstance(value, str) and not matches(wanted, value):
            yield ValidationError("does not match")

    def pattern_properties(validator: Any, wanted: Mapping[str, Any], value: Any, _schema: Any) -> Iterator[Any]:
        for regex, below in wanted.items() if isinstance(value, dict) else ():
            for key, said in value.items():
                if matches(regex, key):
                    yield from validator.descend(said, below, path=key, schema_path=regex)

    return extend(cls, {"pattern": pattern, "patternProperties": pattern_properties})


def _problems(schema: Any) -> Iterator[str]:
    """What a valid schema may still not have: references outwards, and patterns that run wild."""
    if isinstance(schema, list):
        for item in schema:
            yield from _problems(item)
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key in {"$ref", "$dynamicRef"} and isinstance(value, str) and not value.startswith("#"):
            yield f"{key} leads out of the schema; write what it refers to under `$defs`"
        patterns = [value] if key == "pattern" and isinstance(value, str) else []
        patterns += list(value) if key == "patternProperties" and isinstance(value, dict) else []
        for pattern in patterns:
            try:
                compile_bounded(pattern, empty=True)
            except UnsafePattern as error:
                yield f"a `{key}` cannot be used: {error}"
        yield from _problems(value)
