"""The existing application of the demonstration: a support desk that uses `openai` and `anthropic` as everybody does.

Its only change is the line `spanward.instrument()`. `behave` asks the local provider to be slow, rude or out of order;
a real one knows nothing of it and is not asked.
Prints one JSON line a call: `{"scene": …, "outcome": "ok" | "error" | "blocked"}`.
"""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import anthropic
import openai
from pydantic import BaseModel

import spanward

spanward.instrument()

SYSTEM = "You are the support desk of a furniture shop. Be brief and kind."
CUSTOMERS = (
    ("Jane Doe", "jane.doe@example.com", "4111 1111 1111 1111", "+1 212 555 0187"),
    ("Otto Brandt", "otto.brandt@example.org", "5555 5555 5555 4444", "+49 30 901820"),
    ("Maria Rossi", "m.rossi@example.net", "3782 822463 10005", "+39 06 69821"),
)
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "find_order",
            "description": "Find an order by its number",
            "parameters": {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]},
        },
    }
]
REAL_MODELS = {"openai": "gpt-4o-mini", "anthropic": "claude-haiku-4-5"}


class Triage(BaseModel):
    """What a ticket is about."""

    subject: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing that the support desk does; `weight` is how often, `local` that only the local provider can do it."""

    weight: int
    name: str
    play: "Callable[[Desk], object]"
    provider: str = "openai"
    local: bool = False


class Desk:
    """The clients, and the customer who asks now."""

    def __init__(self, provider: str, random: Random) -> None:
        self.provider = provider
        self.openai = openai.OpenAI(max_retries=1) if provider != "anthropic" else None
        self.anthropic = anthropic.Anthropic(max_retries=1) if provider != "openai" else None
        self.random = random
        self.name, self.email, self.card, self.phone = CUSTOMERS[0]

    def next_customer(self) -> int:
        number = self.random.randrange(len(CUSTOMERS))
        self.name, self.email, self.card, self.phone = CUSTOMERS[number]
        return number

    def model(self, name: str) -> str:
        return name if self.provider == "local" else REAL_MODELS[self.provider]

    def behaving(self, words: str) -> dict[str, str]:
        return {"x-behaviour": words} if words and self.provider == "local" else {}

    def chat(self, model: str, *turns: str, behave: str = "", **more: Any) -> Any:
        assert self.openai is not None
        roles = ("user", "assistant")
        messages: list[Any] = [{"role": "system", "content": SYSTEM}]
        messages += [{"role": roles[index % 2], "content": turn} for index, turn in enumerate(turns)]
        return self.openai.chat.completions.create(
            model=self.model(model), messages=messages, extra_headers=self.behaving(behave), **more
        )

    def ask_claude(self, model: str, text: str, behave: str) -> str:
        assert self.anthropic is not None
        said: list[Any] = [{"role": "user", "content": text}]
        with self.anthropic.messages.stream(
            model=self.model(model),
            max_tokens=300,
            system=SYSTEM,
            messages=said,
            extra_headers=self.behaving(behave),
        ) as stream:
            return "".join(stream.text_stream)


def order_question(desk: Desk) -> object:
    return desk.chat("gpt-4o-mini", f"My order A-1044 arrived damaged. Please confirm to {desk.email}.")


def double_charge(desk: Desk) -> object:
    return desk.chat("gpt-4o", f"I was charged twice on card {desk.card}. My number is {desk.phone}.")


def conversation(desk: Desk) -> object:
    first = f"I am {desk.name}, {desk.email}. Where is my sofa?"
    return desk.chat(
        "gpt-4o-mini", first, f"It is on its way. I write to {desk.email}.", "And the lamp?", behave="cached"
    )


def streamed_answer(desk: Desk) -> object:
    stream = desk.chat("gpt-4o", f"Summarise ticket 88 for {desk.email}.", stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def claude_answer(desk: Desk) -> object:
    return desk.ask_claude("claude-sonnet-4-6", f"Write a reply to {desk.email} about the late table.", "slow")


def rude_answer(desk: Desk) -> object:
    return desk.ask_claude("claude-haiku-4-5", "Your last answer did not help me at all!", "rude")


def tool_call(desk: Desk) -> object:
    return desk.chat("gpt-4o-mini", "What is the state of order A-1044?", tools=TOOLS, behave="tool")


def triage(desk: Desk) -> object:
    assert desk.openai is not None
    said: list[Any] = [{"role": "user", "content": f"Triage: the leg broke off. {desk.phone}"}]
    return desk.openai.chat.completions.parse(model=desk.model("gpt-4o-mini"), messages=said, response_format=Triage)


def search(desk: Desk) -> object:
    assert desk.openai is not None
    return desk.openai.embeddings.create(model="text-embedding-3-small", input=["oak table", "garden bench oil"])


def house_model(desk: Desk) -> object:
    return desk.chat("house-model-1", "Which oil for a garden bench?")


def rate_limited(desk: Desk) -> object:
    return desk.chat("gpt-4o", "Is the blue sofa in stock?", behave="err-429")


def provider_failure(desk: Desk) -> object:
    return desk.chat("gpt-4o-mini", "How long does delivery take?", behave="err-500-once")


def dropped_stream(desk: Desk) -> object:
    return list(desk.chat("gpt-4o", "Tell me about the warranty.", stream=True, behave="midstream"))


def pasted_credential(desk: Desk) -> object:
    key = "sk-proj-" + "".join(desk.random.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=48))
    return desk.chat("gpt-4o-mini", f"The shop API fails with my key {key}, what is wrong?")


SCENES = (
    Scene(9, "order question", order_question),
    Scene(5, "double charge", double_charge),
    Scene(5, "conversation", conversation),
    Scene(6, "streamed answer", streamed_answer),
    Scene(5, "reply by claude, streamed", claude_answer, "anthropic"),
    Scene(2, "rude answer", rude_answer, "anthropic", local=True),
    Scene(4, "tool call", tool_call),
    Scene(3, "triage, structured", triage),
    Scene(4, "search, embeddings", search),
    Scene(2, "model without a price", house_model, local=True),
    Scene(2, "rate limited", rate_limited, local=True),
    Scene(2, "fails once, SDK retries", provider_failure, local=True),
    Scene(1, "stream drops", dropped_stream, local=True),
    Scene(2, "pasted credential", pasted_credential),
)


def playable(provider: str) -> tuple[Scene, ...]:
    """What this provider can do: the local one everything, a real one what it is asked for and knows."""
    if provider == "local":
        return SCENES
    return tuple(scene for scene in SCENES if scene.provider == provider and not scene.local)


def play(scene: Scene, desk: Desk) -> str:
    try:
        scene.play(desk)
    except spanward.ModelCallBlocked:
        return "blocked"
    except (openai.APIError, anthropic.APIError, ConnectionError):
        return "error"
    except Exception as problem:  # a broken stream surfaces as the HTTP library's own exception
        if type(problem).__module__.startswith("http"):
            return "error"
        raise
    return "ok"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=60)
    calls = parser.parse_args().calls
    random = Random(7)
    desk = Desk(os.environ.get("SPANWARD_DEMO_PROVIDER", "local"), random)
    scenes = playable(desk.provider)
    for number in range(calls):
        # every scene once before chance decides, so that a short demonstration shows all of them
        scene = scenes[number] if number < len(scenes) else random.choices(scenes, [s.weight for s in scenes])[0]
        customer = desk.next_customer()
        with (
            spanward.session(f"ticket-{number // 3}"),
            spanward.user(f"customer-{customer}"),
            spanward.prompt("desk", "4"),
        ):
            outcome = play(scene, desk)
        print(json.dumps({"scene": scene.name, "outcome": outcome}), flush=True)


if __name__ == "__main__":
    main()
