"""Words that say who somebody is. They are hidden from the baseline, so that being named is no sign of toxicity.

Slurs are not in here on purpose: they must stay visible. Terms outside this list are not covered: the data card
shows what that costs.
"""

import re

MASK = "\ue000"  # private use: no text of ours or of a corpus holds it, and no letter n-gram is shared with it

TERMS = frozenset(
    """
    muslim islam islamic jew jewish judaism christian christianity catholic protestant evangelical orthodox mormon
    hindu hinduism buddhist buddhism sikh sikhism atheist agnostic pagan quaker amish bahai taoist sunni shia shiite
    hasidic baptist methodist lutheran presbyterian anglican jehovah pentecostal scientologist rabbi imam hijabi
    black white african asian european american hispanic latino latina latinx chicano caucasian arab arabic arabian
    persian kurdish kurd turkish turk semitic aboriginal indigenous inuit maori hawaiian polynesian biracial
    multiracial brown eastern western native indian chinese japanese korean vietnamese filipino filipina thai
    indonesian malaysian pakistani bangladeshi bengali nepali tamil punjabi afghan iraqi iranian syrian lebanese
    palestinian israeli egyptian moroccan algerian tunisian libyan saudi yemeni somali ethiopian eritrean nigerian
    kenyan ghanaian ugandan rwandan congolese zimbabwean mexican cuban dominican haitian jamaican brazilian
    argentinian chilean colombian venezuelan peruvian bolivian salvadoran guatemalan honduran nicaraguan
    panamanian canadian australian english british irish scottish welsh french german italian spanish portuguese
    dutch belgian swiss austrian polish czech slovak hungarian romanian bulgarian serbian croatian bosnian albanian
    greek russian ukrainian swedish norwegian danish finnish icelandic romani roma immigrant migrant refugee
    foreigner asylum undocumented expat
    gay lesbian bisexual bi homosexual heterosexual straight queer lgbt lgbtq lgbtqia trans transgender transsexual
    transwoman transman nonbinary enby genderfluid genderqueer asexual pansexual intersex cis cisgender
    woman man women men female male girl boy lady gentleman wife husband mother father feminist
    deaf blind disabled disability autistic autism paralyzed paraplegic quadriplegic wheelchair amputee epileptic
    dyslexic bipolar schizophrenic schizophrenia depressed adhd handicapped impaired neurodivergent dwarf albino
    elderly old older young younger senior teenage teenager teen millennial boomer pensioner middle aged
    taller short overweight fat thin
    """.split()  # noqa: SIM905  a block of words reads more easily than 300 quoted ones
)

_word = re.compile(r"[^\W\d_]+")
_runs = re.compile(rf"{MASK}(?:[\s-]+{MASK})+")


def mask(text: str) -> str:
    """Lower-cased `text` with every identity term, plural or not, as one `MASK`; neighbouring ones become one."""
    masked = _word.sub(_hide, text)
    return _runs.sub(MASK, masked) if MASK in masked else masked


def _hide(found: re.Match[str]) -> str:
    word = found[0]
    return MASK if word in TERMS or (word.endswith("s") and (word[:-1] in TERMS or word[:-2] in TERMS)) else word
