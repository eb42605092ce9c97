"""The store: one ClickHouse, embedded (chDB) or a server, behind one set of SQL."""

import io
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, StreamFailureError

from ..dashboards.ask import QueryFailed, Table, TookTooLong
from ..dashboards.asker import ASKER
from . import landing
from .schema import Form, Retention

__all__ = ["SegmentUnreadable", "Store", "StoreUnavailable"]

_POOL = 4
_PEOPLE = 2
"""Of the pool, those that people's own SQL may hold: health and the page must not wait for them."""
_MOST_ROWS = 100_000
_FOR_PEOPLE = {
    "readonly": 2,
    "max_execution_time": 30,
    "max_result_rows": _MOST_ROWS,
    "max_result_bytes": 64 << 20,
    "max_memory_usage": 512 << 20,
    "max_threads": 1,
}
_UNCOMPILED = dict.fromkeys(("compile_expressions", "compile_aggregate_expressions", "compile_sort_description"), 0)
"""Of questions asked anew each time: compiling one to machine code takes longer than most of them do."""
_FILE_CHUNK = 1 << 20
_FOR_FILES = "max_execution_time = 120, max_memory_usage = 536870912, max_threads = 1"
"""Of files that people take away. In the statement: given beside it, the embedded engine keeps them for the next."""
_UNREADABLE = frozenset({27, 32, 33, 117, 444})
"""ClickHouse's codes for bytes that end too early, do not parse, or are no protobuf of our schema."""
_TIMEOUT = 159
_LATER = frozenset(
    {60, 74, 75, 76, 81, 159, 164, 173, 194, 202, 209, 210, 236, 241, 242, 243, 252}
    | {279, 285, 319, 394, 425, 439, 497, 516, 999, 1001}
)
"""Its codes for no time, memory, room, file, table, right, network or quorum: the same statement may work later."""
_BROKE_OFF = (
    f"the store broke off in the middle of the answer: ask for fewer rows (at most {_MOST_ROWS}) or a shorter time"
)

_ONCE = {"insert_deduplicate": "1", "deduplicate_blocks_in_dependent_materialized_views": "1"}

Connect = Callable[[str | None], Client]


class StoreUnavailable(QueryFailed):
    """The store does not answer, or has no room; the same again later may work."""


class _Stopped(TookTooLong, StoreUnavailable):
    """The engine stopped a statement at its limit of time."""


class SegmentUnreadable(Exception):  # noqa: N818  says what is wrong
    """ClickHouse cannot parse the bytes of this segment: no repeat will help."""


class Store:
    """Thread-safe. Embedded, one process owns the directory, so one `Store.open` a process.

    Times come back as datetimes in UTC. The embedded engine must not be carried over a fork: spawn.
    """

    def __init__(self, connect: Connect, form: Form, *, embedded: bool) -> None:
        self._connect = connect
        self._form = form
        self._embedded = embedded
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue()
        self._slots = threading.BoundedSemaphore(_POOL)
        self._people = threading.BoundedSemaphore(_PEOPLE)
        self._writing = threading.Lock()
        self._stopping = threading.Lock()

    @classmethod
    def open(cls, url: str, data: Path, *, database: str = "spanward") -> "Store":
        """`url` is `chdb:///DIR` or `clickhouse[s]://user:password@host:8123/db[?cluster=NAME]`.

        `data` is the sidecar's own directory (`DataDirectory`), taken before. A database in the URL wins.
        Raises `QueryFailed`, and ValueError for a URL it does not know.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"chdb", "clickhouse", "clickhouses"}:
            raise ValueError(
                f"store {parts.scheme!r} is unknown; give chdb:///DIR or clickhouse://user:password@host:8123/db"
            )
        embedded = parts.scheme == "chdb"
        if embedded:
            connect = _embedded(Path(unquote(parts.path)), data)
        else:
            database = parts.path.strip("/") or database
            connect = _server(url)
        form = Form(database, *parse_qs(parts.query).get("cluster", []))
        store = cls(connect, form, embedded=embedded)
        store.create_database()
        return store

    def beside(self, database: str) -> "Store":
        """The same engine with another database (tests, imports). Closing it leaves this one open."""
        store = Store(self._connect, Form(database, self._form.cluster), embedded=self._embedded)
        store.create_database()
        return store

    @property
    def database(self) -> str:
        return self._form.database

    def create_database(self) -> None:
        with _errors():
            client = self._connect(None)
            client.command(self._form.render("CREATE DATABASE IF NOT EXISTS ${database} ${on_cluster} ENGINE = Atomic"))
            client.close()

    def migrate(self, retention: Retention | None = None) -> None:
        """Bring the schema up to date, and the retention with it. Idempotent."""
        log = self._form.render(
            "CREATE TABLE IF NOT EXISTS schema_migrations ${on_cluster} "
            "(name String, applied DateTime('UTC') DEFAULT now()) ENGINE = MergeTree ORDER BY name"
        )
        self.command(log)
        done = {name for (name,) in self.ask("SELECT name FROM schema_migrations").rows}
        for file in self._form.files():
            if file.name not in done:
                for statement in self._form.statements(file):
                    self.command(statement)
                self.command("INSERT INTO schema_migrations (name) VALUES ({name:String})", {"name": file.name})
        self.retain(retention or Retention())

    def local(self, table: str) -> str:
        """The name under which this node stores it."""
        return f"{table}_local" if self._form.cluster else table

    def retain(self, retention: Retention) -> None:
        """Set how long rows are kept; parts that are wholly older go at once. Raises `QueryFailed`."""
        tables = "SELECT name, create_table_query FROM system.tables WHERE database = {database:String}"
        shown = dict(self.ask(tables, {"database": self._form.database}).rows)
        for table, ttl in retention.by_table().items():
            if f"TTL {ttl} " not in shown[self.local(table)]:
                self.command(self._form.keep(table, ttl))

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None, *, limit_seconds: float = 30) -> Table:
        """One SELECT; SQL of people goes through `analyst.check` first. Raises `QueryFailed`, also above 100,000 rows.

        It cannot write, but the engine would let it read files: there are no users in an embedded one.
        An `ASKER` shortens the limit to what is left of its time; after it left, `AskerLeft` is raised.
        """
        with self._client() as client, _errors():
            limits = {"readonly": 2, "max_result_rows": _MOST_ROWS, **_UNCOMPILED, **_on_behalf(limit_seconds)}
            answer = client.query(sql, parameters=dict(parameters or {}), settings=limits)
            return Table(tuple(answer.column_names), tuple(tuple(row) for row in answer.result_rows))

    def ask_for_people(self, sql: str) -> Table:
        """As `ask`, for what `analyst.check` let through: bounded so that others keep memory and turns.

        Two run at a time, on one thread each; a third waits.
        """
        with self._people, self._client() as client, _errors():
            answer = client.query(sql, settings=_FOR_PEOPLE | _on_behalf(_FOR_PEOPLE["max_execution_time"]))
            return Table(tuple(answer.column_names), tuple(tuple(row) for row in answer.result_rows))

    def raw(self, sql: str, parameters: Mapping[str, Any], form: str) -> Iterator[bytes]:
        """The bytes of an answer in a format of ClickHouse's, as they come. Raises `QueryFailed`, also on the way.

        Takes turns with people's own SQL, and holds its turn until the end is read or the iterator is closed.
        """
        with self._people, self._client() as client, _errors():
            stream = cast("io.IOBase", client.raw_stream(f"{sql} SETTINGS {_FOR_FILES}", dict(parameters), fmt=form))
            try:
                while chunk := stream.read(_FILE_CHUNK):
                    yield chunk
            finally:
                stream.close()

    def stop(self, asker: str) -> None:
        """Stop the statements that run for the asker of this name; returns at once. Raises `QueryFailed`."""
        with self._client(self._stopping) as client, _errors():  # its own turn: those to be stopped may hold the others
            client.command(f"KILL QUERY WHERE Settings['log_comment'] = {_text(asker)} ASYNC")

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """A statement of ours that changes something (schema, DELETE). Raises `QueryFailed`."""
        with self._client() as client, _errors():
            client.command(sql, parameters=dict(parameters or {}))

    def render(self, sql: str) -> str:
        """A statement with `${local}` and `${on_cluster}` filled in, as in the files of the schema."""
        return self._form.render(sql)

    def correct(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """As `command`, while nothing is put in: for what compares tables that one segment fills."""
        with self._client(self._writing) as client, _errors():
            client.command(sql, parameters=dict(parameters or {}))

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]], *, token: str = "") -> None:
        """Rows of our own making (labels, alarms), all with the same columns; with `token`, once for it.

        Raises `QueryFailed`.
        """
        told = list(rows)
        if not told:
            return
        columns = list(told[0])
        settings = {**_ONCE, "insert_deduplication_token": token} if token else {}
        with self._client(self._writing) as client, _errors():
            data = [[row[name] for name in columns] for row in told]
            client.insert(table, data, column_names=columns, settings=settings)

    def ingest(self, segment: Path, token: str) -> None:
        """Put a segment's spans in, once for a token however often it is called.

        Raises `SegmentUnreadable` (the bytes are at fault) or `QueryFailed` (try again).
        """
        settings = {**landing.SETTINGS, "insert_deduplication_token": token}
        with self._client(self._writing) as client, _errors(of_segment=True):  # never waits for readers
            put = self._ingest_file if self._embedded else self._ingest_bytes
            put(client, segment, settings)

    @staticmethod
    def _ingest_file(client: Client, segment: Path, settings: Mapping[str, str]) -> None:
        source = f"file({_text(str(segment.resolve()))}, 'Protobuf', {_text(landing.structure())})"
        # The schema by its path: given as a string, ClickHouse would leave a __cache__ in the working directory.
        schema = {"format_schema": f"{landing.PROTO.with_suffix('')}:{landing.MESSAGE}"}
        clause = ", ".join(f"{name} = {_text(value)}" for name, value in {**schema, **settings}.items())
        client.command(f"{landing.insert(source)} SETTINGS {clause}")

    @staticmethod
    def _ingest_bytes(client: Client, segment: Path, settings: Mapping[str, str]) -> None:
        schema = {
            "format_schema_source": "string",
            "format_schema": landing.PROTO.read_text(),
            "format_schema_message_name": landing.MESSAGE,
        }
        statement = landing.insert(f"input({_text(landing.structure())})") + " FORMAT Protobuf"
        client.command(statement, data=segment.read_bytes(), settings={**schema, **settings})

    def drop(self) -> None:
        """Remove this store's database and all that is in it."""
        self.command(self._form.render("DROP DATABASE IF EXISTS ${database} ${on_cluster} SYNC"))

    def close(self) -> None:
        """Release the directory. Idempotent."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    @contextmanager
    def _client(self, turn: AbstractContextManager[Any] | None = None) -> Iterator[Client]:
        with turn or self._slots:
            try:
                client = self._idle.get_nowait()
            except queue.Empty:
                with _errors():
                    client = self._connect(self._form.database)
            try:
                yield client
            except BaseException:
                client.close()  # after an answer that broke off, its next one would be garbage
                raise
            self._idle.put(client)


def _on_behalf(limit_seconds: float) -> dict[str, Any]:
    """The settings by which a statement keeps to its asker's time, and by which `stop` finds it. Raises `AskerLeft`."""
    asker = ASKER.get()
    if asker is None:
        return {"max_execution_time": limit_seconds}
    return {"max_execution_time": round(min(limit_seconds, asker.left()), 3), "log_comment": asker.name}


@contextmanager
def _errors(*, of_segment: bool = False) -> Iterator[None]:
    try:
        yield
    except StreamFailureError as error:
        # its text may be the hexadecimal form of the rows that came before the failure
        said = str(error)
        raise QueryFailed(said if said.startswith("Code: ") else _BROKE_OFF) from None
    except ClickHouseError as error:
        code = error.code if isinstance(error, DatabaseError) else None
        if code == _TIMEOUT:
            raise _Stopped(str(error)) from None
        if code is None or code in _LATER:
            raise StoreUnavailable(str(error)) from None
        raise (SegmentUnreadable if of_segment and code in _UNREADABLE else QueryFailed)(str(error)) from None


def _embedded(directory: Path, data: Path) -> Connect:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = data / "chdb.xml"
    config.write_text(_CONFIG.format(memory=max(1_500_000_000, _memory() // 4)))

    def connect(database: str | None) -> Client:
        return clickhouse_connect.get_client(
            interface="chdb",
            path=str(directory),
            database=database,
            settings={"session_timezone": "UTC"},
            chdb_options={"config-file": str(config)},
            tz_mode="aware",
        )

    return connect


def _server(url: str) -> Connect:
    parts = urlsplit(url)
    secure = parts.scheme == "clickhouses"

    def connect(database: str | None) -> Client:
        return clickhouse_connect.get_client(
            host=parts.hostname or "localhost",
            port=parts.port or (8443 if secure else 8123),
            username=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            secure=secure,
            database=database or "default",
            settings={"session_timezone": "UTC"},
            tz_mode="aware",
            autogenerate_session_id=False,
        )

    return connect


_CONFIG = """<clickhouse>
  <max_server_memory_usage>{memory}</max_server_memory_usage>
  <mark_cache_size>67108864</mark_cache_size>
  <background_pool_size>2</background_pool_size>
</clickhouse>
"""


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
