"""What may stand where in a policy file, for an editor that helps: the JSON Schema as a short list of words."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from ...guards.policy import schema

HELP: Mapping[str, str] = {
    "version": "Always 1",
    "name": "What the policy, the rule or the detector is called",
    "extends": "A shipped policy or a file whose rules hold too; a rule of the same name takes its place",
    "defaults": "What holds for rules that do not say",
    "rules": "Detectors, what they look for, and what is done",
    "when": "What the rule applies to; what is not said matches everything",
    "stage": "Where in a call: input, output, tool_call, tool_result, retrieval",
    "app": "Name of the application; * and ? stand for anything",
    "environment": "Such as prod or staging; * and ? stand for anything",
    "provider": "Such as openai; * and ? stand for anything",
    "model": "The requested model; * and ? stand for anything",
    "prompt": "Name of the prompt; * and ? stand for anything",
    "user_group": "Group of the user; * and ? stand for anything",
    "tags": "A tag of the call; * and ? stand for anything",
    "detect": "Which detectors look, and for what",
    "entities": "What to look for, each with the score from which it counts",
    "labels": "What to look for, each with the score from which it counts",
    "action": "What is done about a finding",
    "restore": "Put pseudonyms back into the answer",
    "reply": "What the application gets instead of an answer",
    "mode": "enforce, or shadow: only note what would have been done",
    "on_error": "What happens to the call when a guard fails",
    "on_timeout": "What happens to the call when a guard takes too long",
    "timeout_ms": "For all detectors of one check together",
    "latency_budget_ms": "A detector that would take longer is not started",
    "stream": "How a streamed answer waits for the rule",
    "window": "Characters held back at most",
    "detectors": "Detectors with options of their own",
    "kind": "The installed detector that this one is made of",
    "threshold": "From which score on it counts, 0 to 1",
    "allow": "nothing is done",
    "flag": "noted, nothing waits",
    "redact": "taken out, a label stays",
    "pseudonymise": "replaced by a placeholder that can be put back",
    "block": "the call does not happen",
    "enforce": "acts",
    "shadow": "only notes what it would have done",
}
VALUE = "="
"""Where words stand that are values only."""
_DEEP = 8
_CHOICE = {"$ref": "#/$defs/Choice"}
"""A label: what may be said of it is the same for all, and listed where a label has any name."""


@cache
def words() -> list[dict[str, Any]]:
    """`{at, word, text, values}`: `at` is the path of keys, `-` for an item of a list, `*` for a name of one's own."""
    whole = schema()
    found = {(word["at"], word["word"]): word for word in _walk(whole, whole, ())}
    told = {word["word"] for word in found.values()}
    values = (
        {"at": VALUE, "word": each, "text": text, "values": []} for each, text in HELP.items() if each not in told
    )
    return [*found.values(), *values]


def _walk(whole: Mapping[str, Any], node: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if len(at) > _DEEP:
        return
    named = at[:1] == ("detectors",) and at[1:] != ("*",)
    if named and isinstance(node.get("else"), dict):
        node = node["else"]  # an installed detector under its own name; under another all kinds are possible
    for form in _forms(whole, node):
        for key, inner in form.get("properties", {}).items():
            values = sorted({str(value) for each in _forms(whole, inner) for value in _values(whole, each)})
            text = HELP.get(key) or str(inner.get("description", "")).partition("\n")[0]
            yield {"at": "/".join(at), "word": key, "text": text, "values": values}
            if inner != _CHOICE:
                yield from _walk(whole, inner, (*at, key))
        if isinstance(more := form.get("additionalProperties"), dict):
            yield from _walk(whole, more, (*at, "*"))
        if isinstance(items := form.get("items"), dict):
            yield from _walk(whole, items, (*at, "-"))


def _values(whole: Mapping[str, Any], form: Mapping[str, Any]) -> Iterator[Any]:
    yield from form.get("enum", ())
    if "const" in form:
        yield form["const"]
    if form.get("type") == "boolean":
        yield from ("true", "false")
    if isinstance(items := form.get("items"), dict):
        for each in _forms(whole, items):
            yield from each.get("enum", ())


def _forms(whole: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The node itself and all that it may be instead, references followed."""
    if "$ref" in node:
        yield from _forms(whole, whole["$defs"][node["$ref"].rpartition("/")[2]])
        return
    yield node
    for key in ("anyOf", "oneOf", "allOf"):
        for each in node.get(key, ()):
            yield from _forms(whole, each)
    for key in ("then", "else"):
        if isinstance(node.get(key), dict):
            yield from _forms(whole, node[key])
