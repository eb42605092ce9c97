"""Recorded traffic of real providers, unpacked: string, base64 and gzip bodies, and tags of Python objects."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

CASSETTES = Path(__file__).resolve().parents[4] / "shared" / "cassettes"
HTTP_ONLY = {"content-encoding", "content-length", "transfer-encoding", "connection"}
Json = dict[str, Any]


class Loader(yaml.SafeLoader):
    """Cassettes carry tags of Python objects, which are plain mappings, lists and words to us."""


def _plain(loader: Loader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else node.value


Loader.add_multi_constructor("tag:yaml.org,2002:python/", _plain)


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. `path` is without its query, and without what recorders put behind a `#`."""

    folder: str
    name: str
    method: str
    path: str
    query: str
    request: Json
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def streamed(self) -> bool:
        return self.request.get("stream") is True

    @property
    def json(self) -> Json:
        found: Json = json.loads(self.body)
        return found

    @property
    def events(self) -> list[Json]:
        """The data of server-sent events."""
        lines = self.body.decode().replace("\r\n", "\n").split("\n")
        data = [line[5:].strip() for line in lines if line.startswith("data:")]
        return [json.loads(line) for line in data if line != "[DONE]"]

    @property
    def lines(self) -> list[Json]:
        """The objects of a stream of one JSON text a line."""
        return [json.loads(line) for line in self.body.decode().split("\n") if line.strip()]


def folders() -> list[str]:
    return sorted(path.name for path in CASSETTES.iterdir() if path.is_dir()) if CASSETTES.exists() else []


def exchanges(folder: str) -> Iterator[Exchange]:
    """Every exchange of every cassette of a provider, once."""
    for file in sorted((CASSETTES / folder).glob("*.yaml")):
        for number, said in enumerate(yaml.load(file.read_text(), Loader)["interactions"]):
            yield _exchange(folder, f"{file.stem.split('__', 1)[1]}-{number}", said["request"], said["response"])


def _exchange(folder: str, name: str, asked: Json, answered: Json) -> Exchange:
    body = answered["body"]["string"]
    body = body.encode() if isinstance(body, str) else body
    headers = {name.lower(): value[0] for name, value in answered["headers"].items()}
    place = urlsplit(asked["uri"])
    return Exchange(
        folder,
        name,
        asked["method"].upper(),
        place.path,
        place.query,
        json.loads(asked["body"]) if asked.get("body") else {},
        answered["status"]["code"],
        {name: value for name, value in headers.items() if name not in HTTP_ONLY},
        gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body,
    )
