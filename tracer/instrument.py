"""`instrument()` and `uninstrument()`: what runs in the application's process, put together and taken down."""

import atexit
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from opentelemetry.trace import TracerProvider

from ..guards.judgement import Context
from . import guarding, health, patching, settings, spans, threads
from .engine import Engine
from .shipper import Shipper
from .sidecar import ADVICE, KeyRefused, Sidecar, Unreachable
from .spool import Spool

FLUSH_S = 2.0
"""How long the end of the process may wait for the last spans to be sent. What is not sent stays in the spool."""


@dataclass(slots=True)
class Running:
    """What one `instrument()` started."""

    settings: settings.Settings
    engine: Engine
    patches: patching.Patches
    spool: Spool
    shipper: Shipper
    sidecar: Sidecar
    policy: guarding.PolicyFile | None

    def stop(self, deadline_s: float) -> None:
        """Every step is tried, whatever becomes of the others: the application goes on, or ends."""
        self.engine.active = False
        health.fenced("stop", patching.revert, self.patches)
        health.fenced("stop", self.engine.end_streams)
        health.fenced("stop", self.engine.operations.end_all)
        self.flush_reports()
        health.fenced("stop", self.shipper.stop, deadline_s)
        self.engine.writer.active = False
        health.fenced("stop", self.spool.close)
        health.fenced("stop", self.sidecar.close)
        threads.renew().end()

    def end(self, deadline_s: float) -> None:
        """The process ends: all that is known is sent, or left in the spool. Calls of those who still run are traced
        on, and left there: other functions that run at the end, and threads that nobody waits for.
        """
        health.fenced("exit", self.engine.end_streams)
        self.flush_reports()
        health.fenced("exit", self.shipper.stop, deadline_s)
        health.fenced("exit", self.spool.close)

    def flush_reports(self) -> None:
        health.fenced("report", spans.report, self.engine.tracer, self.engine.writer)

    def after_fork(self) -> None:
        """In the child: own spool file, own thread, own connections; calls in progress are the parent's."""
        self.engine.process = object()
        self.engine.operations.after_fork()
        self.spool.after_fork()
        self.sidecar.after_fork()
        if self.policy:
            self.policy.after_fork()
        self.shipper.after_fork()
        if self.engine.judge and isinstance(self.engine.judge.guard, guarding.LocalGuard):
            self.engine.judge.guard.after_fork()


_running: Running | None = None
_turn = threading.Lock()


def instrument(
    *,
    endpoint: str | None = None,
    guards: Literal["sidecar", "local", "off"] | None = None,
    policy: str | os.PathLike[str] | None = None,
    content: Literal["guarded", "none"] | None = None,
    service_name: str | None = None,
    environment: str | None = None,
    tracer_provider: TracerProvider | None = None,
    require_guards: bool | None = None,
    spool: str | os.PathLike[str] | None = None,
    spool_bytes: int | None = None,
    key: str | None = None,
    usage_hosts: Sequence[str] | None = None,
    model_hosts: Sequence[str] | None = None,
    content_bytes: int | None = None,
) -> None:
    """Trace and guard every call that this process makes to a model, from now on. Calling it again changes nothing.

    Each argument comes before its environment variable (`SPANWARD_ENDPOINT`, `SPANWARD_GUARDS`, `SPANWARD_POLICY`,
    `SPANWARD_CONTENT`, `SPANWARD_SPOOL`, and `SPANWARD_INGEST_KEY` for `key`, which the sidecar may ask for); `OTEL_*`
    is honoured. `guards` judges in the sidecar, in this process ('local', by `policy`: a file or a shipped name), or
    not at all. Spans go to a provider of our own, or to `tracer_provider`, and wait in `spool` (at most `spool_bytes`)
    until the sidecar has them.

    A streamed chat of OpenAI tells its token counts only when asked: we ask OpenAI and Azure, and no other server but
    those of `usage_hosts` (`SPANWARD_USAGE_HOSTS`: names or `NAME:PORT` with `*`, between commas), since some refuse
    the question. The application does not see the answer unless it asked, too.

    Calls by clients that no adapter knows are told by where they go: to providers that we know, and to `model_hosts`
    (`SPANWARD_MODEL_HOSTS`: an own gateway, as `NAME` or `NAME:PORT` with `*`, and `=PROVIDER` behind if it is one's).
    Nothing that they say is guarded or recorded.

    Of one part of a message at most `content_bytes` (`SPANWARD_CONTENT_BYTES`, default 256 KiB) are recorded, and four
    times that of a call; the guards judge all of it, and the provider gets all of it.

    Raises ValueError for an argument that makes no sense, `guards.policy.PolicyError` for a wrong policy, and with
    `require_guards` NoGuards if nobody can judge: the sidecar does not answer and no policy was ever fetched.
    """
    given = {
        "endpoint": endpoint,
        "guards": guards,
        "policy": policy,
        "content": content,
        "service_name": service_name,
        "environment": environment,
        "require_guards": require_guards,
        "spool": Path(spool) if spool is not None else None,
        "spool_bytes": spool_bytes,
        "key": key,
        "usage_hosts": usage_hosts,
        "model_hosts": model_hosts,
        "content_bytes": content_bytes,
    }
    global _running  # noqa: PLW0603  one per process
    with _turn:
        if _running is None:
            _running = _start(settings.read(given), tracer_provider)


def uninstrument() -> None:
    """Undo `instrument()`: the libraries' methods are the very same functions as before. Sends what is left."""
    global _running
    with _turn:
        running, _running = _running, None
        if running is not None:
            running.stop(FLUSH_S)


def running() -> Running | None:
    """What runs now, for `spanward doctor` and tests."""
    return _running


def _start(chosen: settings.Settings, tracer_provider: TracerProvider | None) -> Running:
    sidecar = Sidecar(chosen.endpoint, chosen.key)
    policy = guarding.PolicyFile(chosen, sidecar) if chosen.guards == "sidecar" else None
    try:
        judge = _judge(chosen, sidecar, policy)
    except BaseException:
        sidecar.close()
        raise
    spool = Spool(chosen.spool, chosen.spool_bytes)
    writer = spans.ToSpool(spool)
    provider = spans.joined(tracer_provider, writer) if tracer_provider else spans.own_provider(chosen, writer)
    tracer = provider.get_tracer(spans.SCOPE)
    engine = Engine(chosen, provider, tracer, writer, judge, _context(provider))
    chores: list[Any] = [lambda: spans.report(tracer, writer)]
    if policy:
        chores.append(lambda: _refresh(policy))
    shipper = Shipper(spool, sidecar.post, tuple(chores))
    spool.on_append = shipper.wake
    started = Running(chosen, engine, patching.apply(engine), spool, shipper, sidecar, policy)
    shipper.wake()
    _at_exit_and_fork()
    return started


def _judge(chosen: settings.Settings, sidecar: Sidecar, policy: guarding.PolicyFile | None) -> guarding.Judge | None:
    if chosen.guards == "local":
        local = guarding.LocalGuard(chosen.policy)
        return guarding.Judge(local, local.summary, require=chosen.require_guards)
    if policy is None:
        if chosen.require_guards:
            raise ValueError("instrument(guards='off', require_guards=True): say which guards")
        return None
    if chosen.require_guards:
        _require(chosen, policy)
    warn = guarding.warn_once(sidecar, chosen.spool)
    return guarding.Judge(
        guarding.SidecarGuard(sidecar, policy), policy.summary, require=chosen.require_guards, unguarded=warn
    )


def _require(chosen: settings.Settings, policy: guarding.PolicyFile) -> None:
    try:
        policy.refresh()
    except (OSError, ValueError) as error:
        if policy.summary() is None:
            if isinstance(error, KeyRefused):
                raise guarding.NoGuards(f"the sidecar at {error}: {ADVICE}") from error
            raise guarding.NoGuards(
                f"no sidecar answers at {chosen.endpoint} and no policy was ever fetched from it: start it with "
                "`spanward serve`, or say where it is with instrument(endpoint=…) or SPANWARD_ENDPOINT"
            ) from error


def _refresh(policy: guarding.PolicyFile) -> None:
    try:
        policy.refresh()
    except Unreachable:
        return  # asked again with the next round


def _context(provider: TracerProvider) -> Context:
    said = getattr(provider, "resource", None)
    attributes = said.attributes if said is not None else {}
    environment = attributes.get(spans.ENVIRONMENT) or attributes.get("deployment.environment") or ""
    app, tenant = (str(attributes.get(name, "")) for name in ("service.name", "spanward.tenant"))
    return Context(app=app, environment=str(environment), tenant=tenant)


_prepared = False


def _at_exit_and_fork() -> None:
    global _prepared  # noqa: PLW0603  neither can be taken back
    if not _prepared:
        _prepared = True
        atexit.register(_at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_after_fork)


def _at_exit() -> None:
    if _running is not None:
        _running.end(FLUSH_S)


def _after_fork() -> None:
    global _turn  # noqa: PLW0603  another thread may have held it when the process forked
    _turn = threading.Lock()
    health.after_fork()
    threads.renew()
    if _running is not None:
        health.fenced("fork", _running.after_fork)
