"""JSON Schema of a policy file, for editors: with every detector that is installed, its options and its labels."""

from typing import Any

from .detectors import registry
from .detectors.detector import Detector
from .rules import Choice, Policy

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def schema() -> Schema:
    """The schema. Of detectors that a policy makes, only the policy knows the labels: any name passes for one."""
    made = Policy.model_json_schema()
    defs = made["$defs"]
    made["properties"]["detectors"] = _section(defs)
    defs.pop("Made", None)
    defs["Choice"] = _choice()
    defs["Labels"] = _labels_of_any()
    defs["Rule"]["properties"]["detect"] = {
        "type": "object",
        "minProperties": 1,
        "properties": {name: _chosen(registry.detector_class(name)) for name in registry.names()},
        "additionalProperties": {"$ref": "#/$defs/Labels"},
    }
    return {"$schema": DIALECT, "title": "Spanward policy", **made}


def _choice() -> Schema:
    """A threshold, `{threshold, action}` of which either may be missing, or nothing for the usual."""
    form = Choice.model_json_schema()
    return {"anyOf": [form["properties"]["threshold"], {**form, "required": []}, {"type": "null"}]}


def _chosen(cls: type[Detector]) -> Schema:
    """The labels of a detector as a rule names them; others too, where they follow from its options."""
    follow = registry.options_model(cls) is not None and hasattr(cls, "labels_for")
    each: Schema = {"$ref": "#/$defs/Choice"}
    labels = sorted(cls.labels)
    mapping = {
        "type": "object",
        "properties": dict.fromkeys(labels, each),
        "additionalProperties": each if follow else False,
    }
    name: Schema = {"anyOf": [{"enum": labels}, {"type": "string"}]} if follow else {"enum": labels}
    return _options_of_rule({cls.noun: {"anyOf": [mapping, {"type": "array", "items": name}]}})


def _labels_of_any() -> Schema:
    """Of a detector that the policy makes: which labels it has, and what they are called, only the policy knows."""
    mapping = {"type": "object", "additionalProperties": {"$ref": "#/$defs/Choice"}}
    said: Schema = {"anyOf": [mapping, {"type": "array", "items": {"type": "string"}}]}
    return _options_of_rule({"entities": said, "labels": said})


def _options_of_rule(properties: Schema) -> Schema:
    return {"type": ["object", "null"], "additionalProperties": False, "properties": properties}


def _section(defs: Schema) -> Schema:
    """`detectors:`. An entry without `kind` is of the kind of its own name."""
    names = registry.names()
    defs.update({f"detector.{name}": _entry(name, defs) for name in names})
    defs["Detector"] = {
        "type": "object",
        "description": "What a detector is made of.",
        "required": ["kind"],
        "properties": {"kind": {"enum": list(names)}},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/detector.{name}"},
            }
            for name in names
        ],
    }
    return {
        "type": "object",
        "description": "Detectors with options, under the names that rules call them by.",
        "properties": {name: _installed(name) for name in names},
        "additionalProperties": {"$ref": "#/$defs/Detector"},
    }


def _installed(name: str) -> Schema:
    """An entry under the name of an installed detector, which need not say its kind."""
    entry: Schema = {"$ref": f"#/$defs/detector.{name}"}
    return {
        "if": {"type": "object", "required": ["kind"]},
        "then": {"$ref": "#/$defs/Detector"},
        "else": entry if _must_be_told(name) else {"anyOf": [entry, {"type": "null"}]},
    }


def _must_be_told(name: str) -> bool:
    model = registry.options_model(registry.detector_class(name))
    return model is not None and any(field.is_required() for field in model.model_fields.values())


def _entry(name: str, defs: Schema) -> Schema:
    """What may be said about a detector of a kind; its nested models move into `defs` under names of their own."""
    model = registry.options_model(registry.detector_class(name))
    if model is None:
        return {"type": "object", "properties": {"kind": {"const": name}}, "additionalProperties": False}
    said = model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    defs.update({f"{name}.{key}": nested for key, nested in said.pop("$defs", {}).items()})
    return {**said, "properties": {"kind": {"const": name}, **said.get("properties", {})}}
