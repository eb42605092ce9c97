"""Pseudonyms in memory: bounded, short-lived, and never shown."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.judgement import Context
from spanward.guards.pseudonyms import Pseudonyms
from spanward.guards.vault import Vault


def session(name: str, app: str = "a", environment: str = "") -> Context:
    return Context(app=app, environment=environment, session_id=name)


def test_sessions_are_kept_apart_by_app_and_environment() -> None:
    vault = Vault()
    assert vault.pseudonyms(session("s")) is vault.pseudonyms(session("s"))
    assert vault.pseudonyms(session("s")) is not vault.pseudonyms(session("s", app="b"))
    assert vault.pseudonyms(session("s")) is not vault.pseudonyms(session("s", environment="prod"))
    assert vault.pseudonyms(Context()) is not vault.pseudonyms(Context())


def test_sessions_are_forgotten_in_time_and_beyond_the_bound() -> None:
    now = [0.0]
    vault = Vault(sessions=2, ttl_s=10, clock=lambda: now[0])
    first = vault.pseudonyms(session("1"))
    now[0] = 9
    assert vault.pseudonyms(session("1")) is first
    now[0] = 18.9
    assert vault.pseudonyms(session("1")) is first
    now[0] = 30
    assert vault.pseudonyms(session("1")) is not first
    second = vault.pseudonyms(session("2"))
    vault.pseudonyms(session("3"))
    assert vault.pseudonyms(session("3")) is not second
    assert len(vault._sessions) <= 2


def test_values_are_never_shown() -> None:
    vault = Vault()
    vault.pseudonyms(session("s")).placeholder("X", "canary")
    assert "canary" not in repr(vault) + repr(vault.pseudonyms(session("s"))) + str(vault.pseudonyms(session("s")))


def test_a_forgotten_value_gets_a_number_that_was_never_given() -> None:
    names = Pseudonyms(limit=2)
    assert [names.placeholder("X", value) for value in "abca"] == ["<X_1>", "<X_2>", "<X_3>", "<X_4>"]


@given(
    st.lists(st.tuples(st.sampled_from("XY"), st.text(max_size=2)), max_size=30),
    st.sets(st.sampled_from(["<X_1>", "<Y_2>"])),
)
def test_one_value_one_name_and_never_a_taken_one(asked: list[tuple[str, str]], taken: set[str]) -> None:
    names = Pseudonyms()
    given_out = {value: names.placeholder(label, value, taken) for label, value in asked}
    assert len(set(given_out.values())) == len(given_out)
    assert not taken & set(given_out.values())
    assert all(names.placeholder("Z", value, taken) == name for value, name in given_out.items())


def test_threads_agree() -> None:
    names = Pseudonyms()
    values = [str(n % 50) for n in range(2000)]
    with ThreadPoolExecutor(8) as pool:
        pairs = set(zip(values, pool.map(lambda value: names.placeholder("X", value), values), strict=True))
    assert len(pairs) == 50
