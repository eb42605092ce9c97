"""Calls a method of a real SDK, sync or async, whole or streamed, whichever way a test asks for."""

import asyncio
from operator import attrgetter
from typing import Any

WAYS = ("sync", "async")


def drive(make: Any, way: str, method: str, **kwargs: Any) -> Any:
    """What `make(way)`'s client gives for `method`; of a stream the list of its chunks."""
    return _sync(make, method, kwargs) if way == "sync" else asyncio.run(_async(make, method, kwargs))


def _sync(make: Any, method: str, kwargs: dict[str, Any]) -> Any:
    with make("sync") as client:
        result = attrgetter(method)(client)(**kwargs)
        return list(result) if kwargs.get("stream") else result


async def _async(make: Any, method: str, kwargs: dict[str, Any]) -> Any:
    async with make("async") as client:
        result = await attrgetter(method)(client)(**kwargs)
        return [chunk async for chunk in result] if kwargs.get("stream") else result
