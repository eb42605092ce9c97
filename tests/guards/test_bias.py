"""The bias audit's prompts, measures, statistics and reports, without any model function."""

import json
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.bias import page, words
from spanward.guards.bias.measures import FAILED, MEASURES, measurer
from spanward.guards.bias.prompts import Group, Prompt, PromptsError, PromptSet, chosen, expand, fingerprint, load
from spanward.guards.bias.refusal import refuses
from spanward.guards.bias.report import Answered, Report, comparisons, error_counts
from spanward.guards.bias.sentiment import KIND, UNKIND, sentiment
from spanward.guards.bias.statistics import adjusted, effects, newcombe, wilson
from spanward.guards.detectors.identity_terms import FORMS, mask
from spanward.guards.detectors.toxicity import CHECKPOINT, TOKENIZER, Toxicity

PROMPTS = load()


def test_shipped_prompts_differ_in_the_group_alone() -> None:
    asked = list(expand(PROMPTS))
    assert len({prompt[:3] for prompt in asked}) == len(asked) == 780
    for template, axis in product(PROMPTS.templates, PROMPTS.axes):
        texts = {mask(p.text.lower()).replace("an ", "a ") for p in asked if (p.template, p.axis) == (template, axis)}
        assert len({text.replace(" people", "") for text in texts}) == 1, (template, axis, texts)


@pytest.mark.parametrize(
    ("adjective", "text"),
    [("Asian", "An Asian cook met Asian folk."), ("deaf", "A deaf cook met deaf folk."),
     ("unitarian", "A unitarian cook met unitarian folk.")],
)  # fmt: skip
def test_articles_and_capitals_fit_the_group(adjective: str, text: str) -> None:
    prompts = PromptSet(
        version=1,
        axes={"a": {"one": Group(adjective=adjective, people="x"), "two": Group(adjective="y", people="y")}},
        templates={"t": "{a_adjective} cook met {adjective} folk."},
    )
    assert next(expand(prompts)) == Prompt("a", "one", "t", text)


AXES = "axes: {faith: {one: {adjective: a, people: b}, two: {adjective: c, people: d}}}\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read .*prompts.yaml: No such file"),
        ("a: [", "is not YAML"),
        ("version: 2", "version: Input should be 1; axes: Field required; templates: Field required.*shows the form"),
        ("version: 1\n" + AXES + "templates: {t: nobody}", "template t has to name the group by one of"),
        ("version: 1\n" + AXES + "templates: {t: 'the {group}'}", "template t has to name"),
        ("version: 1\n" + AXES + "templates: {t: 'the {people}'}\nmore: 1", "more: Extra inputs"),
        ("version: 1\naxes: {faith: {one: {adjective: a, people: b}}}\ntemplates: {}", "axis faith has 1 group"),
    ],
)
def test_bad_prompts_are_refused_with_what_to_change(content: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "prompts.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(PromptsError, match=message):
        load(path)


def test_axes_are_chosen_by_name_and_change_the_fingerprint() -> None:
    some = chosen(PROMPTS, ["gender", "age"])
    assert list(some.axes) == ["gender", "age"]
    assert chosen(PROMPTS, []) == PROMPTS
    assert len({fingerprint(PROMPTS), fingerprint(some)}) == 2
    with pytest.raises(PromptsError, match="no axis shoes; there are religion, origin"):
        chosen(PROMPTS, ["shoes"])


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I can’t assist with this request.", True),  # noqa: RUF001
        ("I cannot provide jokes about a group of people.", True),
        ("Sorry, I won't write that.", True),
        ("I am not able to generalise about people.", True),
        ("As an AI language model, I do not have opinions about people.", True),
        ("I'd rather not make jokes about that.", True),
        ("I must decline.", True),
        ("It wouldn't be fair to judge a whole group.", True),
        ("It's not appropriate to describe people like that.", True),
        ("This request goes against our guidelines.", True),
        ("Unfortunately, I'm unable to do that.", True),
        ("I can help with that! Here is a letter.", False),
        ("I'm sorry to hear that you failed the exam. Talk to your teacher.", False),
        ("Dear guest, unfortunately the eggs were cold.", False),
        ("Sorry about the breakfast. We cannot undo it, but dinner is on us.", False),
        ('She said "I can\'t help you" and left the room.', False),
        ("I can't recommend her highly enough.", False),
        ("It's not fair that she was stopped.", False),
        ("I declined in the first week, then I accepted.", False),
        ("The bank may refuse the loan without these documents.", False),
        ("They are not allowed to fire you for it.", False),
        ("", False),
    ],
)
def test_refusals_and_what_only_looks_like_one(answer: str, refused: bool) -> None:
    assert refuses(answer) == refused


def test_a_refusal_far_down_is_somebodys_speech() -> None:
    assert not refuses("Once upon a time there was a sailor. " * 8 + "I can't help you, said the sea.")


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("She is kind, reliable and honest.", 1),
        ("He is lazy and a liar.", -1),
        ("He is not lazy.", 1),
        ("She isn't kind.", -1),
        ("without any fear", 1),
        ("not, as they say here, a lazy man", -1),
        ("The meeting is at nine.", 0),
        ("kind but lazy", 0),
        ("", 0),
    ],
)
def test_sentiment_by_words(text: str, sign: int) -> None:
    assert np.sign(sentiment(text)) == sign


def test_the_sentiment_lists_are_apart_and_name_no_group() -> None:
    assert not KIND & UNKIND
    assert not (KIND | UNKIND) & FORMS


@given(st.text(max_size=200))
def test_sentiment_stays_within_its_bounds(text: str) -> None:
    assert -1 < sentiment(text) < 1


def test_values_of_an_answer_do_not_depend_on_the_group_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CHECKPOINT, raising=False)
    monkeypatch.delenv(TOKENIZER, raising=False)
    measure = measurer(Toxicity())
    said = "The {} nurse is kind and reliable, and the {} are idiots."
    one, other = (measure(said.format(a, b)) for a, b in (("Muslim", "deaf people"), ("white", "gay people")))
    assert one == other
    assert set(one) == set(MEASURES)
    assert one["toxicity"] > measure("The nurse is kind and reliable.")["toxicity"]
    assert measure("I can't help with that.") == {"error": 0.0, "refusal": 1.0}
    assert measure("") == dict.fromkeys(MEASURES, 0.0)


def test_intervals_of_shares_agree_with_the_published_ones() -> None:
    """Newcombe (1998), Statistics in Medicine 17, table II: 56/70 against 48/80, 9/10 against 3/10, 10/10 and 0/10."""
    cases = {(56, 70, 48, 80): (0.0524, 0.3339), (9, 10, 3, 10): (0.1705, 0.8090), (10, 10, 0, 10): (0.6075, 1.0)}
    for (a, m, b, n), expected in cases.items():
        assert newcombe(a / m, m, b / n, n) == pytest.approx(expected, abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    low, high = newcombe(0, 30, 0, 60)
    assert low < 0 < high, "two shares of nothing are not known to be equal"


def test_benjamini_and_hochbergs_adjustment() -> None:
    assert adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert adjusted([0.9, 1.0]) == pytest.approx([1.0, 1.0])
    assert adjusted([]) == []


def test_a_group_that_differs_does_not_make_the_others_differ() -> None:
    rng = np.random.default_rng(4)
    table = rng.normal(0, 0.05, (30, 4))
    table[:, 2] += 0.5
    found = effects(table, share=False, floor=0.1, seed=0)
    assert [effect.p <= 0.001 for effect in found] == [False, False, True, False]
    assert found[2].difference == pytest.approx(0.5, abs=0.05)
    assert found[2].low < found[2].difference < found[2].high
    assert all(abs(found[group].difference) < 0.05 for group in (0, 1, 3))


def test_pairs_count_not_the_spread_between_templates() -> None:
    """Templates differ a hundred times more than groups do; a comparison that is not paired could not see it."""
    level = np.linspace(-5, 5, 20)[:, None]
    noise = np.random.default_rng(1).normal(0, 0.01, (20, 3))
    found = effects(level + noise + np.array([0, 0.1, 0]), share=False, floor=0.05, seed=0)
    assert found[1].p <= 0.001
    assert found[1].high - found[1].low < 0.05


def test_missing_cells_are_left_out_and_too_few_say_nothing() -> None:
    table = np.zeros((12, 4))
    table[:, 0] = 1
    table[3:, 2] = np.nan
    first, second, third, fourth = effects(table, share=True, floor=0.1, seed=0)
    assert (first.n, second.n, third.n, fourth.n) == (12, 12, 3, 12)
    assert (first.mean, first.others, first.difference) == (1, 0, 1)
    assert first.p < 0.01
    assert third.p == 1
    empty = effects(np.full((12, 2), np.nan), share=False, floor=0.1, seed=0)
    assert [(effect.n, effect.p) for effect in empty] == [(0, 1), (0, 1)]


def test_the_same_answers_give_the_same_numbers() -> None:
    table = np.random.default_rng(3).random((15, 4))
    assert effects(table, share=False, floor=0.1, seed=7) == effects(table, share=False, floor=0.1, seed=7)


def made_up(prompts: PromptSet, *, biased: str = "", failing: str = "", templates: int = 99) -> list[Answered]:
    """An answer for each prompt with values that follow from its template; one group is refused, one fails."""
    found = []
    names = list(prompts.templates)[:templates]
    for axis, group, template, _ in expand(prompts):
        if template in names:
            level = names.index(template) / 100
            values = {"error": 0.0, "refusal": 0.0, "toxicity": level, "identity_attack": level, "sentiment": level,
                      "length": 3 + level}  # fmt: skip
            if group == biased:
                values = {"error": 0.0, "refusal": 1.0}
            found.append(Answered(axis, group, template, 0, values))
            if group == failing:
                found[-1] = Answered(axis, group, template, 0, FAILED, "BadGateway<i>")
    return found


def report(answers: list[Answered], prompts: PromptSet, subject: str = "app:answer") -> Report:
    errors = error_counts(answers)
    asked = len(list(expand(prompts)))
    return Report(subject, "2026-01-01", "ngram-baseline@0", fingerprint(prompts), 1, asked,
                  len(answers) - sum(errors.values()), errors, comparisons(prompts, answers))  # fmt: skip


RELIGION = chosen(PROMPTS, ["religion"])


def test_a_planted_refusal_and_planted_failures_are_the_only_findings() -> None:
    found = report(made_up(RELIGION, biased="muslim", failing="jewish"), RELIGION)
    assert {(c.group, c.measure, c.difference) for c in found.findings} == {
        ("muslim", "refusal", 1.0),
        ("jewish", "error", 1.0),
    }
    assert found.errors == {"BadGateway<i>": 30}
    assert (found.asked, found.answered, found.unanswered) == (180, 150, 0)
    # a refused answer has no tone, a failed one not even a refusal: none of it is called equal
    few = {(c.group, c.measure) for c in found.comparisons if c.verdict == "too few"}
    below = ("toxicity", "identity_attack", "sentiment", "length")
    assert few == {("jewish", "refusal")} | set(product(("muslim", "jewish"), below))
    assert words.conclusion(found) == "2 findings in 27 comparisons; 9 more had too few answers."


def test_equal_answers_give_no_finding_and_do_not_claim_more() -> None:
    found = report(made_up(RELIGION), RELIGION)
    assert found.findings == []
    assert words.conclusion(found) == "No finding in 36 comparisons. Smaller differences may exist."


@pytest.mark.parametrize("answers", [[], made_up(RELIGION, templates=9)])
def test_too_few_answers_are_no_clean_result(answers: list[Answered]) -> None:
    found = report(answers, RELIGION)
    assert words.conclusion(found).startswith("No conclusion")
    assert {c.verdict for c in found.comparisons} == {"too few"}
    assert words.shortfall(found) == [f"stopped early: {180 - len(answers)} of 180 calls were not made"]


def test_that_every_call_fails_alike_is_no_clean_result() -> None:
    answers = [answer._replace(values=FAILED, error="TimeoutError") for answer in made_up(RELIGION)]
    assert words.conclusion(report(answers, RELIGION)).startswith("No conclusion")


def test_the_json_holds_the_whole_report() -> None:
    found = report(made_up(RELIGION, biased="muslim"), RELIGION)
    said = json.loads(found.json())
    assert (said["version"], said["asked"], said["conclusive"], said["errors"]) == (1, 180, True, {})
    assert len(said["comparisons"]) == 36
    assert [c for c in said["comparisons"] if c["verdict"] == "finding"] == [
        {
            "axis": "religion", "group": "muslim", "measure": "refusal", "templates": 30, "mean": 1.0, "others": 0.0,
            "difference": 1.0, "low": found.findings[0].low, "high": found.findings[0].high, "p": 0.0001,
            "q": found.findings[0].q, "verdict": "finding",
        }
    ]  # fmt: skip


class Tags(HTMLParser):
    """What a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes.update(name for name, _ in attrs)


def test_the_page_runs_nothing_fetches_nothing_and_escapes_everything() -> None:
    evil = PromptSet(
        version=1,
        axes={"<b>faith</b>": {"<script>alert(1)</script>": Group(adjective="a", people="b"),
                               "muslim": Group(adjective="c", people="d")}},
        templates={f"t{n}": "{people}?" for n in range(12)},
    )  # fmt: skip
    text = page.page(report(made_up(evil, failing="muslim"), evil, subject='"><img src=x onerror=alert(1)>'))
    tags = Tags()
    tags.feed(text)
    assert not tags.found & {"script", "img", "link", "iframe", "object", "embed", "b", "i", "a", "base", "form"}
    assert not tags.attributes & {"src", "href", "style", "onerror", "onload"}
    assert "&lt;script&gt;" in text
    assert "BadGateway&lt;i&gt;" in text
    assert "default-src 'none'" in text
    assert "http://" not in text
    assert "https://" not in text
