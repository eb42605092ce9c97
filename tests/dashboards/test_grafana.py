"""Grafana's boards: every panel's SQL on a real store with the macros filled in, and the numbers of our own pages."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from spanward.collector.store import Store
from spanward.dashboards.grafana.__main__ import FOLDER, main
from spanward.dashboards.grafana.boards import BOARDS
from spanward.dashboards.grafana.panel import PLUGIN, Panel
from spanward.tracer import semconv

from .conftest import NOW, api_of
from .traffic import Call, put

ROOT = Path(__file__).resolve().parents[2]
HOUR = 3_600_000
START, END = NOW - 6 * HOUR, NOW
STEP = 300
PANELS = [pytest.param(panel, id=f"{name}: {panel.title}") for name, (_, panels) in BOARDS.items() for panel in panels]


def expanded(sql: str, **chosen: list[str]) -> str:
    """As the data source's documentation has its macros, and Grafana its variables; without a choice: All."""

    def all_or(match: re.Match[str]) -> str:
        return match[1] if chosen.get(match[2]) else "1=1"

    sql = re.sub(r"\$__conditionalAll\((.*?\)), \$(\w+)\)", all_or, sql)
    sql = re.sub(r"\$\{(\w+):singlequote\}", lambda m: ",".join(f"'{one}'" for one in chosen[m[1]]), sql)
    first, last = START // 1000, END // 1000 - 1
    sql = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= toDateTime({first}) AND \1 <= toDateTime({last})", sql)
    sql = re.sub(r"\$__timeInterval\((\w+)\)", rf"toStartOfInterval(toDateTime(\1), INTERVAL {STEP} second)", sql)
    assert "$" not in sql
    return sql


def calls() -> list[Call]:
    block = {semconv.GUARD_VERDICT: "deny", semconv.GUARD_ACTION: "block"}
    return [
        *(Call(NOW - n * 7 * 60_000 - 500, latency_ms=90.0 + n, ttft_ms=9, service="ab"[n % 2]) for n in range(1, 45)),
        Call(NOW - 90 * 60_000, model="m2", cost=None, error="RateLimitError", message="slow down"),
        Call(NOW - 95 * 60_000, model="m2", cost=None, attributes=block, guards=[{}], service="a"),
        Call(NOW - 7 * HOUR, cost=99.0),
    ]


@pytest.fixture(scope="module")
def filled(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    put(shelf, tmp_path_factory.mktemp("spans"), calls())
    return shelf


@pytest.fixture(scope="module")
def overview(filled: Store) -> Any:
    answer = api_of(filled).get(f"/api/overview?from={START}&to={END}")
    assert answer.json()["step"] == 1000 * STEP
    return answer.json()


def rows(store: Store, panel: Panel, **chosen: list[str]) -> list[dict[str, Any]]:
    return store.ask(expanded(panel.sql, **chosen)).records()


def panel(board: str, title: str, kind: str = "") -> Panel:
    return next(one for one in BOARDS[board][1] if one.title == title and kind in ("", one.kind))


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_can_be_asked(filled: Store, panel: Panel) -> None:
    rows(filled, panel)
    chosen = rows(filled, panel, service=["a", "shop"], env=["prod"], model=["m2", "gpt-4o"])
    assert isinstance(chosen, list)


@pytest.mark.parametrize(
    ("title", "column", "value"),
    [
        ("Calls", "calls", lambda t: t["calls"]),
        ("Failure rate", "rate", lambda t: t["errors"] / t["calls"]),
        ("Latency p95", "p95", lambda t: t["latency"][1]),
        ("Cost", "cost", lambda t: t["cost"]),
    ],
)
def test_a_number_is_that_of_our_page(filled: Store, overview: Any, title: str, column: str, value: Any) -> None:
    assert rows(filled, panel("overview", title, "stat"))[0][column] == pytest.approx(value(overview["totals"]))


@pytest.mark.parametrize(
    ("title", "ours"),
    [
        ("Calls and failures", {"failed": "errors", "blocked": "blocked"}),
        ("Latency", {"p50": "latency_p50", "p95": "latency_p95", "p99": "latency_p99"}),
        ("Time to first token", {"p50": "ttft_p50", "p95": "ttft_p95", "p99": "ttft_p99"}),
        ("Cost", {"cost": "cost"}),
        ("Tokens", {"output": "output_tokens", "cached": "cached_tokens"}),
    ],
)
def test_a_chart_is_that_of_our_page(filled: Store, overview: Any, title: str, ours: dict[str, str]) -> None:
    series = overview["series"]
    at = {t: n for n, t in enumerate(series["t"])}
    found = next(one for one in BOARDS["overview"][1] if one.title == title and one.kind != "stat")
    told = rows(filled, found)
    assert {round(row["time"].timestamp() * 1000) for row in told} == {t for t in series["t"] if series["calls"][at[t]]}
    for row in told:
        n = at[round(row["time"].timestamp() * 1000)]
        for theirs, name in ours.items():
            assert row[theirs] == (series[name][n] if series[name][n] is None else pytest.approx(series[name][n]))


def test_a_variable_narrows_as_the_filter_of_our_page(filled: Store) -> None:
    ours = api_of(filled).get(f"/api/overview?from={START}&to={END}&service=a&model=gpt-4o").json()["totals"]["calls"]
    theirs = rows(filled, panel("overview", "Calls", "stat"), service=["a"], model=["gpt-4o"])[0]["calls"]
    assert theirs == ours > 0


def test_failures_are_those_of_our_page(filled: Store, overview: Any) -> None:
    theirs = rows(filled, panel("failures", "Kinds, with the newest of each"))
    assert [(r["status"], r["error_type"], r["calls"], r["message"]) for r in theirs] == [
        (f["status"], f["error_type"], f["calls"], f["message"]) for f in overview["failures"]
    ]
    assert len(theirs) == 2


def test_cost_by_model_and_by_app_add_up_to_the_whole(filled: Store, overview: Any) -> None:
    for title in ("Cost by model", "Cost by app"):
        usd = sum(row["usd"] for row in rows(filled, panel("cost", title)))
        assert usd == pytest.approx(overview["totals"]["cost"])


def test_guard_findings_are_those_of_our_page(filled: Store, overview: Any) -> None:
    told = rows(filled, panel("guards", "Findings by what was done"))
    assert {row["kind"]: row["events"] for row in told} == {
        k: sum(v) for k, v in overview["guards"].items() if k != "t" and sum(v)
    }


def test_a_drift_panel_shows_shares(filled: Store) -> None:
    filled.command("TRUNCATE TABLE drift_1h")
    hour = END // HOUR * HOUR // 1000 - 7200
    filled.command(
        f"INSERT INTO drift_1h SELECT toDateTime({hour}), 'default', 'a', 'prod', 'model', 'm' || toString(number), "
        "1 + 2 * number FROM numbers(2)"
    )
    told = rows(filled, panel("drift", "Model"))
    assert [(row["bucket"], row["share"]) for row in told if row["bucket"] in ("m0", "m1")] == [
        ("m0", 0.25),
        ("m1", 0.75),
    ]
    filled.command("TRUNCATE TABLE drift_1h")


def test_the_committed_boards_are_what_the_generator_gives(tmp_path: Path) -> None:
    main([str(tmp_path)])
    assert {file.name: file.read_text() for file in FOLDER.iterdir()} == {
        f.name: f.read_text() for f in tmp_path.iterdir()
    }


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_is_well_formed(name: str) -> None:
    told = json.loads((FOLDER / f"{name}.json").read_text())
    assert len({one["id"] for one in told["panels"]}) == len(told["panels"])
    taken = [
        (x, y)
        for place in (one["gridPos"] for one in told["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24
    assert [one["name"] for one in told["templating"]["list"]] == ["datasource", "service", "env", "model"]
    for one in told["panels"]:
        assert one["datasource"] == {"type": PLUGIN, "uid": "${datasource}"} == one["targets"][0]["datasource"]


def test_the_variables_can_be_asked(filled: Store) -> None:
    told = json.loads((FOLDER / "overview.json").read_text())["templating"]["list"][1:]
    assert [filled.ask(expanded(one["query"])).rows for one in told] == [
        (("a",), ("b",), ("shop",)), (("prod",),), (("gpt-4o",), ("m2",)),
    ]  # fmt: skip


def test_what_is_provisioned_fits_the_composition() -> None:
    grafana = ROOT / "docker" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((grafana / "datasources" / "spanward.yaml").read_text())["datasources"]
    (provider,) = yaml.safe_load((grafana / "dashboards" / "spanward.yaml").read_text())["providers"]
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert source["type"] == PLUGIN
    assert source["jsonData"]["host"] in service
    assert f"./docker/grafana/dashboards:{provider['options']['path']}:ro" in service["grafana"]["volumes"]
    assert service["grafana"]["environment"]["GF_INSTALL_PLUGINS"].startswith(f"{PLUGIN} ")
