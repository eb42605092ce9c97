"""The store of a data directory, opened for one command: the directory is ours while we have it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ..dashboards.ask import QueryFailed
from .audit.log import NAME, Audit
from .audit.rows import AuditRows
from .command import FAILED, CommandError
from .data_directory import DataDirectory
from .documents import NAME as DOCUMENTS
from .documents import DocumentFile
from .retention import retention_of
from .settings import Settings
from .store import Store


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """A migrated store. Raises `CommandError`: in use, not reachable, or a URL that is none."""
    with ExitStack() as holding:
        data = DataDirectory(settings.data)
        data.take()
        holding.callback(data.release)
        try:
            store = Store.open(settings.store_url, data.path)
            holding.callback(store.close)
            documents = DocumentFile(data.path / DOCUMENTS)
            holding.callback(documents.close)
            store.migrate(retention_of(documents))  # with the defaults, rows that were to be kept longer would go
            put_audit_rows(data, store)
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        except (QueryFailed, OSError) as problem:
            raise CommandError(str(problem), FAILED) from None
        yield store


def put_audit_rows(data: DataDirectory, store: Store) -> None:
    """What commands wrote to the audit log while no sidecar ran."""
    if (data.path / NAME).exists():
        audit = Audit(data.path / NAME)
        AuditRows(audit, store).put()
        audit.close()
