"""What the stereotype flag takes for a generalisation on a group, and what only looks like one."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.detectors import registry
from spanward.guards.detectors.detector import Hit
from spanward.guards.detectors.stereotype import BARE, LABEL, SWEEPING, Stereotype

ALL = frozenset({LABEL})


def spans(text: str) -> list[str]:
    (hits,) = Stereotype().detect([text], ALL)
    return [text[hit.start : hit.end] for hit in hits]


@pytest.mark.parametrize(
    ("text", "span", "score"),
    [
        ("Women are bad drivers.", "Women are", BARE),
        ("All Muslims are dangerous.", "Muslims are", SWEEPING),
        ("Black people can't swim.", "Black people can't", SWEEPING),
        ("Women should stay at home and cook.", "Women should", BARE),
        ("Immigrants steal our jobs.", "Immigrants steal", BARE),
        ("Old people are slow and confused.", "Old people are", BARE),
        ("Gay men are naturally promiscuous.", "Gay men are", SWEEPING),
        ("Asians are good at maths.", "Asians are", BARE),
        ("I think Mexicans are lazy", "Mexicans are", BARE),
        ("Everyone knows that Jews are greedy!", "Jews are", BARE),
        ("Well, honestly, French people never work hard.", "French people never", SWEEPING),
        ("The poor are just lazy.", "The poor are", BARE),
        ("Deaf people can not be good teachers.", "Deaf people can not", BARE),
        ("Christians always lie about it.", "Christians always lie", SWEEPING),
        ("A woman should never lead a company.", "A woman should never", SWEEPING),
        ("No immigrant can be trusted.", "No immigrant can be trusted", BARE),
        ("He got the job, but women don’t belong in the army.", "women don’t", SWEEPING),  # noqa: RUF001
        ("Muslims should be killed.", "Muslims should", BARE),
        ("Transgender people are all confused.", "Transgender people are", SWEEPING),
        ("Teenagers are lazy; that is how it is.", "Teenagers are", BARE),
    ],
)
def test_generalisations(text: str, span: str, score: float) -> None:
    (hits,) = Stereotype().detect([text], ALL)
    assert [(text[hit.start : hit.end], hit.score) for hit in hits] == [(span, score)]


@pytest.mark.parametrize(
    "text",
    [
        # asked, supposed
        "Are women bad drivers?",
        "Why do people think that Mexicans are lazy?",
        "Women are bad drivers?",
        "If women are tired, they should rest.",
        # denied
        "It is not true that women are bad drivers.",
        "The idea that Jews are greedy is an old slander.",
        "It is a myth that Black people feel less pain.",
        "It's wrong to say that women are bad drivers.",
        "I don't think women are worse drivers.",
        "That immigrants are lazy is a harmful stereotype.",
        "Immigrants aren't the ones who take our jobs.",
        # quoted, reported
        'He shouted "women are bad drivers" and left.',
        "The senator said that immigrants are criminals.",
        "According to the leaflet, Muslims are dangerous.",
        "> Women are bad drivers\n\nI disagree with this post.",
        # some, counted
        "Some women are bad drivers.",
        "Not all Muslims are religious.",
        "A few immigrants are doctors.",
        "Women are more likely to live past ninety.",
        "In the survey women are slightly ahead.",
        "60 percent of immigrants are employed.",
        "Women are 51 % of the population.",
        # defined
        "Buddhists are followers of the Buddha.",
        "Sikhs are a religious community.",
        "Kurds are an ethnic group in the Middle East.",
        "Deaf people are those who cannot hear.",
        "Millennials are defined as people born after the eighties.",
        # rights
        "Women are equal before the law.",
        "Women should have the same rights.",
        "Transgender people are welcome here.",
        "Black people are treated worse by this bank.",
        "In that war Jews were systematically murdered.",
        # what certain people did
        "The women are sitting in the garden.",
        "My parents are Irish and the girls are at school.",
        "Our Muslim neighbours are kind.",
        "Two Mexican men are waiting outside.",
        "The Italians are from Turin.",
        # no group, no assertion
        "Dogs are loyal.",
        "Databases should be backed up.",
        "White walls are easy to clean.",
        "Black cats are nocturnal.",
        "Old servers are slow.",
        "German cars are reliable.",
        "Chinese food is great.",
        "The black box is always on.",
        "Straight lines are shorter.",
        "I met many women and men in Kenya.",
        "",
    ],
)
def test_near_misses(text: str) -> None:
    assert spans(text) == []


def test_each_sentence_has_its_own_hit_in_places_of_the_text_as_given() -> None:
    text = "Hello 🙂.\n  Women are bad drivers. Some men are, too. Irish people are drunk all day."
    assert spans(text) == ["Women are", "Irish people are"]
    (hits,) = Stereotype().detect([text], ALL)
    assert hits[0] == Hit(LABEL, 11, 20, BARE, "said of a whole group")
    assert Stereotype().detect([text, text], frozenset()) == [[], []]


def test_it_is_registered_and_says_that_it_is_a_pattern() -> None:
    assert registry.detector_class("stereotype") is Stereotype
    assert (Stereotype().engine, Stereotype().degraded) == ("stereotype-patterns 1", "")


@given(st.text(alphabet="abcdefgh women are.,?!\"“”'\n>", max_size=300))
def test_any_text_has_hits_inside_it(text: str) -> None:
    for hit in Stereotype().detect([text], ALL)[0]:
        assert 0 <= hit.start < hit.end <= len(text)


@pytest.mark.parametrize(
    "unit", ["women are ", "old old old ", "the ", "people of ", '"', "are ", "a woman ", "black-white ", "all of the "]
)
def test_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    """A bound far above what is measured: a pattern that runs wild takes minutes."""
    text = unit * (60_000 // len(unit))
    started = time.process_time()
    Stereotype().detect([text], ALL)
    assert time.process_time() - started < 20
