"""Real LlamaIndex over the real SDK: one tree of spans, each token counted once, nothing personal in any of it."""

import asyncio
import gc
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

import spanward
from spanward.collector.demo.provider import Provider
from spanward.tracer import semconv

from ..inmemory import Spans
from .conftest import MAIL, PLACEHOLDER, nothing_leaked, settle, tree

pytest.importorskip("llama_index.core")

from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
)
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import CustomLLM, MockLLM
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.schema import TextNode
from llama_index.core.tools import FunctionTool, ToolSelection
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step
from llama_index_instrumentation import root_dispatcher

CALL = "chat gpt-4o-mini-echo"


class OverOpenAI(CustomLLM):
    """A model behind the traced SDK, as the integrations are."""

    address: str
    name: str = "gpt-4o-mini-echo"

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name=self.name)

    def _asked(self, prompt: str, **more: Any) -> dict[str, Any]:
        return {"model": self.name, "messages": [{"role": "user", "content": prompt}], **more}

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        with openai.OpenAI(base_url=f"{self.address}/v1", api_key="demo", max_retries=0) as client:
            answer = client.chat.completions.create(**self._asked(prompt))
        return CompletionResponse(text=answer.choices[0].message.content or "")

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        async with openai.AsyncOpenAI(base_url=f"{self.address}/v1", api_key="demo", max_retries=0) as client:
            answer = await client.chat.completions.create(**self._asked(prompt))
        return CompletionResponse(text=answer.choices[0].message.content or "")

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        def read() -> CompletionResponseGen:
            text = ""
            with openai.OpenAI(base_url=f"{self.address}/v1", api_key="demo", max_retries=0) as client:
                for chunk in client.chat.completions.create(**self._asked(prompt, stream=True)):
                    delta = (chunk.choices[0].delta.content or "") if chunk.choices else ""
                    text += delta
                    yield CompletionResponse(text=text, delta=delta)

        return read()

    @llm_completion_callback()
    async def astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseAsyncGen:
        async def read() -> CompletionResponseAsyncGen:
            text = ""
            async with openai.AsyncOpenAI(base_url=f"{self.address}/v1", api_key="demo", max_retries=0) as client:
                async for chunk in await client.chat.completions.create(**self._asked(prompt, stream=True)):
                    delta = (chunk.choices[0].delta.content or "") if chunk.choices else ""
                    text += delta
                    yield CompletionResponse(text=text, delta=delta)

        return read()


class Letters(BaseEmbedding):
    """Counts letters, and asks nobody."""

    def _get_query_embedding(self, query: str) -> list[float]:
        return [float(query.count(letter)) for letter in "abcdefghij"]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_query_embedding(text)


class OverOpenAIEmbedding(BaseEmbedding):
    """Embeds behind the traced SDK."""

    address: str

    def _get_query_embedding(self, query: str) -> list[float]:
        with openai.OpenAI(base_url=f"{self.address}/v1", api_key="demo", max_retries=0) as client:
            return client.embeddings.create(model="text-embedding-3-small", input=query).data[0].embedding

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_query_embedding(text)


NODES = [
    TextNode(text=f"Ada is at {MAIL}", id_="doc-1", metadata={"file": "people.txt"}),
    TextNode(text="figs", id_="doc-2"),
]


def index(spans: Spans, embedding: BaseEmbedding) -> Any:
    made = VectorStoreIndex(NODES, embed_model=embedding)
    settle()
    spans.clear()
    return made


def by_kind(spans: Spans, kind: str) -> list[dict[str, Any]]:
    settle()
    told = [dict(span.attributes or {}) for span in spans.all()]
    return [one for one in told if one.get(semconv.OPERATION) == kind]


def test_a_retriever(spans: Spans) -> None:
    retriever = index(spans, Letters(model_name="letters")).as_retriever(similarity_top_k=2)
    nodes = retriever.retrieve(f"who is {MAIL}")
    assert [(one.node.node_id, one.node.text) for one in nodes] == [("doc-1", NODES[0].text), ("doc-2", "figs")]
    assert tree(spans) == [
        ("retrieval VectorIndexRetriever", ""),
        ("embeddings letters", "retrieval VectorIndexRetriever"),
    ]
    (told,) = by_kind(spans, "retrieval")
    assert (told[semconv.REQUEST_TOP_K], told[semconv.RETRIEVAL_COUNT]) == (2, 2)
    assert list(told[semconv.RETRIEVAL_SCORES]) == pytest.approx([one.score for one in nodes])
    assert told[semconv.QUERY] == f"who is {PLACEHOLDER}"
    assert json.loads(told[semconv.DOCUMENTS]) == [
        {"id": "doc-1", "content": {"metadata": {"file": "people.txt"}, "text": f"Ada is at {PLACEHOLDER}"}},
        {"id": "doc-2", "content": "figs"},
    ]
    nothing_leaked(spans)


QUERY = "invoke_workflow RetrieverQueryEngine"
TREE = [
    (QUERY, ""),
    ("retrieval VectorIndexRetriever", QUERY),
    ("embeddings text-embedding-3-small", "retrieval VectorIndexRetriever"),
    (CALL, QUERY),
]


def engine(spans: Spans, provider: Provider, **more: Any) -> Any:
    embedding = OverOpenAIEmbedding(address=provider.address)
    return index(spans, embedding).as_query_engine(llm=OverOpenAI(address=provider.address), **more)


def check_query(spans: Spans, answer: str) -> None:
    assert tree(spans) == TREE
    (told,) = by_kind(spans, "invoke_workflow")
    assert MAIL in answer
    (asked,) = json.loads(told[semconv.INPUT_MESSAGES])
    assert asked["parts"] == [{"type": "text", "content": f"who is {PLACEHOLDER}"}]
    (said,) = json.loads(told[semconv.OUTPUT_MESSAGES])
    assert said["parts"][0]["content"].replace(PLACEHOLDER, MAIL) == answer
    assert sum(one[semconv.INPUT_TOKENS] > 0 for one in by_kind(spans, "chat")) == 1
    assert semconv.INPUT_TOKENS not in told
    nothing_leaked(spans)


def test_a_query(spans: Spans, provider: Provider) -> None:
    answer = engine(spans, provider).query(f"who is {MAIL}")
    assert type(answer).__name__ == "Response"
    check_query(spans, answer.response)
    assert MAIL not in str(provider.record)


def test_an_async_query(spans: Spans, provider: Provider) -> None:
    asking = engine(spans, provider)
    answer = asyncio.run(asking.aquery(f"who is {MAIL}"))
    check_query(spans, answer.response)


def test_a_query_that_is_streamed_ends_with_its_stream(spans: Spans, provider: Provider) -> None:
    answer = engine(spans, provider, streaming=True).query(f"who is {MAIL}")
    assert by_kind(spans, "invoke_workflow") == []
    text = "".join(answer.response_gen)
    check_query(spans, text)
    (workflow,) = (span for span in spans.all() if span.name == QUERY)
    (call,) = (span for span in spans.all() if span.name == CALL)
    assert (workflow.end_time or 0) >= (call.end_time or 0)


def test_an_async_query_that_is_streamed(spans: Spans, provider: Provider) -> None:
    asking = engine(spans, provider, streaming=True)

    async def run() -> str:
        answer = await asking.aquery(f"who is {MAIL}")
        return "".join([piece async for piece in answer.async_response_gen()])

    check_query(spans, asyncio.run(run()))


def test_a_stream_that_is_left(spans: Spans, provider: Provider) -> None:
    answer = engine(spans, provider, streaming=True).query(f"who is {MAIL}")
    next(answer.response_gen)
    del answer
    gc.collect()
    assert tree(spans) == TREE


def test_a_stream_that_nobody_reads(spans: Spans, provider: Provider) -> None:
    answer = engine(spans, provider, streaming=True).query(f"who is {MAIL}")
    del answer
    gc.collect()
    deadline = time.monotonic() + 10
    while not by_kind(spans, "invoke_workflow"):  # ended in a thread of its own
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert tree(spans) == TREE[:3]


def test_a_stream_whose_answer_is_dropped(spans: Spans, provider: Provider) -> None:
    stream = engine(spans, provider, streaming=True).query(f"who is {MAIL}").response_gen
    gc.collect()
    check_query(spans, "".join(stream))


def test_the_exception_is_the_librarys(spans: Spans, provider: Provider) -> None:
    asking = index(spans, Letters(model_name="letters")).as_query_engine(
        llm=OverOpenAI(address=provider.address, name="gpt-4o-mini-err-500")
    )
    with pytest.raises(openai.InternalServerError):
        asking.query("hello")
    (told,) = by_kind(spans, "invoke_workflow")
    assert told[semconv.ERROR_TYPE] == "InternalServerError"
    (span,) = (span for span in spans.all() if span.name == QUERY)
    assert (span.status.status_code.name, span.status.description) == ("ERROR", "InternalServerError HTTP 500")


def test_threads(spans: Spans, provider: Provider) -> None:
    asking = engine(spans, provider)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: asking.query(f"number {n}").response, range(8)))
    assert all(f"number {n}" in answer for n, answer in enumerate(answers))
    check_forest(spans, 8)


def test_at_once(spans: Spans, provider: Provider) -> None:
    asking = engine(spans, provider)

    async def run() -> list[Any]:
        return await asyncio.gather(*(asking.aquery(f"number {n}") for n in range(8)))

    assert all(f"number {n}" in answer.response for n, answer in enumerate(asyncio.run(run())))
    check_forest(spans, 8)


def check_forest(spans: Spans, number: int) -> None:
    """As many trees as there were questions, each whole."""
    settle()
    told = [span for span in spans.all() if semconv.OPERATION in (span.attributes or {})]
    told = [span for span in told if span.name != semconv.RUN_GUARDRAIL]
    traces: dict[int, list[str]] = {}
    for span in told:
        traces.setdefault(span.context.trace_id, []).append(span.name)
    assert len(traces) == number
    assert all(sorted(names) == sorted(name for name, _ in TREE) for names in traces.values())


def test_a_model_without_an_adapter_is_told_once(spans: Spans) -> None:
    llm = MockLLM(max_tokens=4)
    llm.chat([ChatMessage(role="system", content="be kind"), ChatMessage(content=f"mail {MAIL} for me")])
    assert tree(spans) == [("chat unknown", "")]
    (told,) = by_kind(spans, "chat")
    assert told[semconv.PROVIDER] == "llama_index"
    (asked,) = json.loads(told[semconv.INPUT_MESSAGES])
    assert asked["parts"][0]["content"] == f"mail {PLACEHOLDER} for me"
    assert semconv.OUTPUT_MESSAGES in told
    nothing_leaked(spans)


def test_a_model_without_an_adapter_that_streams(spans: Spans) -> None:
    pieces = list(MockLLM(max_tokens=3).stream_complete("a b c d e"))
    assert len(pieces) > 1
    (told,) = by_kind(spans, "text_completion")
    assert (told[semconv.STREAM_END], told[semconv.STREAM_CHUNKS]) == ("complete", len(pieces))
    (said,) = json.loads(told[semconv.OUTPUT_MESSAGES])
    assert said["parts"][0]["content"] == pieces[-1].text


def test_a_chat_engine_that_streams_in_a_thread(spans: Spans, provider: Provider) -> None:
    talking = SimpleChatEngine.from_defaults(
        llm=OverOpenAI(address=provider.address), memory=ChatMemoryBuffer.from_defaults(token_limit=1000)
    )
    before = threading.enumerate()
    answer = talking.stream_chat(f"hello {MAIL}")
    text = "".join(answer.response_gen)
    assert MAIL in text
    for thread in threading.enumerate():
        if thread not in before:
            thread.join(10)
    assert tree(spans) == [("invoke_workflow SimpleChatEngine", ""), (CALL, "invoke_workflow SimpleChatEngine")]
    nothing_leaked(spans)


def letter(to: str) -> str:
    """Write a letter."""
    return f"Dear {to}"


def refuse(to: str) -> str:
    """Fails."""
    raise LookupError(to)


def test_a_tool(spans: Spans) -> None:
    answer = FunctionTool.from_defaults(letter)(to=MAIL)
    assert answer.content == f"Dear {MAIL}"
    (told,) = by_kind(spans, "execute_tool")
    assert told[semconv.TOOL_NAME] == "letter"
    assert json.loads(told[semconv.TOOL_ARGUMENTS]) == {"to": PLACEHOLDER}
    assert told[semconv.TOOL_RESULT] == f"Dear {PLACEHOLDER}"
    nothing_leaked(spans)


def test_a_tool_that_fails(spans: Spans) -> None:
    with pytest.raises(LookupError):
        asyncio.run(FunctionTool.from_defaults(refuse).acall(to=MAIL))
    (told,) = by_kind(spans, "execute_tool")
    assert told[semconv.ERROR_TYPE] == "LookupError"
    nothing_leaked(spans)


class Caller(FunctionCallingLLM):
    """Asks for the tool first, and says what it gave then."""

    tool: str = "letter"

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="caller", is_function_calling_model=True)

    def _answer(self, messages: Any) -> ChatResponse:
        last = messages[-1]
        called = str(last.role.value) == "tool"
        text = f"It says: {last.content}" if called else ""
        return ChatResponse(message=ChatMessage(role="assistant", content=text), additional_kwargs={"called": called})

    def chat(self, messages: Any, **kwargs: Any) -> ChatResponse:
        return self._answer(messages)

    async def achat(self, messages: Any, **kwargs: Any) -> ChatResponse:
        return self._answer(messages)

    def stream_chat(self, messages: Any, **kwargs: Any) -> Any:
        return iter([self._answer(messages)])

    async def astream_chat(self, messages: Any, **kwargs: Any) -> Any:
        async def read() -> Any:
            yield self._answer(messages)

        return read()

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        raise NotImplementedError

    acomplete = stream_complete = astream_complete = complete

    def _prepare_chat_with_tools(self, tools: Any, *args: Any, **kwargs: Any) -> Any:
        return {"messages": kwargs.get("chat_history") or []}

    def get_tool_calls_from_response(self, response: Any, *args: Any, **kwargs: Any) -> list[ToolSelection]:
        if response.additional_kwargs["called"]:
            return []
        return [ToolSelection(tool_id="1", tool_name=self.tool, tool_kwargs={"to": MAIL})]


# LlamaIndex's workflows look at every attribute of an agent, which is a model of pydantic's
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince211")
def test_an_agent(spans: Spans) -> None:
    agent = FunctionAgent(
        name="clerk", tools=[FunctionTool.from_defaults(letter)], llm=Caller(), streaming=False, system_prompt="be kind"
    )

    async def run() -> str:
        return str(await agent.run(f"write to {MAIL}"))

    assert asyncio.run(run()) == f"It says: Dear {MAIL}"
    assert tree(spans) == [
        ("invoke_agent clerk", ""),
        ("chat caller", "invoke_agent clerk"),
        ("execute_tool letter", "invoke_agent clerk"),
        ("chat caller", "invoke_agent clerk"),
    ]
    (told,) = by_kind(spans, "invoke_agent")
    assert told[semconv.AGENT_NAME] == "clerk"
    (asked,) = json.loads(told[semconv.INPUT_MESSAGES])
    assert asked["parts"][0]["content"] == f"write to {PLACEHOLDER}"
    (said,) = json.loads(told[semconv.OUTPUT_MESSAGES])
    assert said["parts"][0]["content"] == f"It says: Dear {PLACEHOLDER}"
    nothing_leaked(spans)


class Asking(Workflow):
    llm: Any = None

    @step
    async def ask(self, event: StartEvent) -> StopEvent:
        answer = await self.llm.acomplete(event.question)
        return StopEvent(result=answer.text)


def test_a_workflow(spans: Spans, provider: Provider) -> None:
    asking = Asking()
    asking.llm = OverOpenAI(address=provider.address)

    async def run() -> str:
        return str(await asking.run(question=f"hello {MAIL}"))

    assert MAIL in asyncio.run(run())
    assert tree(spans) == [("invoke_workflow Asking", ""), (CALL, "invoke_workflow Asking")]
    nothing_leaked(spans)


def ours() -> int:
    """How many of our handlers the dispatcher has."""
    handlers: list[Any] = [*root_dispatcher.span_handlers, *root_dispatcher.event_handlers]
    return sum(type(one).__module__.startswith("spanward") for one in handlers)


def test_undone(spans: Spans) -> None:
    """Last of all, since it takes down what serves the module."""
    assert ours() == 2
    spanward.uninstrument()
    assert ours() == 0
    assert FunctionTool.from_defaults(letter)(to="x").content == "Dear x"
    assert not [span for span in spans.all() if span.name.startswith("execute_tool")]
