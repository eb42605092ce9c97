"""Cohere, version 1 of its API: chat and ranking."""

from spanward.tracer import semconv

from ..replay import Replay, Said
from ..tape import Exchange


def call(exchange: Exchange, address: str) -> None:
    import cohere

    asked = {name: value for name, value in exchange.request.items() if name != "stream"}
    client = cohere.Client(api_key="k", base_url=address)
    (client.rerank if exchange.path == "/v1/rerank" else client.chat)(**asked)


def said(exchange: Exchange) -> Said:
    answer = exchange.json
    meta = answer["meta"]
    counted = {semconv.INPUT_TOKENS: "input_tokens", semconv.OUTPUT_TOKENS: "output_tokens"}
    counts = {name: meta["tokens"][theirs] for name, theirs in counted.items()} if "tokens" in meta else {}
    return Said(
        id=answer.get("response_id") or answer["id"],
        reasons=(answer["finish_reason"],) if "finish_reason" in answer else (),
        tokens=counts,  # a ranking is billed by units of search, which are no tokens
        parts=[("text", answer["text"])] if "text" in answer else [],
    )


REPLAY = Replay("cohere", "cohere", call, said)
