"""Ordinary texts to measure with: Wikipedia talk pages of the open data, in which no pattern of personal data is."""

import csv
import sys
from functools import cache
from pathlib import Path

DATA = Path(__file__).parents[3] / "shared" / "data" / "context_toxicity"


@cache
def _comments() -> tuple[str, ...]:
    files = sorted(DATA.rglob("*.csv"))
    if not files:
        sys.exit(f"no data in {DATA}: this measurement needs it (its README says where it is from)")
    csv.field_size_limit(1 << 24)
    said = []
    for path in files:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            said += [row["text"] for row in csv.DictReader(lines) if row.get("text")]
    return tuple(said)


@cache
def harmless() -> tuple[str, ...]:
    """Comments without personal data that stands in a pattern, in the order of the files."""
    from spanward.guards.detectors.pii import Pii

    patterns = Pii()
    labels = frozenset({"EMAIL_ADDRESS", "IP_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "PERSON", "ADDRESS"})
    known = frozenset(label for label in labels if label in Pii.labels)
    return tuple(text for text in _comments()[:2500] if not patterns.detect([text], known)[0])


def prose(size: int, number: int) -> list[str]:
    """So many different texts of exactly so many characters."""
    stream = "\n\n".join(harmless())
    found = [stream[at : at + size] for at in range(0, len(stream) - size, size)][:number]
    if len(found) < number:
        sys.exit(f"the data give only {len(found)} texts of {size} characters")
    return found
