"""What calls can be narrowed by that stands in their guard events, not in the call."""

GUARD_COLUMNS = {
    "rule": "rule",
    "detector": "detector",
    "label": "label",
    "stage": "stage",
    "event_mode": "mode",
    "event_verdict": "verdict",
    "event_action": "action",
}
"""Filter -> column of `guard_events`. Several of them are about one and the same event."""
