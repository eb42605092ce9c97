"""Kinds that a rule may be narrowed to: name -> condition in SQL."""

from ..failures.source import KINDS
from ..guard_kind import EVENT_KINDS

FAILURE_KINDS = {kind: f"failure = '{kind}'" for kind in KINDS}
"""On `llm_calls`."""
GUARD_KINDS = EVENT_KINDS
