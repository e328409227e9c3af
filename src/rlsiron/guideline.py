"""The grammar of the knowledge files: guidelines, facts, windows and the safety layer.

A file is read into frozen records in which every limit is a closed interval in the canonical
unit, so that "≤ 75" and "> 75" meet at one cut. What a file says wrong is refused here, with the
file, the place and the way out; whether its rules leave a gap is for `rlsiron.table` to prove.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from math import inf, nextafter
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import Field, StrictBool, StrictStr, ValidationError

from rlsiron import units
from rlsiron.catalog import Document, document, guideline_document, guideline_ids
from rlsiron.errors import GuidelineError, RlsironError, did_you_mean, shown
from rlsiron.models import Condition as PatientCondition
from rlsiron.models import Disposition, Patient, Record, Span, Tier

DISPOSITIONS: tuple[str, ...] = get_args(Disposition)[:-1]  # "indeterminate" is never a member
GIVES = frozenset(DISPOSITIONS[:3])
WITHHOLDS = frozenset({"no-iron", "withhold-iron"})
TIERS: tuple[str, ...] = get_args(Tier)
YES = frozenset({True})

_LIMIT = re.compile(
    r"(<=|>=|<|>)\s*(?:(?P<parameter>[a-z_]+)|(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[^\d\s.]\S*))"
)
_TIME = {"years": 1.0, "year": 1.0, "months": 1 / 12, "month": 1 / 12}
_DURATION = {"days": timedelta(days=1), "hours": timedelta(hours=1)}


def _words_of(name: str) -> tuple[str, ...]:
    """Return the words of a patient's field, read off its type."""
    options = get_args(Patient.model_fields[name].annotation)
    return tuple(word for option in options for word in get_args(option))


@cache
def vocabulary() -> Mapping[str, tuple[str, ...]]:
    """Return the words of each field of the patient that has words, a group's name left out."""
    names = ("sex", "rls", "severity", "pregnancy", "kidney", "oral_iron")
    grouped = {(group["axis"], group["name"]) for group in document("facts.toml").data["group"]}
    words = {
        name: tuple(word for word in _words_of(name) if (name, word) not in grouped)
        for name in names
    }
    return {**words, "conditions": get_args(PatientCondition)}


@cache
def groups() -> Mapping[tuple[str, str], frozenset[str]]:
    """Return the words that one word stands for, by field and word."""
    single = {
        (name, word): frozenset({word}) for name, words in vocabulary().items() for word in words
    }
    return single | {
        (group["axis"], group["name"]): frozenset(group["words"])
        for group in document("facts.toml").data["group"]
    }


Allowed = Span | frozenset[str] | frozenset[bool]
"""What a condition admits on one axis: an interval, or a set of words or of yes and no."""

AXIS_WORDS = ("sex", "rls", "pregnancy", "kidney")
"""Fields of the patient that are axes of a table; the others enter as facts."""


class Limits(NamedTuple):
    """One way for a rule to apply: what it admits on each axis that it names."""

    axes: tuple[tuple[str, Allowed], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a decision table."""

    id: str
    any: tuple[Limits, ...]
    disposition: tuple[str, ...]
    says: str
    why: str
    source: str
    strength: str
    certainty: str
    verified: str

    @property
    def hearsay(self) -> bool:
        """Whether only unverified text stands behind iron that the rule gives."""
        return self.verified == TIERS[-1] and not GIVES.isdisjoint(self.disposition)


@dataclass(frozen=True, slots=True)
class Population:
    """The patients of whom a list of rules speaks; the first rule that applies decides."""

    name: str
    applies: Limits
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Guideline:
    """One guideline: its populations, in order, and where it comes from."""

    id: str
    title: str
    purpose: str
    source: str
    version: str
    reviewed_by: tuple[str, ...]
    silent_on: frozenset[str]
    populations: tuple[Population, ...]
    document: Document

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, in file order."""
        return tuple(rule for population in self.populations for rule in population.rules)

    def __repr__(self) -> str:
        """Its id, purpose, version and size."""
        return (
            f"<Guideline {self.id}: {self.purpose}, version {self.version}, "
            f"{len(self.populations)} populations, {len(self.rules)} rules>"
        )


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """A rule that stops routes of iron, or opens an answer that gives it."""

    id: str
    any: tuple[Limits, ...]
    stops: frozenset[str]
    opens: str
    says: str
    sources: tuple[str, ...]
    verified: str


@dataclass(frozen=True, slots=True)
class Silence:
    """What is added to a cell of a source that does not speak of some patients."""

    id: str
    on: str
    when: Limits
    only: str
    adds: str
    says: str
    sources: tuple[str, ...]
    verified: str


@dataclass(frozen=True, slots=True)
class Safety:
    """The layer over every guideline of one purpose."""

    purpose: str
    covers: Limits
    silences: tuple[Silence, ...]
    rules: tuple[SafetyRule, ...]


Limb = tuple[str, Allowed | timedelta | Literal["given"]]
"""One way for a fact to be true: a field, and what it admits or how long ago it was at most."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A yes/no fact: true where any of its limbs is."""

    name: str
    any: tuple[Limb, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A time after an event in which some results must not be read, or are read with a note."""

    id: str
    code: str
    after: str
    lasts: timedelta
    text: str
    by_the_clock: bool
    hides: tuple[str, ...]


# The shapes of the files; what a name means is resolved by `_Reader`.

_When = dict[str, StrictStr | StrictBool | list[StrictStr]]
_Name = Annotated[str, Field(pattern=r"^\S(.*\S)?$")]
_Text = Field(min_length=1)


class _RuleShape(Record):
    id: _Name
    when: _When | None = None
    any: list[_When] | None = Field(default=None, min_length=1)
    disposition: str | list[str]
    says: str = _Text
    why: str = ""
    source: str | None = None
    strength: str = ""
    certainty: str = ""
    verified: Tier


class _PopulationShape(Record):
    name: _Name
    applies: _When
    rule: list[_RuleShape] = Field(min_length=1)


class _GuidelineShape(Record):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str = ""
    purpose: Literal["rls", "anemia", "status"]
    source: str
    version: str = _Text
    reviewed_by: list[str]
    silent_on: tuple[Literal["pregnancy", "end-stage"], ...] = ()
    population: list[_PopulationShape] = Field(min_length=1)


def fault(source: Document, places: Sequence[tuple[str, str]], text: str) -> GuidelineError:
    """Return the error of a fault in a file, with the line and the place.

    Parameters
    ----------
    source
        The file.
    places
        Kind and name of each part that holds the next: a population, a rule, a key.
    text
        What is wrong, and the way out.
    """
    patterns = [_PLACES[kind].format(re.escape(name)) for kind, name in places]
    line = source.line_of(*patterns)
    where = [source.name, *([f"line {line}"] if line else [])]
    where += [f"{kind} {name}" for kind, name in places]
    return GuidelineError(f"{', '.join(where)}: {text}")


_PLACES = {
    "population": r"^\s*name\s*=\s*[\"']{}[\"']",
    "rule": r"^\s*id\s*=\s*[\"']{}[\"']",
    "key": r"(?<![\w-]){}\s*=",
}


_SHAPES: dict[str, type[Record]] = {"population": _PopulationShape, "rule": _RuleShape}


def _literals(shape: type[Record], key: str) -> tuple[Any, ...]:
    """Return the closed vocabularies in the type of a key."""
    type_ = shape.model_fields[key].annotation
    return (type_,) if get_origin(type_) is Literal else get_args(type_)


class _Reader:
    """Reads the parts of one file; every fault that it raises names the place."""

    def __init__(self, source: Document, places: tuple[tuple[str, str], ...] = ()) -> None:
        self._document = source
        self._places = places

    def within(self, kind: str, name: str) -> "_Reader":
        return _Reader(self._document, (*self._places, (kind, name)))

    def fault(self, text: str) -> GuidelineError:
        return fault(self._document, self._places, text)

    def shape(self) -> _GuidelineShape:
        try:
            return _GuidelineShape.model_validate(self._document.data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise self._misshapen(first["loc"], first["type"], first["input"]) from None

    def _misshapen(self, steps: tuple[str | int, ...], kind: str, given: Any) -> GuidelineError:  # noqa: ANN401
        """Return the fault at a path into the data, in words of the file and not of its model."""
        here, key = self, ""
        at: Any = self._document.data
        shape: type[Record] = _GuidelineShape
        for step in steps:
            if isinstance(at, list) and isinstance(step, int):
                part = at[step]
                name = (
                    part.get("id" if key == "rule" else "name") if isinstance(part, dict) else None
                )
                if key in _SHAPES:
                    here, shape = here.within(key, str(name or step + 1)), _SHAPES[key]
            elif isinstance(at, dict) and (step in at or kind == "missing"):
                key, part = str(step), at.get(str(step))
            else:  # the branch of a union, which is not in the file
                break
            at = part
        here = here.within("key", key)
        if kind == "missing":
            return here.fault("is missing")
        if kind == "extra_forbidden":
            return here.fault(f"unknown key{did_you_mean(key, shape.model_fields)}")
        if kind == "literal_error":
            words = [word for option in _literals(shape, key) for word in get_args(option)]
            return here.fault(f"unknown word {shown(given)}{did_you_mean(str(given), words)}")
        return here.fault(f"{shown(at)} cannot stand here; see the form of a guideline file")

    def one_of(self, word: str, known: tuple[str, ...], kind: str) -> str:
        if word not in known:
            raise self.fault(f"unknown {kind} {shown(word)}{did_you_mean(word, known)}")
        return word

    def cited(self, source: str) -> str:
        return self.one_of(source, tuple(document("sources.toml").data), "source")

    def limits(self, when: _When) -> Limits:
        return Limits(tuple((name, self._allowed(name, given)) for name, given in when.items()))

    def _allowed(self, name: str, given: str | bool | list[str]) -> Allowed:  # noqa: FBT001
        here = self.within("key", name)
        if name == "age" or name in units.analytes():
            return here.span(name, [given] if isinstance(given, str) else given)
        if name in AXIS_WORDS:
            return here.words(name, given)
        if name in {fact["name"] for fact in document("facts.toml").data["fact"]}:
            if not isinstance(given, bool):
                raise here.fault(f"the fact {name!r} is true or false, not {given!r}")
            return frozenset({given})
        known = ["age", *units.analytes(), *AXIS_WORDS, *(f["name"] for f in _fact_tables())]
        raise self.fault(f"unknown name {name!r}{did_you_mean(name, known)}")

    def words(self, name: str, given: object) -> frozenset[str]:
        words = [given] if isinstance(given, str) else given
        known = tuple(word for field, word in groups() if field == name)
        if not isinstance(words, list) or not words:
            raise self.fault(f"{given!r} is not a word; known: {', '.join(known)}")
        return frozenset().union(
            *(groups()[name, self.one_of(word, known, name)] for word in words)
        )

    def span(self, name: str, given: object) -> Span:
        """Return the closed interval that some limits leave, an open end the next float inward."""
        if not isinstance(given, list) or not given:
            raise self.fault(f'{given!r} is not a limit; write one such as "<= 75 ug/L"')
        low, high = 0.0, inf
        for text in given:
            operator, value = self._limit(name, text)
            if operator[0] == "<":
                high = min(high, value if operator == "<=" else nextafter(value, -inf))
            else:
                low = max(low, value if operator == ">=" else nextafter(value, inf))
        if low > high:
            raise self.fault(f"no value is within {given!r}")
        return low, high

    def _limit(self, name: str, text: object) -> tuple[str, float]:
        match = _LIMIT.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise self.fault(
                f'{text!r} is not a limit with its unit; write one such as "<= 75 ug/L"'
            )
        operator, parameter = match[1], match["parameter"]
        if parameter:
            parameters = document("facts.toml").data["parameters"]
            self.one_of(parameter, tuple(parameters), "parameter")
            return self._limit(name, f"{operator} {parameters[parameter]}")
        return operator, self._canonical(name, match["number"], match["unit"])

    def _canonical(self, name: str, number: str, unit: str) -> float:
        if name == "age":
            self.one_of(unit, tuple(_TIME), "unit of age")
            return float(number) * _TIME[unit]
        try:
            value = units.settle(float(number), units.factor(name, units.unit_code(name, unit)))
        except RlsironError as error:
            raise self.fault(str(error)) from None
        if value > units.LARGEST:
            raise self.fault(f"{shown(number)} {unit} is beyond every measurement")
        return value

    def duration(self, text: str) -> timedelta:
        number, _, unit = text.removeprefix("<").strip().partition(" ")
        return float(number) * _DURATION[unit]

    def ways(self, when: _When | None, any_: list[_When] | None) -> tuple[Limits, ...]:
        if when is not None and any_ is not None:
            raise self.fault("give `when` or `any`, not both")
        return tuple(self.limits(way) for way in any_ or [when or {}])


def _fact_tables() -> list[dict[str, Any]]:
    return document("facts.toml").data["fact"]  # type: ignore[no-any-return]


def parse_guideline(source: Document) -> Guideline:
    """Read a guideline file.

    Raises
    ------
    GuidelineError
        With the file, line, population, rule and key at fault, and the way out.
    """
    reader = _Reader(source)
    shape = reader.shape()
    cited = reader.within("key", "source").cited(shape.source)
    populations: list[Population] = []
    for part in shape.population:
        here = reader.within("population", part.name)
        if part.name in {population.name for population in populations}:
            raise here.fault("is the second of its name; give each population its own")
        rules: list[Rule] = []
        for rule in part.rule:
            place = here.within("rule", rule.id)
            earlier = [one for population in populations for one in population.rules] + rules
            if rule.id in {one.id for one in earlier}:
                raise place.fault("is the second of its id; give each rule its own")
            rules.append(_rule(place, rule, cited))
        populations.append(Population(part.name, here.limits(part.applies), tuple(rules)))
    return Guideline(
        id=shape.id,
        title=shape.title or shape.id,
        purpose=shape.purpose,
        source=cited,
        version=shape.version,
        reviewed_by=tuple(shape.reviewed_by),
        silent_on=frozenset(shape.silent_on),
        populations=tuple(populations),
        document=source,
    )


def _rule(reader: _Reader, shape: _RuleShape, source: str) -> Rule:
    given = [shape.disposition] if isinstance(shape.disposition, str) else shape.disposition
    for word in given:
        reader.one_of(word, DISPOSITIONS, "disposition")
    if not given or len(set(given)) < len(given):
        raise reader.fault("name each disposition that remains possible, once")
    if len(given) > 1 and not shape.why:
        raise reader.fault("more than one disposition remains possible; say `why`")
    return Rule(
        id=shape.id,
        any=reader.ways(shape.when, shape.any),
        disposition=tuple(sorted(given, key=DISPOSITIONS.index)),
        says=shape.says,
        why=shape.why,
        source=reader.within("key", "source").cited(shape.source) if shape.source else source,
        strength=shape.strength,
        certainty=shape.certainty,
        verified=shape.verified,
    )


@cache
def shipped(id_: str) -> Guideline:
    """Return a guideline that ships with the library, by its id."""
    return parse_guideline(guideline_document(id_))


def guideline(given: "str | Path | Guideline") -> Guideline:
    """Return a guideline by its id, by the path of a file, or as it is.

    Raises
    ------
    GuidelineError
        If there is none of that name, or its file is faulty.

    Examples
    --------
    >>> guideline("irlssg-2018")
    <Guideline irlssg-2018: rls, version 1, 2 populations, 10 rules>
    """
    if isinstance(given, Guideline):
        return given
    if not isinstance(given, str | Path):
        message = f"{given!r} is no guideline; give an id, a path or a Guideline"
        raise GuidelineError(message)
    if given in guideline_ids():
        return shipped(str(given))
    own = parse_guideline(guideline_document(given))
    if own.id in guideline_ids():
        raise _Reader(own.document).fault(
            f"the id {own.id!r} is taken; a file of your own has its own"
        )
    return own


@cache
def safety() -> Safety:
    """Return the safety layer."""
    source = document("safety.toml")
    reader, data = _Reader(source), source.data
    return Safety(
        purpose=data["purpose"],
        covers=reader.limits(data["covers"]),
        silences=tuple(
            Silence(**{**table, "when": reader.limits(table["when"]), "sources": _cited(table)})
            for table in data["silence"]
        ),
        rules=tuple(
            SafetyRule(
                id=table["id"],
                any=reader.ways(table.get("when"), table.get("any")),
                stops=frozenset(table.get("stops", ())),
                opens=table.get("opens", ""),
                says=table["says"],
                sources=_cited(table),
                verified=table["verified"],
            )
            for table in data["rule"]
        ),
    )


def _cited(table: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(map(_Reader(document("sources.toml")).cited, table["sources"]))


@cache
def facts() -> Mapping[str, Fact]:
    """Return the facts, by name."""
    reader = _Reader(document("facts.toml"))
    return {
        table["name"]: Fact(table["name"], tuple(_limbs(reader, table["any"])))
        for table in _fact_tables()
    }


def _limbs(reader: _Reader, tables: list[_When]) -> Iterator[Limb]:
    for table in tables:
        ((name, given),) = table.items()
        if isinstance(given, bool):
            yield name, frozenset({given})
        elif name in vocabulary():
            yield name, reader.words(name, given)
        elif name in units.analytes():
            yield name, reader.span(name, [given])
        elif given == "given":
            yield name, "given"
        else:
            yield name, reader.duration(str(given))


@cache
def windows() -> tuple[Window, ...]:
    """Return the times after an event in which results are not read, or read with a note."""
    reader = _Reader(document("facts.toml"))
    return tuple(
        Window(
            id=table["id"],
            code=table["code"],
            after=table["after"],
            lasts=reader.duration(table["lasts"]),
            text=table["lasts"],
            by_the_clock=table["lasts"].endswith("hours"),
            hides=tuple(table["hides"]),
        )
        for table in document("facts.toml").data["window"]
    )
