"""The `google-genai` package against Vertex AI: the same content, at a path of the project's own.

A transport of the application's own makes the asynchronous client use httpx2, as it does where aiohttp is missing.
"""

import importlib
from dataclasses import replace
from typing import Any

from .google_genai import SUBJECT as GEMINI
from .google_genai import AsyncUse, options, routes


def client(address: str, retries: int, timeout_s: float) -> Any:
    from google import genai
    from google.auth.credentials import AnonymousCredentials

    httpx2 = importlib.import_module("httpx2")
    credentials: Any = AnonymousCredentials()  # type: ignore[no-untyped-call]  # a library without types
    credentials.token = "demo"
    return genai.Client(
        vertexai=True,
        project="demo",
        location="europe-west4",
        credentials=credentials,
        http_options=options(address, retries, timeout_s).model_copy(
            update={"async_client_args": {"transport": httpx2.AsyncHTTPTransport()}}
        ),
    )


SUBJECT = replace(
    GEMINI,
    name="vertex",
    provider="gcp.vertex_ai",
    routes=routes("/{api}/projects/demo/locations/europe-west4/publishers/google"),
    client=client,
    http_spans=True,
    async_client=lambda address, retries, timeout_s: AsyncUse(client(address, retries, timeout_s)),
)
