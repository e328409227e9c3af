"""The grammar of the knowledge files: words, limits with their units, and the shape of a file.

Every limit becomes a closed interval in the canonical unit, so that "≤ 75" and "> 75" meet at one
cut. What a file says wrong is refused with the file, the line, the place and the way out.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache, lru_cache
from math import inf, nextafter
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args, get_origin

from pydantic import Field, StrictBool, StrictStr, ValidationError

from rlsiron import units
from rlsiron.catalog import Document, document
from rlsiron.errors import GuidelineError, RlsironError, did_you_mean, shown
from rlsiron.models import CONDITIONS, Disposition, Patient, Record, Span, Tier

DISPOSITIONS: tuple[str, ...] = get_args(Disposition)[:-1]  # "indeterminate" is never a member
GIVES = frozenset(DISPOSITIONS[:3])
WITHHOLDS = frozenset({"no-iron", "withhold-iron"})
TIERS: tuple[str, ...] = get_args(Tier)

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
    return {**words, "conditions": CONDITIONS}


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

Parameters = tuple[tuple[str, str], ...]
"""The named numbers of ``facts.toml`` that a user's own file changes; none in one that ships."""

AXIS_WORDS = ("sex", "rls", "pregnancy", "kidney")
"""Fields of the patient that are axes of a table; the others enter as facts."""


class Limits(NamedTuple):
    """One way for a rule to apply: what it admits on each axis that it names."""

    axes: tuple[tuple[str, Allowed], ...]


# The shapes of the files; what a name means is resolved by `Reader`.

When = dict[str, StrictStr | StrictBool | list[StrictStr]]
_Name = Annotated[str, Field(pattern=r"^\S(.*\S)?$")]
_Text = Field(min_length=1)
_ID = r"^[a-z0-9][a-z0-9-]*$"


class _RuleShape(Record):
    id: _Name
    when: When | None = None
    any: list[When] | None = Field(default=None, min_length=1)
    says: str = _Text
    source: str | None = None
    verified: Tier


class RuleShape(_RuleShape):
    """A rule as it stands in the file of a guideline: what to do."""

    disposition: str | list[str]
    why: str = ""
    strength: str = ""
    certainty: str = ""


class StatementShape(_RuleShape):
    """A statement: of the general iron status, or a remark beside what a guideline decides."""

    says: str = ""
    note: str = ""
    then: str = ""
    route: Literal["", "oral", "iv"] = ""
    unless: Literal["", "assay"] = ""
    values: dict[str, str] = Field(default_factory=dict)
    strength: str = ""
    certainty: str = ""


class _PopulationShape(Record):
    name: _Name
    applies: When


class PopulationShape(_PopulationShape):
    """A population as it stands in the file of a guideline."""

    rule: list[RuleShape] = Field(min_length=1)
    remark: list[StatementShape] = Field(default_factory=list)


class GroupShape(_PopulationShape):
    """A population as it stands in a file of statements."""

    rule: list[StatementShape] = Field(min_length=1)


class _FileShape(Record):
    id: str = Field(pattern=_ID)
    title: str = ""
    source: str
    version: str = _Text
    reviewed_by: list[str]


class GuidelineShape(_FileShape):
    """The file of a guideline."""

    extends: str = ""
    purpose: Literal["rls", "anemia", "status"]
    silent_on: tuple[Literal["pregnancy", "end-stage"], ...] = ()
    population: list[PopulationShape] = Field(min_length=1)


class StatusShape(_FileShape):
    """A file of statements: on general iron status, or remarks whatever the guideline."""

    purpose: Literal["status", "remarks"]
    about: str = _Text
    population: list[GroupShape] = Field(min_length=1)


class ChangeShape(Record):
    """A rule of the extended file, and when it applies from now on."""

    id: _Name
    when: When | None = None
    any: list[When] | None = Field(default=None, min_length=1)


class ExtensionShape(Record):
    """A file that extends a guideline."""

    id: str = Field(pattern=_ID)
    title: str = ""
    extends: str = _Text
    version: str = _Text
    reviewed_by: tuple[str, ...] = ()
    parameters: dict[str, Any] = Field(default_factory=dict)
    change: tuple[ChangeShape, ...] = ()


_FILES = (GuidelineShape, StatusShape, ExtensionShape)
_NO_LIMIT = 'is not a limit with its unit; write one such as "<= 75 ug/L"'


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
    # a file that extends another names rules, and its populations stand in the other
    own = [place for place in places if place[0] != "population" or "extends" not in source.data]
    patterns = [_PLACES[kind].format(re.escape(name)) for kind, name in own]
    line = source.line_of(*patterns)
    where = [source.name, *([f"line {line}"] if line else [])]
    where += [f"{kind} {name}" for kind, name in places]
    return GuidelineError(f"{', '.join(where)}: {text}")


_PLACES = {
    "population": r"^\s*name\s*=\s*[\"']{}[\"']",
    "rule": r"^\s*id\s*=\s*[\"']{}[\"']",
    "remark": r"^\s*id\s*=\s*[\"']{}[\"']",
    "key": r"(?<![\w-]){}\s*=",
}


_SHAPES: dict[tuple[type[Record], str], type[Record]] = {
    (GuidelineShape, "population"): PopulationShape,
    (PopulationShape, "rule"): RuleShape,
    (PopulationShape, "remark"): StatementShape,
    (StatusShape, "population"): GroupShape,
    (GroupShape, "rule"): StatementShape,
    (ExtensionShape, "change"): ChangeShape,
}


def _literals(shape: type[Record], key: str) -> tuple[Any, ...]:
    """Return the closed vocabularies in the type of a key."""
    type_ = shape.model_fields[key].annotation
    return (type_,) if get_origin(type_) is Literal else get_args(type_)


_Shape = TypeVar("_Shape", bound=Record)


class Reader:
    """Reads the parts of one file; every fault that it raises names the place."""

    def __init__(
        self,
        source: Document,
        places: tuple[tuple[str, str], ...] = (),
        parameters: Parameters = (),
    ) -> None:
        self._document = source
        self._places = places
        self._parameters = parameters

    def within(self, kind: str, name: str) -> "Reader":
        """Return a reader of a part of this part."""
        return Reader(self._document, (*self._places, (kind, name)), self._parameters)

    def fault(self, text: str) -> GuidelineError:
        """Return the error of a fault in this part."""
        return fault(self._document, self._places, text)

    def shape(self) -> GuidelineShape | StatusShape:
        """Return the file in its shape, its words not yet resolved."""
        states = str(self._document.data.get("purpose")) in {"status", "remarks"}
        return self._shaped(StatusShape) if states else self._shaped(GuidelineShape)

    def extension(self) -> ExtensionShape:
        """Return the file in the shape of one that extends another."""
        return self._shaped(ExtensionShape)

    def _shaped(self, shape: type[_Shape]) -> _Shape:
        try:
            return shape.model_validate(self._document.data)
        except ValidationError as error:
            # a key that is misspelled is missing too: what stands there says more
            every = error.errors(include_url=False)
            first = min(every, key=lambda one: one["type"] != "extra_forbidden")
            raise self._misshapen(shape, first["loc"], first["type"], first["input"]) from None

    def _misshapen(
        self,
        shape: type[Record],
        steps: tuple[str | int, ...],
        kind: str,
        given: Any,  # noqa: ANN401
    ) -> GuidelineError:
        """Return the fault at a path into the data, in words of the file and not of its model."""
        here, key = self, ""
        at: Any = self._document.data
        for step in steps:
            if isinstance(at, list) and isinstance(step, int):
                part = at[step]
                kind_of = "rule" if key == "change" else key  # of a rule
                named = "name" if key == "population" else "id"
                name = part.get(named) if isinstance(part, dict) else None
                if (shape, key) in _SHAPES:
                    here, shape = here.within(kind_of, str(name or step + 1)), _SHAPES[shape, key]
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
        if kind == "string_pattern_mismatch" and shape in _FILES:
            return here.fault(f"{shown(at)} is no id; write small letters, digits and hyphens")
        if key == "age" or key in units.analytes():
            return here.fault(f"{shown(at)} {_NO_LIMIT}")
        return here.fault(f"{shown(at)} cannot stand here; see the form of a guideline file")

    def one_of(self, word: str, known: tuple[str, ...], kind: str) -> str:
        """Return a word that is known."""
        if word not in known:
            raise self.fault(f"unknown {kind} {shown(word)}{did_you_mean(word, known)}")
        return word

    def cited(self, source: str) -> str:
        """Return the key of a source that is known."""
        return self.one_of(source, tuple(document("sources.toml").data), "source")

    def limits(self, when: When) -> Limits:
        """Return what a condition admits on each axis that it names."""
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
        known = ["age", *units.analytes(), *AXIS_WORDS, *(f["name"] for f in fact_tables())]
        raise here.fault(f"unknown name{did_you_mean(name, known)}")

    def words(self, name: str, given: object) -> frozenset[str]:
        """Return the words that some words stand for."""
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
            raise self.fault(f"{text!r} {_NO_LIMIT}")
        operator, parameter = match[1], match["parameter"]
        if parameter:
            parameters = in_use(self._parameters)
            self.one_of(parameter, tuple(parameters), "parameter")
            return self._limit(name, f"{operator} {parameters[parameter]}")
        return operator, self._canonical(name, match["number"], match["unit"])

    def value(self, name: str, text: object, *, example: str) -> float:
        """Return a number with its unit, in the canonical unit."""
        match = _LIMIT.fullmatch(f">={text}")
        if match is None or match["parameter"]:
            raise self.fault(f"{shown(text)} is not a number with its unit; write {example!r}")
        return self._canonical(name, match["number"], match["unit"])

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
        """Return a time, such as of ``"84 days"``."""
        number, _, unit = text.removeprefix("<").strip().partition(" ")
        return float(number) * _DURATION[unit]

    def ways(self, when: When | None, any_: list[When] | None) -> tuple[Limits, ...]:
        """Return each way for a rule to apply; without a condition, it always does."""
        if when is not None and any_ is not None:
            raise self.fault("give `when` or `any`, not both")
        return tuple(self.limits(way) for way in any_ or [when or {}])


@lru_cache(maxsize=256)
def in_use(own: Parameters) -> Mapping[str, str]:
    """Return every named number, with those that a file changes as it has them."""
    return {**document("facts.toml").data["parameters"], **dict(own)}


def fact_tables() -> list[dict[str, Any]]:
    """Return the facts as they stand in their file."""
    return document("facts.toml").data["fact"]  # type: ignore[no-any-return]
