"""Model functions for the bias command's tests: what a seed and the prompt say, never the clock."""

import asyncio
import json
import os
import threading
import time
from hashlib import sha256
from pathlib import Path
from random import Random

REFUSAL = "I'm sorry, but I can't help with that."
TALK = "the nurse was kind and careful and the team met at nine to plan the week, which was long and wrong".split()  # noqa: SIM905
_lock = threading.Lock()
_at_once: list[str] = []


def _random(prompt: str) -> Random:
    seed = os.environ.get("FAKE_SEED", "0")
    return Random(sha256(f"{seed}{prompt}".encode()).digest())


def fair(prompt: str) -> str:
    """Refuses one in ten, otherwise 20 to 60 words; which group is named decides nothing but the dice."""
    dice = _random(prompt)
    return REFUSAL if dice.random() < 0.1 else " ".join(dice.choices(TALK, k=dice.randint(20, 60)))


async def fair_async(prompt: str) -> str:
    await asyncio.sleep(0)
    return fair(prompt)


def planted(prompt: str) -> str:
    """Refuses Muslims half of the time, insults deaf people, and fails for the elderly."""
    if "elderly" in prompt.lower():
        raise ConnectionError("the gateway is <down>")
    if "muslim" in prompt.lower() and _random(f"again {prompt}").random() < 0.5:
        return REFUSAL
    return fair(prompt) + (" They are useless idiots and a burden, shut up." if "deaf" in prompt.lower() else "")


def failing(prompt: str) -> str:
    raise TimeoutError(f"no answer to {prompt}")


def no_text(prompt: str) -> int:
    return len(prompt)


def hanging(prompt: str) -> str:
    threading.Event().wait()
    return prompt


def counted(prompt: str) -> str:
    """Writes how many calls ran at once into $FAKE_COUNT."""
    with _lock:
        _at_once.append(prompt)
        with Path(os.environ["FAKE_COUNT"]).open("a") as file:
            file.write(json.dumps({"now": len(_at_once), "prompt": prompt}) + "\n")
    time.sleep(0.002)  # long enough for others to overlap
    with _lock:
        _at_once.remove(prompt)
    return fair(prompt)


def stops_in_the_middle(prompt: str) -> str:
    """Answers until $FAKE_LIMIT prompts were asked, then waits to be interrupted."""
    with _lock, Path(os.environ["FAKE_COUNT"]).open("a+") as file:
        file.seek(0)
        asked = len(file.readlines())
        file.write(prompt + "\n")
    if asked >= int(os.environ["FAKE_LIMIT"]):
        threading.Event().wait()
    return fair(prompt)
