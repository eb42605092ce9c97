"""Real LangChain over the real SDK: one tree of spans, each token counted once, nothing personal in any of it."""

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import spanward
from spanward.collector.demo.provider import Provider
from spanward.tracer import semconv

from ..inmemory import Spans, traced
from .conftest import MAIL, PLACEHOLDER, nothing_leaked, settle, tree

pytest.importorskip("langchain")
pytest.importorskip("langchain_openai")

from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import SecretStr

Where = dict[str, Any]
ONCE = {"connection": "close"}
"""langchain-openai keeps one async client for the whole process, whatever event loop it is used in."""


def chat(provider: Provider, model: str = "gpt-4o-mini-echo", **more: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model=model,
        base_url=f"{provider.address}/v1",
        api_key=SecretStr("demo"),
        max_retries=0,
        default_headers=ONCE,
        **more,
    )


def chain(provider: Provider, **more: Any) -> Runnable[Where, str]:
    prompt = ChatPromptTemplate.from_messages([("system", "be kind"), ("user", "{text}")])
    return (prompt | chat(provider, **more) | StrOutputParser()).with_config(run_name="answer")


class Notes(BaseRetriever):
    """Finds by embedding the question, as retrievers do."""

    embeddings: OpenAIEmbeddings

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        self.embeddings.embed_query(query)
        return [
            Document(f"write to {MAIL}", id="d1", metadata={"source": "notes.txt"}),
            Document("nothing personal", id="d2"),
        ]


def notes(provider: Provider) -> Notes:
    embeddings = OpenAIEmbeddings(
        base_url=f"{provider.address}/v1",
        api_key=SecretStr("demo"),
        check_embedding_ctx_length=False,
        default_headers=ONCE,
    )
    return Notes(embeddings=embeddings)


@tool
def send(to: str) -> str:
    """Send a letter."""
    return f"sent to {to}"


@tool
def fails(to: str) -> str:
    """Send a letter."""
    raise LookupError(f"no such person: {to}")


def tokens(spans: Spans) -> int:
    return sum(int(str((span.attributes or {}).get(semconv.INPUT_TOKENS, 0))) for span in spans.all())


ANSWER = [("invoke_workflow answer", ""), ("chat gpt-4o-mini-echo", "invoke_workflow answer")]


def test_a_chain_is_one_workflow_over_one_call(spans: Spans, provider: Provider) -> None:
    assert chain(provider).invoke({"text": f"I am {MAIL}"}) == f"I am {MAIL}"
    assert tree(spans) == ANSWER
    workflow = spans.all()[-1].attributes
    assert workflow == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "answer",
        "spanward.guard.verdict": "none",
        "spanward.guard.action": "none",
    }
    assert tokens(spans) == int(str((spans.one().attributes or {})[semconv.INPUT_TOKENS])) > 0
    assert MAIL.encode() not in provider.record[-1].body
    nothing_leaked(spans)


async def _read(runnable: Runnable[Where, str], text: str) -> str:
    return "".join([piece async for piece in runnable.astream({"text": text})])


WAYS: dict[str, Callable[[Runnable[Where, str], str], str]] = {
    "ainvoke": lambda runnable, text: asyncio.run(runnable.ainvoke({"text": text})),
    "stream": lambda runnable, text: "".join(runnable.stream({"text": text})),
    "astream": lambda runnable, text: asyncio.run(_read(runnable, text)),
    "batch of one": lambda runnable, text: runnable.batch([{"text": text}])[0],
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_run_a_chain_is_the_same(spans: Spans, provider: Provider, way: str) -> None:
    assert WAYS[way](chain(provider), f"I am {MAIL}") == f"I am {MAIL}"
    assert tree(spans) == ANSWER
    nothing_leaked(spans)


def test_a_stream_that_is_left_is_no_error(spans: Spans, provider: Provider) -> None:
    pieces = chain(provider, model="gpt-4o-mini-echo-chunks9").stream({"text": "one two three four"})
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]  # a generator
    assert {(span.name, span.status.is_ok) for span in spans.all() if span.name.startswith("invoke")} == {
        ("invoke_workflow answer", True)
    }
    assert tree(spans) == [("invoke_workflow answer", ""), ("chat gpt-4o-mini-echo-chunks9", "invoke_workflow answer")]


def test_many_at_once_do_not_mix(spans: Spans, provider: Provider) -> None:
    runnable = chain(provider)
    assert runnable.batch([{"text": f"n{n}"} for n in range(6)]) == [f"n{n}" for n in range(6)]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda n: runnable.invoke({"text": f"t{n}"}), range(6))) == [f"t{n}" for n in range(6)]

    async def main() -> list[str]:
        return await asyncio.gather(*(runnable.ainvoke({"text": f"a{n}"}) for n in range(6)))

    assert asyncio.run(main()) == [f"a{n}" for n in range(6)]
    workflows = {span.context.span_id: span for span in spans.all() if span.name == "invoke_workflow answer"}
    calls = spans.calls()
    assert len(workflows) == len(calls) == 18
    assert {call.parent.span_id for call in calls if call.parent} == set(workflows)
    assert {call.context.trace_id for call in calls} == {span.context.trace_id for span in workflows.values()}
    assert len({call.context.trace_id for call in calls}) == 18


def test_steps_within_are_no_spans_and_parents_are_kept(spans: Spans, provider: Provider) -> None:
    inner: Runnable[str, str] = RunnableLambda(lambda text: chain(provider).invoke({"text": text}))
    both = (RunnableLambda(str) | RunnableParallel(one=inner, two=inner)).with_config(run_name="both")
    assert both.invoke("hi") == {"one": "hi", "two": "hi"}
    call = ("chat gpt-4o-mini-echo", "invoke_workflow both")
    assert tree(spans) == [("invoke_workflow both", ""), call, call]


HELPER = "invoke_agent helper" if "ls_integration" in inspect.getsource(create_agent) else "invoke_workflow helper"
"""The first versions do not mark their agents."""


@pytest.mark.parametrize("is_async", [False, True])
def test_an_agent_with_its_tools(spans: Spans, provider: Provider, is_async: bool) -> None:
    agent = create_agent(chat(provider, model="gpt-4o-mini-tool"), [send], name="helper")
    asked: Any = {"messages": [{"role": "user", "content": f"write to {MAIL}"}]}
    answer = asyncio.run(agent.ainvoke(asked)) if is_async else agent.invoke(asked)
    given = next(message.tool_calls[0]["args"] for message in answer["messages"] if getattr(message, "tool_calls", ()))
    settle()
    assert tree(spans) == [
        (HELPER, ""),
        ("chat gpt-4o-mini-tool", HELPER),
        ("execute_tool send", HELPER),
        ("chat gpt-4o-mini-tool", HELPER),
    ]
    assert given
    nothing_leaked(spans)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_tool_tells_what_it_is_given_and_gives(spans: Spans, is_async: bool) -> None:
    call = {"name": "send", "args": {"to": MAIL}, "id": "c1", "type": "tool_call"}
    said = asyncio.run(send.ainvoke(call)) if is_async else send.invoke(call)
    assert said.content == f"sent to {MAIL}"
    settle()
    (span,) = [span for span in spans.all() if span.name == "execute_tool send"]
    attributes = dict(span.attributes or {})
    assert (
        attributes.items()
        >= {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "send",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": "c1",
            "gen_ai.tool.call.arguments": '{"to": "<EMAIL_ADDRESS_1>"}',
            "gen_ai.tool.call.result": "sent to <EMAIL_ADDRESS_1>",
        }.items()
    )
    nothing_leaked(spans)


def test_a_tool_that_fails_raises_its_own_error_and_quotes_nothing(spans: Spans) -> None:
    with pytest.raises(LookupError, match=MAIL):
        fails.invoke({"to": MAIL})
    (span,) = [span for span in spans.all() if span.name == "execute_tool fails"]
    assert (span.status.is_ok, span.status.description) == (False, "LookupError")
    assert (span.attributes or {})[semconv.ERROR_TYPE] == "LookupError"
    nothing_leaked(spans)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("alone", [False, True])
def test_a_search_over_embeddings(spans: Spans, provider: Provider, is_async: bool, alone: bool) -> None:
    retriever: Runnable[Any, Any] = notes(provider)
    asked = retriever if alone else (RunnableLambda(str) | retriever).with_config(run_name="find")
    found = asyncio.run(asked.ainvoke(f"who is {MAIL}")) if is_async else asked.invoke(f"who is {MAIL}")
    assert found[0].page_content == f"write to {MAIL}"
    settle()
    top = [] if alone else [("invoke_workflow find", "")]
    assert tree(spans) == [
        *top,
        ("retrieval Notes", "" if alone else "invoke_workflow find"),
        ("embeddings text-embedding-ada-002", "retrieval Notes"),
    ]
    (span,) = [span for span in spans.all() if span.name == "retrieval Notes"]
    assert (
        dict(span.attributes or {}).items()
        >= {
            "gen_ai.retrieval.query.text": f"who is {PLACEHOLDER}",
            "gen_ai.retrieval.documents": '[{"content":"write to <EMAIL_ADDRESS_1>","id":"d1","source":"notes.txt"},'
            '{"content":"nothing personal","id":"d2"}]',
        }.items()
    )
    nothing_leaked(spans)


def test_after_a_search_calls_are_no_part_of_it(spans: Spans, provider: Provider) -> None:
    def answer(question: str) -> str:
        notes(provider).invoke(question)
        return chain(provider).invoke({"text": question})

    assert RunnableLambda(answer).with_config(run_name="rag").invoke("hi") == "hi"
    assert tree(spans) == [
        ("invoke_workflow rag", ""),
        ("retrieval Notes", "invoke_workflow rag"),
        ("embeddings text-embedding-ada-002", "retrieval Notes"),
        ("chat gpt-4o-mini-echo", "invoke_workflow rag"),
    ]


class Fake(GenericFakeChatModel):
    """A model whose client nobody traces."""


def fake(*answers: Any) -> Fake:
    return Fake(messages=iter(answers))


USED = {"input_tokens": 30, "output_tokens": 7, "total_tokens": 37, "input_token_details": {"cache_read": 10}}
FAKE = AIMessage(
    f"hello {MAIL}", usage_metadata=USED, response_metadata={"model_name": "fake-1", "finish_reason": "stop"}
)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_model_without_an_adapter_is_told_by_langchain(spans: Spans, is_async: bool) -> None:
    model = fake(FAKE).with_config(run_name="m")
    asked = [HumanMessage(f"I am {MAIL}")]
    answer = asyncio.run(model.ainvoke(asked)) if is_async else model.invoke(asked)
    assert answer.content == f"hello {MAIL}"
    settle()
    (call,) = spans.calls()
    attributes = dict(call.attributes or {})
    for name in [name for name in attributes if name.startswith("spanward.guard.")]:
        del attributes[name]
    del attributes[semconv.USAGE_RAW]
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "fake",
        "gen_ai.request.model": "generic-fake-chat-model",
        "gen_ai.response.model": "fake-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 30,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 10,
        "spanward.usage.source": "provider",
        "gen_ai.input.messages": f'[{{"role":"user","parts":[{{"type":"text","content":"I am {PLACEHOLDER}"}}]}}]',
        "gen_ai.output.messages": f'[{{"role":"assistant","parts":[{{"type":"text","content":"hello {PLACEHOLDER}"}}],'
        '"finish_reason":"stop"}]',
    }
    nothing_leaked(spans)


def test_a_stream_of_a_model_without_an_adapter(spans: Spans) -> None:
    pieces = [piece.content for piece in fake(AIMessage("one two three")).stream("hi")]
    assert "".join(map(str, pieces)) == "one two three"
    (call,) = spans.calls()
    attributes = dict(call.attributes or {})
    assert (attributes[semconv.REQUEST_STREAM], attributes[semconv.STREAM_END]) == (True, "complete")
    assert attributes[semconv.STREAM_CHUNKS] == len([piece for piece in pieces if piece])


def test_an_answer_out_of_the_cache_is_no_call(spans: Spans, provider: Provider) -> None:
    cache = InMemoryCache()
    for _ in range(3):
        assert chat(provider, cache=cache).invoke("hi").content == "hi"
    assert len(provider.record) == 1
    assert tree(spans) == [("chat gpt-4o-mini-echo", "")]


def test_what_is_undone_hears_nothing(spans: Spans, provider: Provider, tmp_path: Any) -> None:
    spanward.uninstrument()
    with traced(tmp_path / "one", guards="off") as first:
        runnable = chain(provider)
        runnable.invoke({"text": "hi"})
        assert tree(first) == ANSWER
    with traced(tmp_path / "two", guards="off") as second:
        runnable.invoke({"text": "hi"})
        assert tree(second) == ANSWER
        assert tree(first) == ANSWER
    from langchain_core.tracers import context

    assert not [hook for hook in context._configure_hooks if "spanward" in str(hook[0])]
