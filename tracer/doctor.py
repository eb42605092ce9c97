"""What is traced in this environment and what is not, and why: the facts that `spanward doctor` prints."""

from dataclasses import dataclass
from typing import Literal

from . import instrument, patching, registry, settings
from .adapter import Adapter
from .guarding import PolicyFile, Summary, fetch
from .sidecar import ADVICE, KeyRefused, Sidecar, Unreachable
from .spool import stored_bytes

State = Literal["ok", "warning", "problem", "absent"]
PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Fact:
    """`subject` is a library, 'sidecar', 'policy' or 'spool'; `detail` says how it is, `advice` what to do about it."""

    subject: str
    state: State
    detail: str
    advice: str = ""


def facts(chosen: settings.Settings | None = None) -> list[Fact]:
    """Everything, of this process if it is instrumented, else of an application that would run in this environment.

    Imports the libraries that are installed, and asks the sidecar.
    """
    running = instrument.running()
    chosen = chosen or (running.settings if running else settings.read({}))
    sidecar = Sidecar(chosen.endpoint, chosen.key)
    try:
        return [*map(library, registry.ADAPTERS), *_sidecar(chosen, sidecar), spool(chosen)]
    finally:
        sidecar.close()


def library(name: str) -> Fact:
    """Whether the calls of this library are traced, or would be."""
    adapter = registry.load(name)
    version = patching.version_of(adapter.distribution)
    if not version:
        return Fact(name, "absent", "not installed")
    running = instrument.running()
    known = running.patches.libraries.get(name) if running else None
    patched, skipped = (known.patched, known.skipped) if known else _would_be(adapter)
    says = f"{adapter.distribution} {version}: {len(patched)} methods {'traced' if known else 'can be traced'}"
    if skipped:
        says += f", {len(skipped)} not: " + "; ".join(f"{place}: {why}" for place, why in sorted(skipped.items()))
    if not patched:
        return Fact(name, "problem", says, f"install a version from {adapter.oldest} to below {adapter.below}")
    if not patching.tested(adapter, version):
        return Fact(name, "warning", says, f"tested with {adapter.oldest} to below {adapter.below}; report what fails")
    return Fact(name, "ok", says)


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


def _would_be(adapter: Adapter) -> tuple[list[str], dict[str, str]]:
    """Methods that would be patched, and those that would not."""
    from importlib import import_module

    found: list[str] = []
    missing: dict[str, str] = {}
    for endpoint in adapter.endpoints:
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
    return found, missing
