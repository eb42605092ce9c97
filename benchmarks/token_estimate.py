"""How far off are token counts that we estimate because nobody told them? `python benchmarks/token_estimate.py`

Two tables. Recorded calls (`../shared/cassettes`): what the provider counted against what we would have estimated from
the texts of the same call; thinking that is counted and not told is left out. Texts (`../shared/data`, our own code):
against the encodings of OpenAI, where tiktoken is installed and finds them without a network (`TIKTOKEN_CACHE_DIR`).
Writes the figures as JSON to `--json FILE`.
"""

import argparse
import gzip
import json
import os
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from spanward.tracer import estimate
from spanward.tracer.call import ModelCall
from spanward.tracer.providers import anthropic_messages, openai_chat, openai_completions, openai_responses

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
Json = dict[str, Any]
FORMATS: dict[str, tuple[str, Any]] = {
    "/chat/completions": ("chat", openai_chat),
    "/v1/completions": ("text_completion", openai_completions),
    "/v1/responses": ("chat", openai_responses),
    "/v1/messages": ("chat", anthropic_messages),
}
"""End of a path -> operation, and who reads what goes there."""
SPEAKS = {"anthropic", "azure_openai", "mistral", "openai", "together"}
"""Folders of cassettes in these formats."""
PIECE = 800
"""Characters of a piece of text."""


class Loader(yaml.CSafeLoader):
    """Cassettes carry tags of Python objects, which are plain mappings, lists and words to us."""


def _plain(loader: Loader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else node.value


Loader.add_multi_constructor("tag:yaml.org,2002:python/", _plain)


def decoded(said: Json) -> Json | None:
    """The body of a recorded request or response, None if it is no JSON object."""
    body = said.get("parsed_body") or (said.get("body") or {})
    if isinstance(body, dict) and "string" in body:
        body = body["string"]
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogateescape")
    if isinstance(body, bytes):
        try:
            body = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        except ValueError:
            return None
    return body if isinstance(body, dict) else None


def calls() -> Iterator[tuple[str, ModelCall]]:
    """(provider, the record with the provider's own counts) of every whole answer that tells its tokens."""
    for file in sorted((SHARED / "cassettes").glob("*/*.yaml")):
        for exchange in yaml.load(file.read_text(), Loader)["interactions"] if file.parent.name in SPEAKS else ():
            path = urlsplit(exchange["request"]["uri"]).path
            known = next((FORMATS[end] for end in FORMATS if path.endswith(end)), None)
            asked, answered = decoded(exchange["request"]), decoded(exchange["response"])
            if known is None or asked is None or answered is None:
                continue
            operation, reader = known
            call = ModelCall(operation, file.parent.name)
            reader.request(call, asked)
            reader.response(call, answered)
            if call.usage.source == "provider":
                yield file.parent.name, call


def off(estimated: float, truth: float) -> float:
    return (estimated - truth) / max(1.0, truth)


def recorded() -> dict[str, tuple[list[float], list[float]]]:
    """Relative errors of input and output, by provider."""
    errors: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for provider, call in calls():
        told = call.usage
        read, written = told.input_total, told.output
        call.usage = type(told)()
        estimate.fill(call)
        errors[provider][0].append(off(call.usage.input, read))
        if written and call.output:
            errors[provider][1].append(off(call.usage.output, written))
    return dict(errors)


def texts() -> Iterator[tuple[str, str]]:
    """(kind, piece) of prose, code and JSON."""
    found = {
        "filings": [SHARED / "data" / "sec_filings" / "FIN3.txt"],
        "sentences with names": [SHARED / "data" / "presidio_research" / "synth_dataset_v2.json"],
        "Python": sorted((ROOT / "tracer").glob("*.py")),
        "TypeScript": sorted((ROOT / "dashboards" / "ui" / "src").rglob("*.tsx")),
        "Markdown": sorted((ROOT / "docs").rglob("*.md")),
    }
    for kind, files in found.items():
        text = "".join(file.read_text()[:200_000] for file in files if file.exists())
        for start in range(0, min(len(text), 200_000) - PIECE, PIECE):
            yield kind, text[start : start + PIECE]


def encodings() -> dict[str, Callable[[str], int]]:
    """Name -> tokens of a text; none where tiktoken cannot be had."""
    if not os.environ.get("TIKTOKEN_CACHE_DIR"):
        print("texts are left out: say in TIKTOKEN_CACHE_DIR where tiktoken keeps its encodings")
        return {}
    try:
        import tiktoken

        known = {name: tiktoken.get_encoding(name) for name in ("o200k_base", "cl100k_base")}
    except Exception as why:  # noqa: BLE001  not installed, or the encodings are not there
        print(f"texts are left out: {type(why).__name__}")
        return {}
    return {name: counter(encoding) for name, encoding in known.items()}


def counter(encoding: Any) -> Callable[[str], int]:
    return lambda text: len(encoding.encode(text, disallowed_special=()))


def row(name: str, errors: list[float]) -> Json:
    sizes = sorted(map(abs, errors))
    p90 = sizes[min(len(sizes) - 1, round(0.9 * (len(sizes) - 1)))]
    found = {"of": name, "n": len(errors), "median": statistics.median(sizes), "p90": p90}
    return found | {"bias": statistics.median(errors)}


def show(rows: list[Json]) -> None:
    print(f"{'':36}{'n':>6}{'median error':>14}{'p90':>8}{'bias':>8}")
    for r in rows:
        print(f"{r['of']:36}{r['n']:6}{r['median']:13.0%} {r['p90']:7.0%} {r['bias']:+7.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    chosen = parser.parse_args()
    rows = [
        row(f"{provider}, {side}", errors)
        for provider, both in sorted(recorded().items())
        for side, errors in zip(("input", "output"), both, strict=True)
        if errors
    ]
    for name, count in encodings().items():
        by_kind: dict[str, list[float]] = defaultdict(list)
        for kind, piece in texts():
            by_kind[kind].append(off(estimate.tokens(piece), count(piece)))
        rows += [row(f"{name}: {kind}", errors) for kind, errors in by_kind.items()]
    show(rows)
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
