"""What other people's models call the same things."""

from collections.abc import Iterable

NAMES = {
    "PER": "PERSON", "PERSON": "PERSON", "PEOPLE": "PERSON", "NAME": "PERSON",
    "LOC": "LOCATION", "LOCATION": "LOCATION", "GPE": "LOCATION", "FAC": "LOCATION", "CITY": "LOCATION",
    "COUNTRY": "LOCATION",
    "ADDRESS": "ADDRESS", "STREET_ADDRESS": "ADDRESS", "POSTAL_ADDRESS": "ADDRESS",
    "ORG": "ORGANIZATION", "ORGANIZATION": "ORGANIZATION", "ORGANISATION": "ORGANIZATION", "COMPANY": "ORGANIZATION",
    "NORP": "NRP", "NRP": "NRP", "NATIONALITY": "NRP",
}  # fmt: skip


def entity(label: str) -> str:
    """Presidio's name of a model's label (`B-PER`, `gpe`, `street address`), or nothing for what nobody asks for."""
    bare = label.upper().replace(" ", "_")
    return NAMES.get(bare[2:] if bare[:2] in {"B-", "I-", "L-", "U-", "S-", "E-"} else bare, "")


def entities(labels: Iterable[str]) -> frozenset[str]:
    """Presidio's names of all that `labels` hold."""
    return frozenset(map(entity, labels)) - {""}
