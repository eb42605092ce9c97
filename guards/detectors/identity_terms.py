"""Words that say who somebody is. They are hidden from the baseline, so that being named is no sign of toxicity.

Slurs are not in here on purpose: they must stay visible. Terms outside this list are not covered: the data card
shows what that costs. The stereotype detector knows groups by the same list.
"""

import re

MASK = "\ue000"  # private use: no text of ours or of a corpus holds it, and no letter n-gram is shared with it

RELIGION = """
    muslim islam islamic islamist jew jewish judaism christian christianity catholic protestant evangelical orthodox
    mormon hindu hinduism buddhist buddhism sikh sikhism atheist atheism agnostic pagan quaker amish mennonite bahai
    taoist shinto sunni shia shiite sufi salafi ahmadi ismaili alawite druze yazidi zoroastrian parsi jain jainism
    rastafarian wiccan hasidic haredi ashkenazi sephardic mizrahi coptic maronite baptist methodist lutheran calvinist
    presbyterian anglican episcopalian jehovah pentecostal adventist unitarian scientologist rabbi imam nun hijabi
    animist humanist secular
"""
ORIGIN = """
    black white brown african asian european american hispanic latino latina latinx chicano chicana caucasian arab
    arabic arabian persian kurdish kurd turkish turk turkic semitic aboriginal indigenous inuit maori hawaiian
    polynesian samoan tongan fijian micronesian melanesian biracial multiracial eastern western native indian creole
    cajun mestizo navajo cherokee sioux lakota apache cree mohawk ojibwe iroquois choctaw mayan sami
    chinese japanese korean taiwanese tibetan uyghur uighur hmong mongolian vietnamese filipino filipina thai
    lao laotian cambodian khmer burmese rohingya indonesian javanese malaysian malay singaporean pakistani pashtun
    bangladeshi bengali nepali nepalese bhutanese tamil sinhalese punjabi gujarati kashmiri dalit afghan hazara kazakh
    uzbek tajik turkmen kyrgyz azeri azerbaijani armenian georgian chechen tatar iraqi iranian syrian lebanese
    palestinian israeli jordanian kuwaiti emirati qatari bahraini omani saudi yemeni egyptian moroccan algerian
    tunisian libyan berber sudanese somali ethiopian eritrean nigerian igbo yoruba hausa kenyan ghanaian ugandan
    tanzanian rwandan hutu tutsi congolese angolan cameroonian senegalese malian ivorian liberian gambian
    zimbabwean zambian malawian mozambican botswanan namibian zulu xhosa mexican cuban dominican haitian jamaican
    bahamian trinidadian barbadian caribbean brazilian argentinian argentine chilean colombian ecuadorian venezuelan
    guyanese peruvian bolivian paraguayan uruguayan salvadoran guatemalan honduran nicaraguan panamanian belizean
    rican canadian australian zealander english british irish scottish welsh french breton corsican german bavarian
    italian sicilian spanish catalan basque portuguese dutch flemish belgian swiss austrian polish czech slovak
    slovenian hungarian romanian moldovan bulgarian serbian serb croatian croat bosnian bosniak kosovar montenegrin
    macedonian albanian greek cypriot maltese russian ukrainian belarusian estonian latvian lithuanian swedish
    norwegian danish finnish icelandic scandinavian balkan slavic romani roma sinti yiddish
    immigrant migrant refugee foreigner asylum undocumented expat emigrant nomad diaspora
"""
GENDER = """
    gay lesbian bisexual bi homosexual heterosexual straight queer lgbt lgbtq lgbtqia trans transgender transsexual
    transwoman transman transwomen transmen nonbinary enby genderfluid genderqueer agender bigender asexual aromantic
    pansexual demisexual polyamorous intersex cis cisgender androgynous
    woman man women men female male girl boy lady gentleman wife husband mother father feminist widow widower
"""
BODY = """
    deaf blind disabled disability autistic autism paralyzed paralysed paraplegic quadriplegic tetraplegic wheelchair
    amputee epileptic epilepsy dyslexic dyslexia dyspraxic bipolar schizophrenic schizophrenia depressed adhd
    handicapped impaired neurodivergent neurodiverse neurotypical dwarf albino diabetic stutterer stuttering
    nonverbal mute hiv anorexic bulimic
    elderly old older young younger senior teenage teenager teen millennial boomer pensioner retiree middle aged
    octogenarian adolescent taller short overweight obese fat thin veteran homeless poor unemployed
"""
TERMS = frozenset(f"{RELIGION}{ORIGIN}{GENDER}{BODY}".split())
PHRASES = (
    "people of color", "people of colour", "person of color", "person of colour", "two spirit", "two-spirit",
    "born again", "born-again", "first nations", "torres strait", "down syndrome", "down's syndrome",
    "cerebral palsy", "hard of hearing", "spina bifida", "seventh day", "working class", "working-class",
    "on benefits", "gender fluid", "gender queer", "non binary", "non-binary", "same sex", "same-sex",
)  # fmt: skip
FORMS = TERMS | {f"{term}s" for term in TERMS} | {f"{term}es" for term in TERMS} | {"kurdish", "wives", "ladies"}
"""What is looked up: each term, and its plurals."""

_word = re.compile(r"[^\W\d_]+")
_phrase = re.compile(rf"\b(?:{'|'.join(map(re.escape, PHRASES))})\b")
_anchors = frozenset(_word.findall(" ".join(phrase.split()[0] for phrase in PHRASES)))
_runs = re.compile(rf"{MASK}(?:[\s-]+{MASK})+")


def mask(text: str) -> str:
    """Lower-cased `text` with every identity term, plural or not, as one `MASK`; neighbouring ones become one."""
    words = _word.findall(text)
    if not _anchors.isdisjoint(words):
        text = _phrase.sub(MASK, text)
    if not FORMS.isdisjoint(words):
        text = _word.sub(_hide, text)
    return _runs.sub(MASK, text) if MASK in text else text


def _hide(found: re.Match[str]) -> str:
    return MASK if found[0] in FORMS else found[0]
