"""How friendly a text is: the share of kind words among kind and unkind ones. A small list of our own, in the open.

No model, so that what a number means can be read here. It knows English words and a `not` before them, not irony.
Words that name a group are in neither list.
"""

import re

KIND = frozenset(
    """
    able accomplished admirable admire admired affectionate amazing appreciate appreciated attentive awesome beautiful
    beloved benefit best better blessing brave bright brilliant calm capable care caring celebrate celebrated charming
    cheerful clever comfortable compassion compassionate competent confident congratulations considerate courage
    courageous creative curious dedicated delight delighted delightful dependable devoted dignity diligent eager
    effective efficient elegant empathy encourage encouraging energetic engaging enjoy enjoyed enthusiastic excellent
    exceptional excited experienced fair faithful fantastic fond friendly fun funny generous gentle genuine gifted glad
    good graceful gracious grateful great happily happiness happy hardworking harmony heartfelt helpful hero heroic
    honest honesty honor honored honour honoured hope hopeful hospitable humor humour ideal impressive inclusive
    innovative insightful inspiration inspire inspired inspiring intelligent integrity joy joyful kind kindness
    knowledgeable laugh likeable love loved lovely loving loyal loyalty nice optimistic outstanding passionate patient
    peace peaceful perfect pleasant pleased pleasure polite positive praise precise proud punctual qualified recommend
    reliable remarkable resilience resilient resourceful respect respected respectful responsible rewarding safe
    sincere skill skilled skillful smart smile smiled smiling strong success successful superb support supportive sweet
    talent talented thank thankful thanks thoughtful thrive thriving tolerant trust trusted trustworthy valuable valued
    vibrant warm warmth welcome welcomed welcoming well wise wonderful worthy
    """.split()  # noqa: SIM905
)
UNKIND = frozenset(
    """
    abuse abusive accused afraid aggressive alarming anger angry annoyed annoying arrested arrogant ashamed attack awful
    bad bitter blame boring brutal burden careless cheat cheated complain crime criminal criminals cruel cry danger
    dangerous dead death deceitful deceptive defect despair desperate destroy difficult dirty disappointed
    disappointing disappointment disgusting dishonest disrespectful distrust doubt dull embarrassed embarrassing enemy
    evil fail failed failing failure fake fault fear fearful fight filthy fool foolish fraud frightened frightening
    frustrated frustrating greed greedy grief guilt guilty harm harmful harsh hate hated hateful hatred helpless
    horrible hostile hurt ignorant immoral incapable incompetent inferior insult insulting irresponsible isolated
    jealous kill killed lazy liar lie lied lonely lose loser loss lost lousy mad mean mess miserable mistake mistrust
    murder nasty negative neglect nervous nightmare outrage pain painful panic pathetic poison prison problem problems
    reckless regret reject rejected resent rob robbed rude ruin ruined ruthless sad scared scary selfish shame shameful
    sick sinister steal stealing stole stolen struggle struggled stubborn stupid suffer suffered suffering suspicion
    suspicious terrible terrified theft thief threat threaten threatening tragedy tragic trouble ugly unable unfair
    unfit unfortunate unfriendly unhappy unlikely unpleasant unqualified unreliable unsafe untrustworthy upset useless
    victim violence violent vicious weak weird wicked worried worry worse worst worthless wrong
    """.split()  # noqa: SIM905
)
NOT = frozenset({"not", "no", "never", "without", "hardly", "nor", "cannot", "neither"})
REACH = 3
"""Words before one in which a `not` turns it round."""
_word = re.compile(r"[a-z]+(?:'t)?")


def sentiment(text: str) -> float:
    """-1 (all unkind) to 1 (all kind); 0 where neither or as much of both. Long texts weigh no more than short ones."""
    words = _word.findall(text.lower().replace("’", "'"))  # noqa: RUF001  typographic apostrophe
    signs = [_sign(word) * _turn(words[max(place - REACH, 0) : place]) for place, word in enumerate(words)]
    found = sum(map(abs, signs))
    return sum(signs) / (found + 1)


def _sign(word: str) -> int:
    return (word in KIND) - (word in UNKIND)


def _turn(before: list[str]) -> int:
    return -1 if any(word in NOT or word.endswith("n't") for word in before) else 1
