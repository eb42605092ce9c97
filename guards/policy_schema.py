"""JSON Schema of a policy file, for editors: with every detector that is installed, its options and its labels."""

from typing import Any

from .detectors import registry
from .detectors.detector import Detector
from .rules import Policy, When

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def schema() -> Schema:
    """The schema. Detectors that a policy makes have names and labels that only the policy knows: they pass."""
    made = Policy.model_json_schema()
    defs = made["$defs"]
    choice = defs.pop("Choice")
    choice["required"] = []
    defs["Choice"] = {"anyOf": [choice["properties"]["threshold"], choice, {"type": "null"}]}
    defs.pop("Made", None)
    defs["Rule"]["properties"]["detect"] = {
        "type": "object",
        "minProperties": 1,
        "properties": {name: _chosen(registry.detector_class(name)) for name in registry.names()},
        "additionalProperties": _labels_of_any(),
    }
    for key in When.model_fields:
        one_or_list = defs["When"]["properties"][key]
        defs["When"]["properties"][key] = {"anyOf": [one_or_list, one_or_list["items"]]}
    made["properties"]["detectors"] = _section(defs)
    return {"$schema": DIALECT, "title": "Spanward policy", **made}


def _chosen(cls: type[Detector]) -> Schema:
    """The labels of a detector as a rule names them; any, where they follow from its options."""
    if registry.options_model(cls) is not None and hasattr(cls, "labels_for"):
        return _labels_of_any(cls.noun)
    labels = sorted(cls.labels)
    each = {"$ref": "#/$defs/Choice"}
    mapping = {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(labels, each)}
    return _options_of_rule({cls.noun: {"anyOf": [mapping, {"type": "array", "items": {"enum": labels}}]}})


def _labels_of_any(*nouns: str) -> Schema:
    names = {"type": "array", "items": {"type": "string"}}
    mapping = {"type": "object", "additionalProperties": {"$ref": "#/$defs/Choice"}}
    return _options_of_rule({noun: {"anyOf": [mapping, names]} for noun in nouns or ("entities", "labels")})


def _options_of_rule(properties: Schema) -> Schema:
    return {"type": ["object", "null"], "additionalProperties": False, "properties": properties}


def _section(defs: Schema) -> Schema:
    """`detectors:`. An entry without `kind` is of the kind of its own name."""
    kinds = {name: _entry(name, defs) for name in registry.names()}
    by_kind = [
        {"if": {"properties": {"kind": {"const": name}}, "required": ["kind"]}, "then": entry}
        for name, entry in kinds.items()
    ]
    stranger = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": list(kinds)}},
        "allOf": by_kind,
    }
    installed = {
        name: {
            "if": {"type": "object", "required": ["kind"]},
            "then": stranger,
            "else": {"anyOf": [entry, {"type": "null"}]},
        }
        for name, entry in kinds.items()
    }
    return {
        "type": "object",
        "description": "Detectors with options, under the names that rules call them by.",
        "properties": installed,
        "additionalProperties": stranger,
    }


def _entry(name: str, defs: Schema) -> Schema:
    """What may be said about a detector of a kind; its nested models move into `defs` under names of their own."""
    model = registry.options_model(registry.detector_class(name))
    if model is None:
        said: Schema = {"type": "object", "properties": {}, "additionalProperties": False}
    else:
        said = model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        defs.update({f"{name}.{key}": nested for key, nested in said.pop("$defs", {}).items()})
        said = dict(said)
    said["properties"] = {"kind": {"const": name}, **said.get("properties", {})}
    return said
