"""Counting a prompt's tokens at the provider: the prompt goes out like any, and no model says anything.

What is counted are the tokens of the guarded prompt, with placeholders in it. The counts belong to no call, so they
are not recorded as used. Pieces of text that come back (Cohere's and Google's tokens) are those of the placeholders.
"""

from typing import Any

from ..call import ModelCall


def response(call: ModelCall, answer: Any) -> None:
    """Nothing but numbers, and pieces of what was sent."""
