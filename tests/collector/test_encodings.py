"""Packed bodies are unpacked whole or refused, and never beyond the bound."""

import gzip
from collections.abc import Callable
from contextlib import suppress

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from spanward.collector.encodings import UNPACK, TooLarge, Unpackable, gunzip, unzstd

PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress}


def test_every_encoding_is_tested() -> None:
    assert set(PACK) == set(UNPACK)


@given(st.sampled_from(sorted(PACK)), st.lists(st.binary(max_size=300), max_size=4))
def test_members_end_to_end_are_one_body(encoding: str, members: list[bytes]) -> None:
    packed = b"".join(map(PACK[encoding], members))
    assert UNPACK[encoding](packed, 2000) == b"".join(members)


@pytest.mark.parametrize("encoding", PACK)
@pytest.mark.parametrize(("size", "fits"), [(999, True), (1000, True), (1001, False), (50_000_000, False)])
def test_the_bound(encoding: str, size: int, fits: bool) -> None:
    packed = PACK[encoding](bytes(size))
    if fits:
        assert UNPACK[encoding](packed, 1000) == bytes(size)
    else:
        with pytest.raises(TooLarge):
            UNPACK[encoding](packed, 1000)


@pytest.mark.parametrize("encoding", PACK)
def test_the_bound_is_for_all_members_together(encoding: str) -> None:
    with pytest.raises(TooLarge):
        UNPACK[encoding](PACK[encoding](bytes(600)) * 2, 1000)


@given(st.sampled_from([gunzip, unzstd]), st.binary(min_size=1, max_size=200))
def test_noise_is_refused_and_breaks_nothing(unpack: Callable[[bytes, int], bytes], noise: bytes) -> None:
    with suppress(Unpackable, TooLarge):
        assert len(unpack(noise, 1000)) <= 1000


@pytest.mark.parametrize("encoding", PACK)
def test_a_body_that_ends_early_is_refused(encoding: str) -> None:
    packed = PACK[encoding](b"spans " * 100)
    for length in range(1, len(packed)):
        with pytest.raises(Unpackable):
            UNPACK[encoding](packed[:length], 10_000)
