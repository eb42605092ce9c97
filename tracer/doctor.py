"""What is traced in this environment and what is not, and why: the facts that `spanward doctor` prints."""

import json
from dataclasses import dataclass
from typing import Literal

from . import health, instrument, patching, registry, settings, wrapped
from .adapter import Adapter
from .guarding import PolicyFile, Summary, fetch
from .sidecar import ADVICE, KeyRefused, Sidecar, Unreachable
from .spool import stored_bytes

State = Literal["ok", "warning", "problem", "absent"]
PATIENCE_S = 2.0
NO_ADAPTER = "no_adapter"
SEEN = (
    f"SELECT reason, sum(count) FROM reports WHERE kind = '{NO_ADAPTER}' AND ts > now() - INTERVAL 30 DAY "  # noqa: S608  ours
    "GROUP BY reason ORDER BY 2 DESC LIMIT 20"
)
WRAP = "put spanward.model_call() around it, so that it is guarded and recorded, or use a client that has an adapter"


@dataclass(frozen=True, slots=True)
class Fact:
    """`subject` is a library, 'client', 'sidecar', 'policy' or 'spool'; `detail` is how it is, `advice` what to do."""

    subject: str
    state: State
    detail: str
    advice: str = ""


def facts(chosen: settings.Settings | None = None) -> list[Fact]:
    """Everything, of this process if it is instrumented, else of an application that would run in this environment.

    Imports installed libraries of a version that we do not know, to see what fits, and asks the sidecar.
    """
    running = instrument.running()
    chosen = chosen or (running.settings if running else settings.read({}))
    sidecar = Sidecar(chosen.endpoint, chosen.key)
    try:
        return [
            *map(library, registry.ADAPTERS),
            *unknown_clients(health.totals(NO_ADAPTER) if running else _reported(sidecar)),
            *_sidecar(chosen, sidecar),
            spool(chosen),
        ]
    finally:
        sidecar.close()


def library(name: str) -> Fact:
    """Whether the calls of this library are traced, or would be."""
    try:
        adapter = registry.load(name)
    except Exception as error:  # noqa: BLE001  one broken adapter does not hide the others
        return Fact(name, "problem", f"its adapter cannot be loaded: {type(error).__name__}: {error}", "report this")
    version = patching.version_of(adapter.distribution)
    if not version:
        return Fact(name, "absent", "not installed")
    running = instrument.running()
    known = running.patches.libraries.get(name) if running else None
    if known is None and patching.tested(adapter, version):  # importing them all would take many seconds
        return Fact(name, "ok", f"{adapter.distribution} {version}: traced once it is imported")
    patched, skipped = (known.patched, known.skipped) if known else _would_be(adapter)
    says = f"{adapter.distribution} {version}: {len(patched)} methods {'traced' if known else 'can be traced'}"
    if skipped:
        says += f", {len(skipped)} not: " + "; ".join(_in_short(skipped))
    if also := _also_patched(adapter, patched):
        says += f"; also patched by {', '.join(also)}"
    if not patched and not (known and adapter.listen and not skipped):
        return Fact(name, "problem", says, f"install a version from {adapter.oldest} to below {adapter.below}")
    if not patching.tested(adapter, version):
        return Fact(name, "warning", says, f"tested with {adapter.oldest} to below {adapter.below}; report what fails")
    return Fact(name, "ok", says)


def _also_patched(adapter: Adapter, patched: list[str]) -> list[str]:
    """Modules of other instrumentations around the methods that we trace."""
    found: dict[str, None] = {}
    for endpoint in patching.wraps(adapter):
        for method, _ in patching.methods(endpoint):
            there = patching.find(endpoint.module, method) if f"{endpoint.module}.{method}" in patched else None
            if there:
                found.update(dict.fromkeys(wrapped.others(there[2], endpoint.module.partition(".")[0])))
    return list(found)


def unknown_clients(seen: dict[str, int]) -> list[Fact]:
    """Clients that call models and have no adapter, by `CLIENT to HOST`, the busiest first."""
    return [
        Fact("client", "warning", f"seen, no adapter: {who}, {number} {'call' if number == 1 else 'calls'}", WRAP)
        for who, number in sorted(seen.items(), key=lambda found: -found[1])
    ]


def _reported(sidecar: Sidecar) -> dict[str, int]:
    """The same of all applications, as the sidecar has it; nothing where it cannot be asked."""
    body = json.dumps({"sql": SEEN}).encode()
    try:
        status, told = sidecar.request("POST", "/api/query", body, "application/json", PATIENCE_S)
        return {str(who): int(number) for who, number in json.loads(told)["rows"]} if status == 200 else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def spool(chosen: settings.Settings) -> Fact:
    """How much waits to be sent."""
    if not chosen.spool.is_dir():
        return Fact("spool", "ok", f"{chosen.spool}: nothing was written yet")
    size, refused = stored_bytes(chosen.spool), len(list(chosen.spool.glob("*.bad")))
    says = f"{chosen.spool}: {size} of {chosen.spool_bytes} bytes wait"
    if refused:
        return Fact(
            "spool", "problem", f"{says}, {refused} segments were refused", "see the sidecar's log; remove *.bad"
        )
    if size > chosen.spool_bytes * 0.8:
        return Fact("spool", "warning", says, "is the sidecar running? What does not fit is dropped")
    return Fact("spool", "ok", says)


def _sidecar(chosen: settings.Settings, sidecar: Sidecar) -> list[Fact]:
    try:
        status, _ = sidecar.request("GET", "/healthz", timeout_s=PATIENCE_S)
    except KeyRefused as error:
        return [Fact("sidecar", "problem", str(error), ADVICE), _policy(chosen, sidecar)]
    except Unreachable as error:
        advice = "start it with `spanward serve`, or say where it is: SPANWARD_ENDPOINT"
        return [Fact("sidecar", "problem", f"nobody answers ({error})", advice), _policy(chosen, sidecar)]
    if status != 200:
        says = f"{chosen.endpoint} says HTTP {status}"
        return [Fact("sidecar", "warning", says, f"see {chosen.endpoint}/healthz"), _policy(chosen, sidecar)]
    return [Fact("sidecar", "ok", f"{chosen.endpoint} answers"), _policy(chosen, sidecar)]


def _policy(chosen: settings.Settings, sidecar: Sidecar) -> Fact:
    if chosen.guards != "sidecar":
        state: State = "warning" if chosen.guards == "off" else "ok"
        return Fact("policy", state, f"guards={chosen.guards}")
    try:
        return Fact("policy", "ok", _said(fetch(sidecar, PATIENCE_S)[0]))
    except (OSError, ValueError):
        known = PolicyFile(chosen, sidecar).summary()
    if known is None:
        advice = "until a sidecar was reached once, calls run unguarded and no content is captured"
        return Fact("policy", "warning", "never fetched from the sidecar", advice)
    return Fact("policy", "ok", f"{_said(known)}, as fetched last")


def _said(policy: Summary) -> str:
    return f"{policy.name} {policy.hash}, on_error: {policy.on_error}"


def _in_short(skipped: dict[str, str]) -> list[str]:
    """Reasons with the places that they hold for; of many places the first."""
    places: dict[str, list[str]] = {}
    for place, why in sorted(skipped.items()):
        places.setdefault(why, []).append(place)
    return [
        f"{found[0]} and {len(found) - 1} more: {why}" if len(found) > 3 else f"{', '.join(found)}: {why}"
        for why, found in places.items()
    ]


def _would_be(adapter: Adapter) -> tuple[list[str], dict[str, str]]:
    """Methods that would be patched, and those that would not."""
    from importlib import import_module

    found: list[str] = []
    missing: dict[str, str] = {}
    for endpoint in patching.wraps(adapter):
        for method, _ in patching.methods(endpoint):
            place = f"{endpoint.module}.{method}"
            try:
                import_module(endpoint.module)
            except ImportError as error:
                missing[place] = f"this version has no such module ({type(error).__name__})"
                continue
            if patching.find(endpoint.module, method) is None:
                missing[place] = patching.NO_METHOD
            else:
                found.append(place)
    if adapter.listen:
        found.append(adapter.listens_to or adapter.library)
    return found, missing
