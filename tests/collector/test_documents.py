"""Small documents: what is put is there, over the version one has read, within bounds."""

from pathlib import Path

import pytest

from spanward.collector import documents
from spanward.collector.documents import DocumentFile
from spanward.dashboards.documents import Changed, Document, TooMany

BODY = {"name": "slow ones", "query": "min_latency=5000", "of": ["ä", None, 1.5]}


@pytest.fixture
def kept(tmp_path: Path) -> DocumentFile:
    return DocumentFile(tmp_path / documents.NAME, clock=lambda: 1_000.5)


def test_what_is_put_is_there_after_a_restart(kept: DocumentFile, tmp_path: Path) -> None:
    kept.put("view", "b", BODY, actor="kim")
    kept.put("view", "a", {})
    kept.put("alert", "b", {})
    kept.close()
    again = DocumentFile(tmp_path / documents.NAME)
    assert again.all("view") == [
        Document("view", "a", {}, 1, 1_000_500, ""),
        Document("view", "b", BODY, 1, 1_000_500, "kim"),
    ]
    assert (again.get("view", "c"), again.all("none")) == (None, [])


def test_a_change_counts_the_version_on(kept: DocumentFile) -> None:
    kept.put("view", "a", {"n": 1}, version=0)
    assert kept.put("view", "a", {"n": 2}, version=1).version == 2
    with pytest.raises(Changed, match="view a was changed"):
        kept.put("view", "a", {"n": 3}, version=1)
    found = kept.get("view", "a")
    assert found
    assert found.body == {"n": 2}


def test_what_is_removed_is_gone(kept: DocumentFile) -> None:
    kept.put("view", "a", {})
    assert [kept.remove("view", "a"), kept.remove("view", "a"), kept.all("view")] == [True, False, []]


def test_bounds(kept: DocumentFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST", 1)
    kept.put("view", "a", {})
    kept.put("view", "a", {"n": 1})
    with pytest.raises(TooMany, match="there are 1 documents"):
        kept.put("view", "b", {})
    with pytest.raises(TooMany, match="262144 characters"):
        kept.put("view", "a", {"n": "x" * 300_000})


def test_nobody_else_on_the_machine_reads_them(tmp_path: Path) -> None:
    """Addresses of webhooks are secrets; the data directory may be one that was there before, open to all."""
    path = tmp_path / documents.NAME
    path.touch(0o644)
    kept = DocumentFile(path)
    kept.put("alert_channel", "a", {"url": "https://hooks.example/s3cret"})
    assert len(list(tmp_path.iterdir())) > 1
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
