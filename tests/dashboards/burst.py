"""Two days of calls with a burst of one failure planted in them, and what is known of it."""

import random
from dataclasses import dataclass, field
from typing import Any

from spanward.tracer import semconv

from .traffic import Call

MINUTE = 60_000
HOUR = 60 * MINUTE
DAYS = 2
EVERY = 2 * MINUTE
SINCE = 5 * HOUR
"""Before the clock: version 7 of a prompt is first called, and answers in a code fence four times of ten."""

JSON = {"gen_ai.request.response_format": "json_schema"}
FENCED = '```json\n{"order": 7}\n```'
LIMITED = "Rate limit reached for {} in organization org-Ab12Cd34Ef: Limit {}, Used {}. Please try again in {}s."


@dataclass
class Burst:
    calls: list[Call] = field(default_factory=list)
    limited: list[Call] = field(default_factory=list)
    fenced: list[Call] = field(default_factory=list)
    of_seven: list[Call] = field(default_factory=list)


def burst(now: int) -> Burst:
    dice = random.Random(11)
    made = Burst()
    for at in range(now - DAYS * 24 * HOUR, now, EVERY):
        provider, model = dice.choice(
            (("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-6"))
        )
        version = "7" if at >= now - SINCE and dice.random() < 0.5 else "6"
        service = dice.choice(("shop", "billing-bot", "search"))
        said: dict[str, Any] = JSON | {semconv.PROMPT_NAME: "answer", semconv.PROMPT_VERSION: version}
        said |= {semconv.USER_GROUP: dice.choice(("paid", "free")), semconv.FINISH_REASONS: ["stop"]}
        call = Call(at, model, provider, 200, 0, answered='{"order": 7}', service=service, attributes=said)
        made.calls.append(call)
        if version == "7":
            made.of_seven.append(call)
        if dice.random() < (0.4 if version == "7" else 0.0) or (at >= now - SINCE and dice.random() < 0.04):
            call.answered = FENCED
            made.fenced.append(call)
        elif dice.random() < 0.04:
            call.error = "RateLimitError"
            call.message = LIMITED.format(model, dice.randrange(9999), dice.randrange(9999), dice.randrange(60))
            made.limited.append(call)
    return made
