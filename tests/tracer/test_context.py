"""Who is asking: blocks, decorators, tasks and threads."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from spanward.tracer.context import Scope, current, prompt, session, tags, user


def bare(scope: Scope) -> tuple[object, ...]:
    return (scope.session_id, scope.user_id, scope.user_group, scope.prompt_name, scope.prompt_version, scope.tags)


def test_blocks_nest_and_end() -> None:
    with session("s"), user("u", group="g"), tags("a", "b"):
        with user("v"), prompt("p", "2"), tags("b", "c"):
            assert bare(current()) == ("s", "v", "g", "p", "2", ("a", "b", "c"))
        assert bare(current()) == ("s", "u", "g", "", "", ("a", "b"))
    assert current() == Scope()


def test_functions_and_coroutines_can_be_decorated() -> None:
    @session("s")
    @tags("t")
    def plain(x: int) -> tuple[int, str, tuple[str, ...]]:
        return x, current().session_id, current().tags

    @user("u")
    async def coroutine() -> str:
        await asyncio.sleep(0)
        return current().user_id

    async def many() -> list[str]:
        return list(await asyncio.gather(*(coroutine() for _ in range(3))))

    assert plain(1) == (1, "s", ("t",))
    assert asyncio.run(many()) == ["u", "u", "u"]
    assert current() == Scope()


def test_one_setting_may_be_entered_by_many_at_once() -> None:
    shared = session("s")

    async def one(n: int) -> str:
        with user(str(n)), shared:
            await asyncio.sleep(0)
            return current().session_id + current().user_id

    async def many() -> list[str]:
        return list(await asyncio.gather(*(one(n) for n in range(3))))

    assert asyncio.run(many()) == ["s0", "s1", "s2"]


def test_threads_see_what_their_context_says() -> None:
    with ThreadPoolExecutor(1) as pool, session("s"):
        assert pool.submit(lambda: current().session_id).result() == ""
        assert pool.submit(copy_context().run, lambda: current().session_id).result() == "s"
