"""The `openai` package, 2.x and 3.x, for OpenAI, Azure OpenAI and every server that speaks their protocol.

Not model calls, so not traced: `responses.retrieve` and `cancel` (they repeat what `create` began; the originals behind
the placeholders of a background response are not put back in what they give), files, fine-tuning, vector stores.
`responses.stream`, `chat.completions.stream` and `videos.create_and_poll` call `create`. What talks through a web
socket, or makes its model calls at OpenAI later (`UNSEEN`), cannot be guarded or timed here: each use is counted, and
told as that of a client without an adapter.
"""

from typing import Any

from .. import health
from ..adapter import Adapter, Endpoint, Kwargs
from ..leftover import HTTP
from ..semconv import COUNT_TOKENS
from ..unknown import KIND
from . import counting, openai_chat_stream, openai_responses_stream
from . import openai_audio as audio
from . import openai_chat as chat
from . import openai_completions as completions
from . import openai_decisions as decisions
from . import openai_embeddings as embeddings
from . import openai_images as images
from . import openai_moderations as moderations
from . import openai_responses as responses
from .openai_hosts import provider
from .openai_usage import ChatUsage
from .stainless import RawResponse, Sdk, address, streams

SDK = Sdk("openai", provider)
_RESPONSES = ("responses.responses", "beta.responses.responses")
"""The modules that define the classes: a look into the packages above would load them before the application does."""
UNSEEN = (
    ("openai.resources.realtime.realtime", "Realtime.connect"),
    ("openai.resources.beta.realtime.realtime", "Realtime.connect"),
    ("openai.resources.live.live", "Live.connect"),
    ("openai.resources.live.live", "Live.create"),
    ("openai.resources.live.sideband", "Sideband.connect"),
    ("openai.resources.responses.responses", "Responses.connect"),
    ("openai.resources.beta.responses.responses", "Responses.connect"),
    ("openai.resources.beta.threads.runs.runs", "Runs.create"),
    ("openai.resources.beta.agents.sessions.sessions", "Sessions.create"),
    ("openai.resources.batches", "Batches.create"),
)


def _chat(method: str, reply_type: str, *, validates: bool = False) -> Endpoint:
    return chat.endpoint(
        SDK,
        "chat.completions.completions",
        openai_chat_stream.Reader,
        method=method,
        reply_type=reply_type,
        validates=validates,
        extra_usage=ChatUsage(),
    )


def _responses(method: str, reply_type: str, *, beta: bool = False, validates: bool = False) -> Endpoint:
    types, event = ("beta", "BetaResponseStreamEvent") if beta else ("responses", "ResponseStreamEvent")
    return SDK.endpoint(
        _RESPONSES[beta],
        f"Responses.{method}",
        "chat",
        responses.request,
        responses.response,
        reader=openai_responses_stream.Reader,
        reply=SDK.reply(types, reply_type, responses.reply),
        reply_stream=SDK.reply_stream(
            types, event, lambda call, text: responses.frames(responses.reply_chunks(call, text))
        ),
        streams=streams,
        validates=validates,
    )


def _compact(*, beta: bool = False) -> Endpoint:
    return SDK.endpoint(_RESPONSES[beta], "Responses.compact", "chat", responses.request, responses.response)


def _counting(module: str) -> Endpoint:
    return SDK.endpoint(module, "InputTokens.count", COUNT_TOKENS, responses.request, counting.response)


def _images(method: str) -> Endpoint:
    return SDK.endpoint(
        "images", f"Images.{method}", "image_generation", images.request, images.response,
        reader=images.Reader, streams=streams,
    )  # fmt: skip


def _video(method: str) -> Endpoint:
    """Told as an image: the conventions have no name for videos, and like images they are not counted in text."""
    return SDK.endpoint("videos", f"Videos.{method}", "image_generation", images.request, images.video)


def _unseen(module: str, method: str) -> Endpoint:
    """Lets the call through, and says that it was made."""
    owner, _, name = method.partition(".")

    def applies(instance: Any, kwargs: Kwargs) -> bool:  # noqa: ARG001  the face of `Endpoint.applies`
        host, _ = address(instance._client)  # noqa: SLF001  a resource's only way to its client
        health.count(KIND, f"openai {module.removeprefix('openai.resources.')}.{name} to {host}")
        return False

    def untold(*_: Any) -> Any:
        raise LookupError("this endpoint applies to no call")

    return Endpoint(module, method, f"Async{owner}.{name}", request=untold, response=untold, applies=applies)


ADAPTER = Adapter(
    library="openai",
    distribution="openai",
    oldest="2.0",
    below="4",
    raw=RawResponse("true"),
    apart=HTTP,
    endpoints=(
        # `stream` of both calls `create`
        _chat("create", "ChatCompletion"),
        _chat("parse", "ParsedChatCompletion", validates=True),
        _responses("create", "Response"),
        _responses("parse", "ParsedResponse", validates=True),
        _responses("create", "BetaResponse", beta=True),
        _compact(),
        _compact(beta=True),
        _counting("responses.input_tokens"),
        _counting("beta.responses.input_tokens"),
        SDK.endpoint("embeddings", "Embeddings.create", "embeddings", embeddings.request, embeddings.response),
        SDK.endpoint(
            "completions",
            "Completions.create",
            "text_completion",
            completions.request,
            completions.response,
            reader=completions.Reader,
            reply=SDK.reply("completion", "Completion", completions.reply),
            reply_stream=SDK.reply_stream("completion", "Completion", completions.frames),
            streams=streams,
            extra_usage=ChatUsage(),
        ),
        _images("generate"),
        _images("edit"),
        _images("create_variation"),
        _video("create"),
        _video("edit"),
        _video("extend"),
        _video("remix"),
        SDK.endpoint("audio.speech", "Speech.create", "speech", audio.speech, audio.spoken, raw=audio.Unread("true")),
        audio.transcripts(SDK, "transcriptions", "Transcriptions", reader=audio.Reader, streams=streams),
        audio.transcripts(SDK, "translations", "Translations", reader=audio.Reader, streams=streams),
        SDK.endpoint("moderations", "Moderations.create", "moderation", moderations.request, moderations.response),
        SDK.endpoint("decisions", "Decisions.create", "chat", decisions.request, decisions.response, validates=True),
        *(_unseen(module, method) for module, method in UNSEEN),
    ),
)
