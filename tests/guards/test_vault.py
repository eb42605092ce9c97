"""Pseudonyms in memory: bounded, short-lived, and never shown."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.judgement import Context
from spanward.guards.pseudonyms import FAR, FAR_SPAN, Given, Pseudonyms
from spanward.guards.vault import Vault


def session(name: str, app: str = "a", environment: str = "", tenant: str = "") -> Context:
    return Context(app=app, environment=environment, session_id=name, tenant=tenant)


def test_sessions_are_kept_apart_by_app_and_environment() -> None:
    vault = Vault()
    assert vault.pseudonyms(session("s")) is vault.pseudonyms(session("s"))
    assert vault.pseudonyms(session("s")) is not vault.pseudonyms(session("s", app="b"))
    assert vault.pseudonyms(session("s")) is not vault.pseudonyms(session("s", environment="prod"))
    assert vault.pseudonyms(session("s")) is not vault.pseudonyms(session("s", tenant="acme"))
    assert vault.pseudonyms(Context()) is not vault.pseudonyms(Context())


def test_a_tenant_is_forgotten_whole() -> None:
    vault = Vault()
    ours, theirs = vault.pseudonyms(session("s")), vault.pseudonyms(session("s", tenant="acme"))
    vault.forget("acme")
    assert vault.pseudonyms(session("s")) is ours
    assert vault.pseudonyms(session("s", tenant="acme")) is not theirs


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


class Paper:
    """Keeps what it is given while `works`."""

    def __init__(self) -> None:
        self.works = True
        self.kept: list[Given] = []

    def __call__(self, given: Sequence[Given]) -> bool:
        self.kept += given if self.works else ()
        return self.works


def test_what_is_given_out_is_kept_once_and_known_again() -> None:
    paper = Paper()
    names = Pseudonyms(keep=paper)
    given = [names.placeholder("X", value) for value in "aba"]
    assert names.save(given)
    assert names.save(given)
    assert paper.kept == [Given("X", 1, "a"), Given("X", 2, "b")]
    again = Pseudonyms(known=paper.kept)
    assert [again.placeholder("X", value) for value in "abc"] == ["<X_1>", "<X_2>", "<X_3>"]


def test_a_value_with_two_placeholders_has_the_later_one_again() -> None:
    again = Pseudonyms(known=[Given("X", 1, "a"), Given("X", 2, "a")])
    assert again.placeholder("X", "a") == "<X_2>"


def test_what_could_not_be_kept_is_taken_back_and_named_anew_beyond_reach() -> None:
    paper = Paper()
    names = Pseudonyms(keep=paper)
    first = names.placeholder("X", "a")
    assert names.save([first])
    paper.works = False
    second, third = names.placeholder("X", "b"), names.placeholder("Y", "c")
    assert not names.save([first, second, third])
    assert names.placeholder("X", "a") == first
    far = [names.placeholder("X", "b"), names.placeholder("Y", "c"), names.placeholder("X", "d")]
    assert names.save([first, *far])
    numbers = [int(name[3:-1]) for name in far]
    assert all(FAR <= number < FAR + FAR_SPAN + 2 for number in numbers)
    assert numbers[2] == numbers[0] + 1
    paper.works = True
    assert names.save([])
    assert [given.placeholder for given in paper.kept] == [first, *far]


def test_a_name_of_another_thread_that_was_taken_back_is_ours_too() -> None:
    """The other thread was told; we hold the same placeholder and must not let it leave."""
    paper = Paper()
    paper.works = False
    names = Pseudonyms(keep=paper)
    theirs = names.placeholder("X", "a")
    ours = names.placeholder("X", "a")
    assert not names.save([theirs])
    assert not names.save([ours])
    assert names.save([names.placeholder("X", "a")])


def test_two_processes_that_keep_nothing_do_not_meet() -> None:
    ours, theirs = (Pseudonyms(far=True) for _ in range(2))
    assert not {ours.placeholder("X", str(n)) for n in range(50)} & {theirs.placeholder("X", str(n)) for n in range(50)}


def test_threads_agree() -> None:
    names = Pseudonyms()
    values = [str(n % 50) for n in range(2000)]
    with ThreadPoolExecutor(8) as pool:
        pairs = set(zip(values, pool.map(lambda value: names.placeholder("X", value), values), strict=True))
    assert len(pairs) == 50
