"""The store of a data directory, opened for one command: the directory is ours while we have it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ..dashboards.ask import QueryFailed
from .command import FAILED, CommandError
from .data_directory import DataDirectory
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
            store.migrate()
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        except (QueryFailed, OSError) as problem:
            raise CommandError(str(problem), FAILED) from None
        yield store
