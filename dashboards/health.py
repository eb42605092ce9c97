"""Is the picture whole? What the sidecar says of itself, and what tracers had to drop or could not do."""

from collections.abc import Callable
from typing import Any

from .ask import Ask

DAY_MS = 86_400_000

_REPORTS = """SELECT kind, reason, service, sum(count) AS count,
       toUnixTimestamp64Micro(toDateTime64(max(ts), 6)) AS last_us
FROM reports WHERE ts >= fromUnixTimestamp64Milli({since:Int64})
GROUP BY kind, reason, service ORDER BY last_us DESC LIMIT 50"""

_UNPRICED = """SELECT provider, model, count() AS calls FROM llm_calls
WHERE ts >= fromUnixTimestamp64Milli({since:Int64}) AND cost_usd IS NULL AND input_tokens + output_tokens > 0
GROUP BY provider, model ORDER BY calls DESC, provider, model LIMIT 20"""

_CALLS = """SELECT count() AS calls, countIf(guard_verdict = 'fail_open') AS failed_open,
       countIf(guard_verdict = 'none') AS unguarded,
       countIf(degraded = 1) AS degraded, countIf(content_withheld != '') AS withheld,
       countIf(status = 'ok' AND usage_source IN ('', 'none')) AS uncounted,
       if(count() = 0, NULL, toUnixTimestamp64Micro(max(ts))) AS newest_us
FROM llm_calls WHERE ts >= fromUnixTimestamp64Milli({since:Int64})"""

_EVER = "SELECT count() AS calls, countIf(env = 'demo') AS demo FROM llm_calls"


def health(ask: Ask, sidecar: Callable[[], dict[str, Any]], now: int) -> dict[str, Any]:
    """The last 24 hours, and `stored`: whether anything was ever stored, and how much of it is the demo's."""
    since = {"since": now - DAY_MS}
    return {
        "sidecar": sidecar(),
        "reports": ask(_REPORTS, since).records(),
        "unpriced": ask(_UNPRICED, since).records(),
        "day": ask(_CALLS, since).records()[0],
        "stored": ask(_EVER).records()[0],
    }
