"""The built page, held in memory: a handful of files, each plain and gzipped."""

import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"

NOT_BUILT = (
    "<!doctype html><title>Spanward</title><h1>The page was not built</h1>"
    "<p>This checkout has no <code>dashboards/static</code>. Run <code>make ui</code> (or "
    "<code>python dashboards/build_ui.py</code>) and start again. The API under <code>/api</code> works without it.</p>"
)


@dataclass(frozen=True, slots=True)
class File:
    body: bytes
    gzipped: bytes
    media_type: str


def load(folder: Path = STATIC) -> dict[str, File]:
    """Every file of the built page by its path below `folder`; without a built page, one that says how to build it."""
    files = {
        path.relative_to(folder).as_posix(): _file(
            path.read_bytes(), mimetypes.guess_type(path.name)[0] or "text/plain"
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return files if "index.html" in files else {"index.html": _file(NOT_BUILT.encode(), "text/html")}


def _file(body: bytes, media_type: str) -> File:
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    return File(body, gzip.compress(body, mtime=0), media_type + charset)
