"""`spanward serve`: the one process that owns a data directory, and everything it runs."""

import argparse
import logging
import os
import sys
import tempfile
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from ..dashboards.ask import QueryFailed
from ..guards import policy as policies
from ..guards.detectors import models
from ..guards.pipeline import DetectorUnavailable
from ..guards.policy import PolicyError
from .adoption import Adopting, Adoption
from .alarms import Alarms
from .app import Parts, application, health_of, means_of
from .audit.log import NAME as AUDIT_LOG
from .audit.log import Audit
from .audit.rows import AuditRows
from .authorize import Authorizer
from .bodies import KnownBodies
from .command import FAILED, CommandError
from .data_directory import DataDirectory
from .desk.desk import Desk
from .desk.dry_run import DryRuns
from .desk.places import FOLDER as POLICIES
from .desk.places import Places
from .desk.versions import NAME as VERSIONS
from .desk.versions import Versions, keeping
from .documents import NAME as DOCUMENTS
from .documents import DocumentFile
from .gate import is_loopback, place_of
from .guardroom import Guardroom
from .ingest import Ingestor
from .listening import address_of, listen, listen_until_told, web_server
from .metrics import Metrics
from .policy.known import NAME as POLICY_HASH
from .policy.known import KnownPolicy
from .pricing import Pricing
from .receiver import Receiver
from .repricing import Repricing
from .retention import retention_of
from .settings import KEY_VARIABLE, Settings, settings_from
from .settings_operations import Configured
from .store import Store
from .traits.sampler import Traits
from .vault import key as vault_key
from .vault.disk_vault import NAME as VAULT
from .vault.disk_vault import DiskVault
from .wal import WriteAheadLog

log = logging.getLogger(__name__)
DRAIN_SECONDS = 20.0
"""How long the store may take for what is in the log; what is left is ingested at the next start."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="DIR", help="data directory (default ~/.local/share/spanward)")
    parser.add_argument(
        "--store", metavar="URL", help="chdb:///DIR (default: in DIR) or clickhouse://user@host:8123/db"
    )
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default 4318; 0 takes a free one)")
    parser.add_argument("--policy", metavar="FILE|NAME", help="policy file, or a shipped policy (default: default)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML file with the same names as these options")
    parser.add_argument("--spool", metavar="DIR", help="where applications keep their spools")
    parser.add_argument("--prices", metavar="FILE", help="private prices")


def run(arguments: argparse.Namespace) -> int:
    names = ("data", "store", "host", "port", "policy", "spool", "prices")
    log_to_stderr()
    file = arguments.config.absolute() if arguments.config else None
    settings = settings_from(arguments.config, {name: getattr(arguments, name) for name in names})
    try:
        with ExitStack() as running:
            serve(settings, running, file)
    except (PolicyError, DetectorUnavailable) as problem:
        raise CommandError(str(problem)) from None
    except (QueryFailed, OSError) as problem:
        raise CommandError(str(problem), FAILED) from None
    return 0


class PlacesOnly(logging.Formatter):
    """A traceback ends with what the failure says, which may quote content: its place is enough."""

    def formatException(self, ei: Any) -> str:  # noqa: N802  logging's name
        return place_of(ei[1])


def log_to_stderr() -> None:
    """Our own words from INFO on; of libraries only what went wrong, and nothing of one that tells its whole setup."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlacesOnly("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger(__package__.partition(".")[0]).setLevel(logging.INFO)
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)


def serve(settings: Settings, running: ExitStack, file: Path | None = None) -> None:
    """Run until SIGTERM or SIGINT. What was put on `running` is undone in reverse: listen, log, store, directory."""
    key = key_for(settings.host)
    authorizer = Authorizer(is_loopback(settings.host), settings.keys)
    metrics = Metrics()
    policies.load(settings.policy)  # a wrong one leaves no directory behind
    data = own(settings, running)
    audit = running.enter_context(closing(Audit(data.path / AUDIT_LOG)))
    vault = running.enter_context(closing(open_vault(settings, data, metrics)))
    os.environ[models.FOLDER] = str(models.models_folder(settings.data))  # where the detectors look for theirs
    room = Guardroom(settings.policy, metrics, vault)
    running.callback(room.stop)
    versions = start_guards(room, settings.policy, data, audit)
    listening = running.enter_context(listen(settings.host, settings.port))
    store = running.enter_context(closing(open_store(settings, data)))
    documents = running.enter_context(closing(DocumentFile(data.path / DOCUMENTS)))
    store.migrate(retention_of(documents))
    log_ = WriteAheadLog(data.log, limit_bytes=settings.log_bytes)
    ingestor = Ingestor(store, log_, room.review)
    prices = pricing(settings.prices)
    receiver = Receiver(log_, KnownBodies(data.log), prices)
    running.callback(finish, log_, ingestor)
    metrics.follow(ingestor)
    desk = Desk(room, Places(settings.policy, data.path / POLICIES), versions, DryRuns(store.ask_for_people))
    address = address_of(listening)
    parts = Parts(
        receiver=receiver,
        room=room,
        store=store,
        log=log_,
        pulse=ingestor,
        metrics=metrics,
        audit=audit,
        audit_rows=started(AuditRows(audit, store), running),
        authorizer=authorizer,
        vault=vault,
        documents=documents,
        configured=configured_by(settings, file, data, address),
        desk=running.enter_context(closing(desk)),
        pricing=prices,
        repricing=started(Repricing(store, prices, documents), running),
        traits=started(Traits(store, data.path / "traits", documents), running),
    )
    ingestor.start()
    started(Adopting(Adoption(settings.spool_directory, receiver), metrics), running)
    app = application(parts, loopback=is_loopback(settings.host), key=key, body_bytes=settings.body_bytes)
    metrics.registry.register(started(Alarms(means_of(parts, health_of(parts)), lambda: address), running))
    ready = partial(announce, data, address, room)
    listen_until_told(web_server(app), listening, ready, parts.tails.close)


def announce(data: DataDirectory, address: str, room: Guardroom) -> None:
    data.announce(address)
    sys.stdout.write(f"Spanward is at {address}/ (data in {data.path}, policy {room.status.name})\n")
    sys.stdout.flush()


class Background(Protocol):
    """Works in a thread of its own between the two."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


Worker = TypeVar("Worker", bound=Background)


def started(worker: Worker, running: ExitStack) -> Worker:
    running.callback(worker.stop)
    worker.start()
    return worker


def configured_by(settings: Settings, file: Path | None, data: DataDirectory, address: str) -> Configured:
    """For the page: no password of a store's URL is in it."""
    url = urlsplit(settings.store_url)
    return Configured(
        file=str(file or ""),
        data=data.path,
        store=f"{url.scheme}://{url.hostname or ''}{f':{url.port}' if url.port else ''}{url.path}",
        listens=address,
        policy=settings.policy,
        prices=str(settings.prices or ""),
        keys=settings.keys,
    )


def key_for(host: str) -> str:
    """The key that every request must show; empty while only this machine can ask. Raises `CommandError`."""
    key = os.environ.get(KEY_VARIABLE, "")
    if not key and not is_loopback(host):
        raise CommandError(
            f"{host or 'every address'} can be reached from other machines, so requests must show a key: "
            f"set {KEY_VARIABLE} to a long random text (the page asks for it as a password), or use --host 127.0.0.1"
        )
    return key


def own(settings: Settings, running: ExitStack) -> DataDirectory:
    """Take the data directory and work inside it: ClickHouse leaves files where it runs, and large temporary ones."""
    data = DataDirectory(settings.data)
    data.take()
    running.callback(data.release)
    os.chdir(data.path)
    os.environ["TMPDIR"] = tempfile.tempdir = str(data.temporary)
    return data


def open_vault(settings: Settings, data: DataDirectory, metrics: Metrics) -> DiskVault:
    """Raises `CommandError` for a key that is none, or not the one that the rows were sealed with."""
    try:
        known = vault_key.keys(settings.vault, data.path)
    except OSError as problem:
        log.error("the vault's own key cannot be kept: %s", problem.strerror)  # noqa: TRY400  the reason is all there is
        known = None
    path = data.path / VAULT
    return DiskVault(path, known, settings.vault, saved=lambda outcome: metrics.vault_saves.labels(outcome).inc())


def start_guards(room: Guardroom, policy: str, data: DataDirectory, audit: Audit) -> Versions:
    """Gives the texts of the policies that the guards were and are held to."""
    versions = Versions(data.path / VERSIONS)
    versions.keep(policy)
    room.start(keeping(audit.write, versions, policy), KnownPolicy(data.path / POLICY_HASH))
    return versions


def open_store(settings: Settings, data: DataDirectory) -> Store:
    try:
        return Store.open(settings.store_url, data.path)
    except ValueError as problem:
        raise CommandError(str(problem)) from None


def pricing(overrides: Path | None) -> Pricing:
    """Raises `CommandError`."""
    try:
        return Pricing(overrides)
    except (ValueError, OSError) as problem:
        raise CommandError(str(problem)) from None


def finish(log_: WriteAheadLog, ingestor: Ingestor) -> None:
    """Nobody sends any more: what is in the log goes into the store, as far as that is done in good time."""
    log_.close()
    if not ingestor.wait_empty(DRAIN_SECONDS):
        log.warning(
            "the store is slow; %d bytes stay in the log and are ingested at the next start", ingestor.queue_bytes
        )
    ingestor.stop()
