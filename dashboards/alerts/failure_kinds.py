"""Kinds that a rule may be narrowed to: name -> condition in SQL."""

from ..guard_kind import EVENT_KINDS

FAILURE_KINDS = {
    "rate_limit": "status = 'error' AND match(error_type, '(?i)rate.?limit|429|throttl|quota')",
    "timeout": "status = 'error' AND match(error_type, '(?i)time.?out|deadline')",
    "provider": "status = 'error' AND NOT match(error_type, '(?i)rate.?limit|429|throttl|quota|time.?out|deadline')",
    "cut": "status = 'ok' AND finish_reason IN ('length', 'max_tokens', 'MAX_TOKENS')",
    "refusal": "status = 'ok' AND finish_reason IN ('content_filter', 'refusal', 'SAFETY')",
    "unfinished": "stream_end NOT IN ('', 'complete')",
}
"""On `llm_calls`."""
GUARD_KINDS = EVENT_KINDS
