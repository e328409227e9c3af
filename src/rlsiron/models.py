"""The records that cross the border: what was given, and what is answered."""

import re
from datetime import date, datetime
from decimal import Decimal
from html import escape
from math import inf, nextafter
from numbers import Real
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from rlsiron.errors import PatientError, ReadingError, RlsironError, did_you_mean, shown
from rlsiron.units import LARGEST, analyte, settle

Disposition = Literal[
    "oral-iron",
    "iv-iron",
    "oral-or-iv-iron",
    "no-iron",
    "withhold-iron",
    "not-covered",
    "indeterminate",
]
Iron = Literal["give", "do-not-give", "not-covered", "open"]
Tier = Literal["primary", "quoted", "secondary", "convention", "unverified"]
Category = Literal["quality", "safety", "decision", "status", "context", "follow-up"]
Severity = Literal["info", "caution", "stop"]
Bound = Literal["", "<", "<=", ">", ">="]
AnalyteName = Literal[
    "ferritin", "tsat", "iron", "tibc", "uibc", "transferrin", "crp", "hemoglobin"
]
Input = Literal["ferritin", "tsat", "age", "sex", "pregnancy", "kidney", "crp", "drawn"]
Condition = Literal[
    "hemochromatosis",
    "iron-loading-anemia",
    "repeated-transfusion",
    "active-infection",
    "iv-iron-anaphylaxis",
    "heart-failure",
    "diabetes",
    "peripheral-neuropathy",
    "autoimmune-disease",
    "malignancy",
    "gi-disease",
    "bariatric-surgery",
    "blood-donor",
    "family-history",
    "dopaminergic-treatment",
    "augmentation",
]


_NUMBER = (float, int, Real, Decimal)  # the commonest first
_YEARS = range(1850, 2200)  # a date outside is a slip

_COLORS = {"stop": "#c00020", "caution": "#d08700", "info": "#bbbbbb"}

CONDITIONS: tuple[str, ...] = get_args(Condition)

Span = tuple[float, float]
"""An interval in the canonical unit, closed at both ends."""


def _read_number(given: object) -> object:
    if isinstance(given, bool | str):
        raise PydanticCustomError("number", "give a number")
    return given


def _read_age(given: object) -> object:
    if isinstance(given, str) and re.fullmatch(r"\d{1,3}(\.\d+)?", given.strip(), re.ASCII):
        return float(given)
    if isinstance(given, bool) or not isinstance(given, _NUMBER):
        raise PydanticCustomError("age", "an age is a number of years from 0 to 130")
    return given


def _read_moment(given: object) -> object:
    moment = given
    if isinstance(given, str):
        read = date if len(given.strip()) <= len("2026-01-31") else datetime
        try:
            moment = read.fromisoformat(given.strip())
        except ValueError:
            moment = None
    if isinstance(moment, date) and moment.year in _YEARS:
        return moment
    raise PydanticCustomError(
        "moment", "write a date of our times as 2026-01-31 or 2026-01-31T08:30"
    )


def _read_text(given: str) -> str:
    try:
        given.encode()
    except UnicodeEncodeError:  # which no JSON and no file holds
        text = "it holds half of a character; decode it as it was encoded"
        raise PydanticCustomError("text", text) from None
    return given


def _read_conditions(given: object) -> object:
    if isinstance(given, str):
        return given.split() or None  # a blank text tells nothing, not that there is nothing
    if given is None or isinstance(given, list | tuple | set | frozenset):
        return given
    raise PydanticCustomError("conditions", "give a set or a list of codes, or a text of them")


Text = Annotated[str, AfterValidator(_read_text)]
Age = Annotated[float, BeforeValidator(_read_age), Field(ge=0, le=130)]
Moment = Annotated[datetime | date, BeforeValidator(_read_moment)]
BirthDate = Annotated[date, BeforeValidator(_read_moment)]
Conditions = Annotated[frozenset[Condition] | None, BeforeValidator(_read_conditions)]
Settled = Annotated[
    float, BeforeValidator(_read_number), Field(ge=0, allow_inf_nan=False), AfterValidator(settle)
]


# The slots of a pydantic model, set without asking it: a frozen one refuses, and asking costs time.
_set_fields, _set_names, _set_extra, _set_private = (
    vars(BaseModel)[slot].__set__
    for slot in (
        "__dict__",
        "__pydantic_fields_set__",
        "__pydantic_extra__",
        "__pydantic_private__",
    )
)


class Record(BaseModel):
    """A frozen record; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    field_names: ClassVar[set[str]]

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:  # noqa: ANN401 - as pydantic has it
        """Keep the names of the fields, which every trusted record shares."""
        cls.field_names = set(cls.model_fields)

    @classmethod
    def trusted(cls, **fields: Any) -> Self:  # noqa: ANN401 - fields of any type
        """Make a record of values that the library itself made: every field, none validated."""
        record = object.__new__(cls)
        _set_fields(record, fields)
        _set_names(record, cls.field_names)
        _set_extra(record, None)
        _set_private(record, None)
        return record


class Told(Record):
    """A record that someone tells; a fault in it is an error of the library's own."""

    def __init__(self, /, **fields: Any) -> None:  # noqa: ANN401 - validated here
        try:
            super().__init__(**fields)
        except ValidationError as fault:
            found = [_fault(type(self), one) for one in fault.errors(include_url=False)]
            raise self._refusal(found) from None

    @staticmethod
    def _refusal(found: list[tuple[frozenset[str], str]]) -> RlsironError:
        return PatientError(*found)


class LabResult(Told):
    """One result as an interval in the canonical unit of its analyte, or missing with a reason.

    Attributes
    ----------
    analyte
        What was measured.
    reported
        The value and unit as they were given.
    unit
        Code of the unit it was reported in, such as ``"ng/mL"``; empty where it is missing.
    low, high
        Ends of the interval in the analyte's canonical unit (ferritin µg/L, TSAT %, iron, TIBC and
        UIBC µg/dL, transferrin and hemoglobin g/L, CRP mg/L). Both None where the result is
        missing; `high` alone None where there is no upper end.
    low_open, high_open
        Whether the interval excludes that end: ``"<5"`` is [0, 5).
    bound
        The comparator of a bound: ``"<"``, ``"<="``, ``">"``, ``">="``, else empty.
    half_step
        Half of the last printed digit, in the canonical unit; 0 for a bound.
    missing
        Why there is no result, in the words of the report; empty where there is one.
    codes
        Codes of the notes that reading it gave rise to.

    Examples
    --------
    >>> LabResult(analyte="ferritin", reported="<5 ng/mL", unit="ng/mL", low=0, high=5,
    ...           high_open=True, bound="<").span
    (0.0, 4.999999999999999)
    """

    analyte: AnalyteName
    reported: Text
    unit: str = ""
    low: Settled | None = None
    high: Settled | None = None
    low_open: bool = False
    high_open: bool = False
    bound: Bound = ""
    half_step: Settled = 0.0
    missing: str = ""
    codes: tuple[str, ...] = ()

    @staticmethod
    def _refusal(found: list[tuple[frozenset[str], str]]) -> RlsironError:
        return ReadingError("; ".join(text for _, text in found))

    @model_validator(mode="after")
    def _is_an_interval(self) -> Self:
        if (self.low is None) != bool(self.missing):
            raise PydanticCustomError(
                "interval", "a result has a `low` end, or says in `missing` why there is none"
            )
        if self.low is None and self.high is not None:
            raise PydanticCustomError("interval", "a missing result has no `high` end")
        if self.low is not None and self.span[0] > self.span[1]:
            raise PydanticCustomError("interval", "an interval runs from `low` up to `high`")
        known = analyte(self.analyte)
        if self.unit not in {"", *known.units}:
            raise PydanticCustomError("interval", "this analyte is not reported in this unit")
        if self.is_point and self.bound:
            raise PydanticCustomError("interval", "a point is no bound")
        most = known.maximum.value if known.maximum else LARGEST
        if max(self.low or 0.0, self.high or 0.0) > most:
            raise PydanticCustomError("interval", "there is no such value of this analyte")
        if self.low == self.high == 0 and not known.zero:
            raise PydanticCustomError("interval", "zero is no value of this analyte")
        return self

    @property
    def span(self) -> Span:
        """The interval closed at both ends, an open one the next float inward; all if missing."""
        low = self.low or 0.0
        high = inf if self.high is None else self.high
        return (
            nextafter(low, inf) if self.low_open else low,
            nextafter(high, -inf) if self.high_open else high,
        )

    @property
    def is_point(self) -> bool:
        """Whether the result is one value."""
        return self.low is not None and self.low == self.high

    def __str__(self) -> str:
        """Return the result as it was reported."""
        return f"{self.analyte} {self.reported}"


class Panel(Record):
    """The results of one draw: as they were read, and as they are used.

    Attributes
    ----------
    drawn, fasting, assay
        The draw, as far as it was told.
    reported
        Every result that was given, as it was read, by analyte.
    ferritin, tsat
        What the tables look up: None where not given; missing, with a reason, where it must not
        be read.
    tsat_source
        Where the transferrin saturation comes from: ``"reported"``, ``"iron/tibc"``,
        ``"iron/uibc"``, ``"iron/transferrin"``, several joined by ``"+"``, or empty.
    """

    drawn: Moment | None
    fasting: bool | None
    assay: str | None
    reported: dict[str, LabResult]
    ferritin: LabResult | None
    tsat: LabResult | None
    tsat_source: str


class Patient(Told):
    """What is known of the patient; a field that is not given is unknown.

    Attributes
    ----------
    age
        Years, 0 to 130; 17.9 is under 18.
    birth_date
        In place of `age`: completed calendar years at the draw.
    sex, rls, severity, pregnancy, kidney, oral_iron
        One of the words of the type.
    rapid_response_wanted, inflammation
        Yes or no.
    last_oral_iron, last_iv_iron, last_transfusion, last_fever
        A date, a datetime, or ISO 8601 text.
    conditions
        Codes, as a set, a list, or a text of codes joined by spaces.

    Raises
    ------
    PatientError
        If a field or a word is not known, a value is impossible, or two fields contradict.

    Examples
    --------
    >>> Patient(age=44, sex="female", conditions=["blood-donor"]).age
    44.0
    >>> Patient(age=44, sex="femal")
    Traceback (most recent call last):
    ...
    rlsiron.errors.PatientError: unknown sex 'femal'; did you mean 'female'?
    """

    age: Age | None = None
    birth_date: BirthDate | None = None
    sex: Literal["female", "male"] | None = None
    rls: Literal["confirmed", "suspected", "absent"] | None = None
    severity: Literal["mild", "moderate-severe"] | None = None
    pregnancy: (
        Literal["none", "trimester-1", "trimester-2", "trimester-3", "pregnant", "postpartum"]
        | None
    ) = None
    kidney: Literal["none", "ckd", "ckd-5", "hemodialysis", "peritoneal-dialysis"] | None = None
    oral_iron: Literal["untried", "taking", "failed", "not-tolerated", "not-absorbed"] | None = None
    rapid_response_wanted: bool | None = None
    inflammation: bool | None = None
    last_oral_iron: Moment | None = None
    last_iv_iron: Moment | None = None
    last_transfusion: Moment | None = None
    last_fever: Moment | None = None
    conditions: Conditions = None

    @field_serializer("conditions", when_used="json-unless-none")
    def _in_order(self, conditions: frozenset[str]) -> list[str]:
        return sorted(conditions)

    @model_validator(mode="after")
    def _does_not_contradict_itself(self) -> Self:
        if self.age is not None and self.birth_date is not None:
            raise contradiction("age", "birth_date", "give `age` or `birth_date`, not both")
        if self.sex == "male" and self.pregnancy not in {None, "none"}:
            raise contradiction(
                "sex", "pregnancy", f"pregnancy {self.pregnancy!r} contradicts sex 'male'"
            )
        return self


class Draw(Told):
    """When and how the sample was drawn, as far as it was told."""

    drawn: Moment | None = None
    fasting: bool | None = None
    assay: Text | None = None


class AppliedRule(Record):
    """A rule of a source that decides at least one case still possible."""

    id: str
    source: str
    says: str
    disposition: tuple[Disposition, ...]
    strength: str
    certainty: str
    verified: Tier


class Nearest(Record):
    """The limit beyond which the disposition would differ, at the smallest relative distance.

    `limit` is in the analyte's canonical unit, `distance` the difference from it as a share of it,
    and `possible` what would be said just beyond.
    """

    analyte: str
    limit: float
    unit: str
    distance: float
    possible: tuple[Disposition, ...]


class Decision(Record):
    """What one guideline says of the patient, before and after the safety layer."""

    guideline: str
    criterion: Disposition
    criterion_possible: tuple[Disposition, ...]
    criterion_iron: Iron
    disposition: Disposition
    possible: tuple[Disposition, ...]
    iron: Iron
    needs: tuple[Input, ...]
    rules: tuple[AppliedRule, ...]
    verified: Tier | None
    because: str
    nearest: Nearest | None

    def __str__(self) -> str:
        """Return the guideline, its disposition, and why."""
        return f"{self.guideline}: {self.disposition}. {self.because}"


class Agreement(Record):
    """Whether the guidelines that cover the patient agree, and who says what."""

    verdict: Literal["agree", "differ", "open"]
    possible: dict[str, tuple[Disposition, ...]]


class Status(Record):
    """A statement on general iron status, with its purpose; never a reason for iron in RLS."""

    source: str
    rule: str
    purpose: str
    says: str
    verified: Tier


class Note(Record):
    """One sentence to the clinician; `code` is stable, the wording is not."""

    code: str
    category: Category
    severity: Severity
    text: str
    sources: tuple[str, ...]
    verified: Tier | None

    def __str__(self) -> str:
        """Return the sentence, with its severity, and where it rests on unverified text, that."""
        severity = "" if self.severity == "info" else f"{self.severity.upper()}: "
        return severity + self.text + (" [not verified]" if self.verified == "unverified" else "")


class Provenance(Record):
    """What the answer rests on."""

    intended_use: str
    library_version: str
    knowledge_version: str
    guidelines: dict[str, str]
    sha256: str


class Interpretation(Record):
    """The answer for one patient; `print` it, or dump it as JSON."""

    panel: Panel
    patient: Patient
    decisions: dict[str, Decision]
    agreement: Agreement
    status: tuple[Status, ...]
    notes: tuple[Note, ...]
    assumptions: tuple[str, ...]
    provenance: Provenance

    @property
    def decision(self) -> Decision:
        """The decision of the first guideline, which leads."""
        return next(iter(self.decisions.values()))

    def __str__(self) -> str:
        """Return the notes, as text."""
        return "\n".join(str(note) for note in self.notes)

    def _repr_html_(self) -> str:
        """Return the notes for a notebook: the answer first, a bar beside what stops or warns."""
        lead, *rest = self.notes
        lines = [f"<strong>{escape(str(lead))}</strong>"]
        lines += [
            f'<div title="{escape(note.code)}" style="margin:.2em 0;padding-left:.6em;'
            f'border-left:.25em solid {_COLORS[note.severity]}">{escape(str(note))}</div>'
            for note in rest
        ]
        lines.append(f"<small>{escape(self.provenance.intended_use)}</small>")
        return f'<div style="max-width:52em">{"".join(lines)}</div>'


def contradiction(first: str, second: str, text: str) -> PydanticCustomError:
    """Return the error of two fields that cannot both be right."""
    return PydanticCustomError("contradiction", "{text}", {"text": text, "fields": (first, second)})


def unknown_field(model: type[Record], name: str) -> str:
    """Return the sentence on a field that a record does not have."""
    return (
        f"unknown field {shown(name)} of a {model.__name__}{did_you_mean(name, model.model_fields)}"
    )


def _fault(model: type[Record], fault: Any) -> tuple[frozenset[str], str]:  # noqa: ANN401 - pydantic's ErrorDetails
    """Return the fields at fault, and a sentence with the way out."""
    kind, given, message = fault["type"], fault["input"], fault["msg"]
    if kind == "contradiction":
        return frozenset(fault["ctx"]["fields"]), message
    if not fault["loc"]:
        return frozenset(), f"{model.__name__}: {message}"
    field = str(fault["loc"][0])
    if kind == "extra_forbidden":
        text = unknown_field(model, field)
    elif kind == "literal_error":
        words = re.findall("'([^']+)'", fault["ctx"]["expected"])
        text = f"unknown {field} {shown(given)}{did_you_mean(shown(given), words)}"
    else:
        text = f"{field} {shown(given)} cannot be read: {message[:1].lower()}{message[1:]}"
    return frozenset({field}), text
