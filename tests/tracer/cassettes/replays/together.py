"""Together: chat completions, as OpenAI has them."""

from ..replay import Replay
from ..tape import Exchange
from .openai import ask, said


def call(exchange: Exchange, address: str) -> None:
    import together

    with together.Together(base_url=f"{address}/v1", api_key="k", max_retries=0) as client:
        ask(client.chat.completions.create, exchange)


REPLAY = Replay("together", "together", call, said)
