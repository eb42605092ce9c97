"""What is sealed opens only where it belongs, and shows nothing."""

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from spanward.collector.vault.box import NONCE, Box, Unreadable
from spanward.guards.judgement import Context
from spanward.guards.pseudonyms import Given

KEY = bytes(range(32))
BOX = Box.made("acme", KEY)
SESSION = BOX.session(Context(app="shop", session_id="s"))
CANARY = Given("PERSON", 1, "Ada Canary")
SEALED = BOX.seal(SESSION, CANARY)


def test_it_opens_where_it_belongs_after_a_restart_too() -> None:
    again = Box.made("acme", KEY, BOX.salt)
    assert again.open(SESSION, "PERSON", 1, SEALED) == CANARY
    assert (again.fits, again.session(Context(app="shop", session_id="s"))) == (BOX.fits, SESSION)


@pytest.mark.parametrize(
    ("box", "session", "label", "number", "sealed"),
    [
        (Box.made("acme", bytes(32), BOX.salt), SESSION, "PERSON", 1, SEALED),
        (Box.made("acme", KEY), SESSION, "PERSON", 1, SEALED),
        (Box.made("other", KEY, BOX.salt), SESSION, "PERSON", 1, SEALED),
        (BOX, bytes(32), "PERSON", 1, SEALED),
        (BOX, SESSION, "PERSONS", 1, SEALED),
        (BOX, SESSION, "PERSON", 2, SEALED),
        (BOX, SESSION, "PERSON", 1, SEALED[:-1] + bytes([SEALED[-1] ^ 1])),
        (BOX, SESSION, "PERSON", 1, SEALED[:NONCE]),
        (BOX, SESSION, "PERSON", 1, b""),
    ],
    ids=["key", "salt", "tenant", "session", "label", "number", "bit", "only a nonce", "nothing"],
)
def test_it_opens_nowhere_else(box: Box, session: bytes, label: str, number: int, sealed: bytes) -> None:
    with pytest.raises(Unreadable) as told:
        box.open(session, label, number, sealed)
    assert "Ada" not in str(told.value)
    assert told.value.__cause__ is None


def test_the_same_value_is_never_sealed_alike() -> None:
    sealed = {BOX.seal(SESSION, CANARY) for _ in range(50)}
    assert len(sealed) == len({each[:NONCE] for each in sealed}) == 50


@pytest.mark.parametrize("wrong", [bytes(32), KEY[:-1] + b"\xff"])
def test_another_key_does_not_fit(wrong: bytes) -> None:
    assert Box.made("acme", wrong, BOX.salt).fits != BOX.fits


@pytest.mark.parametrize(
    "context",
    [Context(app="shop", session_id="s2"), Context(app="shop2", session_id="s"), Context(app="shop", environment="s")],
)
def test_sessions_have_names_of_their_own(context: Context) -> None:
    assert BOX.session(context) != SESSION


def test_nothing_is_shown() -> None:
    shown = repr(BOX) + str(BOX)
    assert not any(secret in shown for secret in (KEY.hex(), repr(KEY)[2:-1], BOX.salt.hex(), repr(BOX.salt)))
    assert b"Ada" not in SEALED


@examples(st.text(alphabet=st.characters(codec=None)))
def test_any_text_comes_back(value: str) -> None:
    """Half a surrogate pair too, which JSON can say."""
    told = Given("X", 1, value)
    assert BOX.open(SESSION, "X", 1, BOX.seal(SESSION, told)) == told
