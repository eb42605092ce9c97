"""Rows of our own making go into the store as they are."""

from datetime import UTC, datetime

from spanward.collector.store import Store

AT = datetime(2026, 11, 21, 9, 30, 0, 250_000, tzinfo=UTC)


def test_rows_of_every_type(store: Store) -> None:
    rows = [
        {"tenant": "default", "ts": AT, "actor": "kim's", "action": "a", "detail": {"k": "v\n'"}, "seq": 2**40},
        {"tenant": "default", "ts": AT, "actor": "", "action": "b", "detail": {}, "seq": 0},
    ]
    store.insert("audit", iter(rows))
    store.insert("audit", [])
    assert store.ask("SELECT tenant, ts, actor, action, detail, seq FROM audit ORDER BY action").records() == rows
