"""docs/operations.md names every option, metric and outcome that there is."""

import argparse
import re
from pathlib import Path

from spanward.collector import serve
from spanward.collector.metrics import Metrics
from spanward.collector.settings import Settings

DOC = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()


def test_every_option_is_there() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    serve.add_arguments(parser)
    options = {option for action in parser._actions for option in action.option_strings}
    assert [option for option in sorted(options) if f"| `{option} " not in DOC] == []
    assert [name for name in Settings.model_fields if f"| `{name}` |" not in DOC] == []


def test_every_metric_is_there_and_nothing_else() -> None:
    known = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in Metrics().registry.collect()
        if family.name.startswith("spanward_")
    }
    told = set(re.findall(r"\bspanward_[a-z_]+", DOC))
    followed = {"ingest_lag_seconds", "queue_bytes", "segments_ingested_total", "segments_set_aside_total"}
    followed |= {"ingest_errors_total", "guard_review_errors_total"}
    followed |= {"alert_firing", "alert_round_timestamp_seconds"}
    assert told == known | {f"spanward_{name}" for name in followed}
