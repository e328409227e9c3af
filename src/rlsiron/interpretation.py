"""The sentence: read, derive, decide, guard, note."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from functools import cache, lru_cache
from hashlib import sha256
from importlib.metadata import version
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rlsiron.board import Board, Found, StatusBoard
from rlsiron.catalog import document, guideline_ids, text_of
from rlsiron.decision import Moved, agreement, decide
from rlsiron.errors import GuidelineError, RlsironError, shown
from rlsiron.facts import assumptions, cuts, situation
from rlsiron.guideline import (
    Guideline,
    facts,
    load_guidelines,
    remarks,
    remarks_of,
    shipped,
    statuses,
    windows,
)
from rlsiron.models import Interpretation, LabResult, Panel, Patient, Provenance
from rlsiron.notes import collect
from rlsiron.panel import Event, assemble
from rlsiron.patient import DATED, EVENTS, Intake, read_patient
from rlsiron.reading import read_result
from rlsiron.table import Table
from rlsiron.wording import LANGUAGE, phrase

DEFAULT_GUIDELINES = ("aasm-2025", "irlssg-2018", "mayo-2021")
_KNOWLEDGE = (
    "units.txt",
    "analytes.toml",
    "spellings.toml",
    "sources.toml",
    "facts.toml",
    "safety.toml",
    "remarks.toml",
    LANGUAGE,
)

_ONE = (str, Path, Guideline)
_PAIR = (tuple, list)
Given = Any
"""A text with its unit, a pair of value and unit, a `pint.Quantity`, or a `LabResult`."""


def interpret(
    *,
    ferritin: Given = None,
    tsat: Given = None,
    iron: Given = None,
    tibc: Given = None,
    uibc: Given = None,
    transferrin: Given = None,
    crp: Given = None,
    hemoglobin: Given = None,
    patient: Patient | Mapping[str, Any] | None = None,
    drawn: date | str | None = None,
    fasting: bool | None = None,
    assay: str | None = None,
    guidelines: str | Path | Guideline | tuple[str | Path | Guideline, ...] = DEFAULT_GUIDELINES,
    decimal: Literal[".", ","] = ".",
    errors: Literal["raise", "note"] = "raise",
    strict: bool = False,
) -> Interpretation:
    """Return what guidelines for RLS say of the iron results of one patient.

    Parameters
    ----------
    ferritin, tsat, iron, tibc, uibc, transferrin, crp, hemoglobin
        Results with their units: ``"62 ng/mL"``, ``"<5 µg/L"``, ``(62, "ng/mL")``, a
        `pint.Quantity` or a `LabResult`. No unit is ever assumed.
    patient
        A `Patient`, or a dict of its fields.
    drawn
        When the sample was drawn: a date, a datetime, or ISO 8601 text.
    fasting, assay
        How it was drawn, and by which assay ferritin was measured.
    guidelines
        Ids, paths of guideline files or of folders of them, or `Guideline` objects. The first one
        leads.
    decimal
        The decimal sign of texts.
    errors
        ``"raise"``, or ``"note"``: what cannot be read counts as missing, with a note.
    strict
        Leave out unverified rules that give iron.

    Returns
    -------
    Interpretation
        A decision for each guideline, whether they agree, the general iron status, and the notes,
        in order.

    Raises
    ------
    RlsironError
        With what is wrong with which value, and the way out.

    Examples
    --------
    >>> answer = interpret(ferritin="62 ng/mL", tsat="18 %", patient={"age": 44})
    >>> answer.decision.disposition
    'oral-or-iv-iron'
    >>> answer.decisions["irlssg-2018"].disposition
    'oral-iron'
    >>> interpret(ferritin="62 ng/mL", patient={"age": 44}).decision.needs
    ('tsat',)
    """
    choose("errors", errors, "raise", "note")
    choose("decimal", decimal, ".", ",")
    choose("strict", strict, *(False, True))
    board = board_of(guidelines, strict=strict)
    results = {
        "ferritin": ferritin,
        "tsat": tsat,
        "iron": iron,
        "tibc": tibc,
        "uibc": uibc,
        "transferrin": transferrin,
        "crp": crp,
        "hemoglobin": hemoglobin,
    }
    draw = {"drawn": drawn, "fasting": fasting, "assay": assay}
    found = examine(board, results, patient=patient, draw=draw, decimal=decimal, errors=errors)
    return answer_of(found, board)


class Examined(NamedTuple):
    """What was read of one patient, what was made of it, and what is found in the tables."""

    told: Intake
    panel: Panel
    problems: list[str]
    events: list[Event]
    known: dict[str, Any]
    assumptions: tuple[str, ...]
    found: Found


def examine(
    board: Board,
    results: Mapping[str, Given],
    *,
    patient: Patient | Mapping[str, Any] | None,
    draw: Mapping[str, Any],
    decimal: str,
    errors: Literal["raise", "note"],
) -> Examined:
    """Read one patient, and look the results up in some tables.

    Parameters
    ----------
    board
        The tables.
    results, patient, draw, decimal, errors
        As `interpret` takes them, the results and the fields of the draw by name.
    """
    told = read_patient(patient, errors=errors, **draw)
    read, problems = _read_results(results, decimal=decimal, errors=errors)
    panel, events = assemble(read, told)
    known = situation(told, panel, board.parameters)
    found = board.answer(known, _moved(told, read, known, board))
    assumed = assumptions(told, panel, board.parameters)
    return Examined(told, panel, problems, events, known, assumed, found)


def answer_of(examined: Examined, board: Board) -> Interpretation:
    """Return the answer for a patient who was examined."""
    found, known = examined.found, examined.known
    return Interpretation.trusted(
        panel=examined.panel,
        patient=examined.told.patient,
        decisions={v.table.guideline.id: decide(v, known) for v in found.verdicts},
        agreement=agreement(found.verdicts),
        status=found.standing.said,
        notes=collect(
            told=examined.told,
            panel=examined.panel,
            problems=examined.problems,
            events=examined.events,
            known=known,
            found=found,
            assumptions=examined.assumptions,
        ),
        assumptions=examined.assumptions,
        provenance=provenance_of(board),
    )


def choose(name: str, given: object, one: object, other: object) -> None:
    """Refuse an argument that is neither of two values."""
    if given != one and given != other:  # noqa: PLR1714 - a set refuses what has no hash
        message = f"{name}={shown(given)} is not a choice; write {one!r} or {other!r}"
        raise RlsironError(message)


def board_of(given: Any, *, strict: bool) -> Board:  # noqa: ANN401 - checked here
    """Return the tables of some guidelines; of those that ship, at the cost of a look-up."""
    names = named(given)
    with suppress(TypeError):  # what cannot be hashed is no id; `guideline` refuses it
        if isinstance(names, tuple) and _are_ids(names):
            return _shipped(names, strict=strict)
    return _compiled(tuple(chain(*map(load_guidelines, names))), strict=strict)


def named(given: Any) -> Sequence[Any]:  # noqa: ANN401 - checked here
    """Return what names guidelines as a sequence of them, which are not looked at."""
    names = (given,) if isinstance(given, _ONE) else given
    if not isinstance(names, _PAIR) or not names:
        message = f"guidelines={shown(given)} names no guideline; give ids, such as ('aasm-2025',)"
        raise GuidelineError(message)
    return names


@lru_cache(maxsize=64)
def _are_ids(names: tuple[object, ...]) -> bool:
    return all(name in guideline_ids() for name in names)


@lru_cache(maxsize=64)
def _shipped(names: tuple[str, ...], *, strict: bool) -> Board:
    return _compiled(tuple(map(shipped, names)), strict=strict)


@lru_cache(maxsize=64)
def _compiled(given: tuple[Guideline, ...], *, strict: bool) -> Board:
    from rlsiron.compiler import (  # loads numpy: on the first answer only
        compile_status,
        compile_table,
    )

    ids = [one.id for one in given]
    for id_ in ids:
        if ids.count(id_) > 1:
            message = f"guidelines={ids!r} names {id_!r} twice; name each once"
            raise GuidelineError(message)
    stated = [*statuses(), remarks(), *(own for one in given if (own := remarks_of(one)))]
    return Board(
        [compile_table(one, strict=strict) for one in given],
        StatusBoard([compile_status(one) for one in stated]),
    )


def _is_empty(reported: Given) -> bool:
    """Whether a pair has no value, as a server passes a column that holds nothing."""
    return isinstance(reported, _PAIR) and len(reported) > 0 and reported[0] is None


def _read_results(
    given: Mapping[str, Given], *, decimal: str, errors: str
) -> tuple[dict[str, LabResult], list[str]]:
    """Return the results that were given and read, and why the others could not be."""
    results: dict[str, LabResult] = {}
    problems: list[str] = []
    for name, reported in given.items():
        if reported is not None and not _is_empty(reported):
            try:
                results[name] = read_result(name, reported, decimal=decimal)
            except RlsironError as error:
                if errors == "raise":
                    raise
                problems.append(str(error))
    return results, problems


def _moved(
    told: Intake, results: Mapping[str, LabResult], known: Mapping[str, Any], board: Board
) -> Moved:
    """Return the axes that inputs which are no axes would move, if they were known.

    They reach a table through facts and windows only, so what they could be is tried.
    """
    cases = {
        name: [situation(each, assemble(read, each)[0], board.parameters) for each, read in tried]
        for name, tried in _tried(told, results, known, board)
    }
    return tuple(
        (name, frozenset(axis for axis in known if any(case[axis] != known[axis] for case in said)))
        for name, said in cases.items()
    )


_Trial = tuple[Intake, Mapping[str, LabResult]]


def _tried(
    told: Intake, results: Mapping[str, LabResult], known: Mapping[str, Any], board: Board
) -> Iterator[tuple[str, list[_Trial]]]:
    """Yield each of these inputs that is not known, with what it could be."""
    crp = results.get("crp")
    if crp is not None and not crp.missing and not crp.is_point:
        yield "crp", [(told, {**results, "crp": end}) for end in _ends(crp)]
    if told.draw.drawn is None and not DATED.isdisjoint(told.patient.model_fields_set):
        yield "drawn", [(told.drawn_on(day), results) for day in _days(told.patient, board)]
    for name in board.asked:
        if name in Patient.model_fields:
            values = _values(name, known, board)
            yield name, [(told.with_field(name, value), results) for value in values]
            continue
        result = results.get(name) or _anything(name)
        if not result.is_point:
            ends = _ends(_anything(name) if result.missing else result)
            yield name, [(told, {**results, name: end}) for end in ends]


def _ends(result: LabResult) -> list[LabResult]:
    """Return a result as each end of what it may be."""
    return [result.model_copy(update={"low": end, "high": end}) for end in result.span]


@cache
def _anything(name: Any) -> LabResult:  # noqa: ANN401 - the name of an analyte
    return LabResult(analyte=name, reported="", low=0)


def _values(name: str, known: Mapping[str, Any], board: Board) -> list[Any]:
    """Return what a field of the patient may be, as far as facts tell it apart; none if known."""
    if name != "age":
        return sorted(known[name]) if len(known[name]) > 1 else []
    low, high = known["age"]
    return [age for age in (low, *board.cuts("age")) if low <= age <= high] if low < high else []


def _days(patient: Patient, board: Board) -> list[date]:
    """Return a day of the draw for each answer that one could make; none where none matters."""
    events = [date(*event.timetuple()[:3]) for name in EVENTS if (event := getattr(patient, name))]
    days = {event + timedelta(days=lasts) for event in events for lasts in _lasting()}
    born = patient.birth_date
    if born:
        edges = {edge for table in board.tables for edge in table.edges("age")}
        edges |= cuts("age") if "age" in board.asked else set()
        days |= {_birthday(born, ceil(edge)) for edge in (0.0, *edges)}
        events.append(born)
    latest = max(events, default=date.min)
    return sorted(day for day in days if day >= latest)


@cache
def _lasting() -> tuple[int, ...]:
    """Return after how many days something about an event may change."""
    limits = [limit for fact in facts().values() for way in fact.any for _, limit in way]
    lasting = [limit for limit in limits if isinstance(limit, timedelta)]
    lasting += [window.lasts for window in windows()]
    return (0, *{ceil(lasts / timedelta(days=1)) for lasts in lasting})


def _birthday(born: date, years: int) -> date:
    """Return the first day on which so many years are completed."""
    year = born.year + years
    leap = (born.month, born.day) == (2, 29)
    return date(year, 3, 1) if leap else born.replace(year=year)


def provenance_of(board: Board) -> Provenance:
    """Return what an answer rests on, with a fingerprint of all the knowledge used."""
    rests_on = _rests_on(board.tables)
    return Provenance.trusted(**{**rests_on, "guidelines": dict(rests_on["guidelines"])})


@lru_cache(maxsize=64)
def _rests_on(tables: tuple[Table, ...]) -> dict[str, Any]:
    texts = [text_of(name) for name in _KNOWLEDGE]
    texts += [one.document.text for one in statuses()]
    used = [table.guideline for table in tables]
    texts += [one.document.text for one in used]
    texts += [shipped(one.extends).document.text for one in used if one.extends]
    return {
        "intended_use": phrase("intended_use"),
        "library_version": version("rlsiron"),
        "knowledge_version": document("facts.toml").data["version"],
        "guidelines": {table.guideline.id: table.guideline.version for table in tables},
        "sha256": sha256("\0".join(texts).encode()).hexdigest(),
    }
