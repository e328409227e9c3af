"""What fired, as notes, in the order in which a clinician needs them."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from itertools import chain
from typing import Any

from rlsiron.board import Found
from rlsiron.cell_notes import (
    SHOWN,
    WORDS,
    Sayings,
    Words,
    of_cells,
    of_layers,
    place,
    saying,
    shows_a_value,
    spoken,
)
from rlsiron.decision import Near, Verdict, nearest_limit
from rlsiron.facts import YES, crp_over_limits, since
from rlsiron.guideline import SafetyRule, Window, facts, safety, windows
from rlsiron.models import LabResult, Note, Panel
from rlsiron.panel import Event, end_of
from rlsiron.patient import Intake
from rlsiron.units import analyte
from rlsiron.wording import listed, note, options, phrases, word


def collect(
    *,
    told: Intake,
    panel: Panel,
    problems: Sequence[str],
    events: Sequence[Event],
    known: Mapping[str, Any],
    found: Found,
    assumptions: tuple[str, ...],
) -> tuple[Note, ...]:
    """Return every note that fired: the lead, what stops, what to doubt, what is said, what next.

    Parameters
    ----------
    told, panel, problems, events
        What was read, what could not be, and what was found in reading it.
    known
        What remains possible on each axis.
    found
        What the guidelines say, the first of which leads, and what holds of the iron status.
    assumptions
        What was assumed, as ``field=word``.
    """
    notes = [note("unread-field", problem=problem) for problem in told.problems]
    notes += [note("unread-result", problem=problem) for problem in problems]
    for result in panel.reported.values():
        if result.codes or result.missing:
            notes += _of_result(result)
    notes += [_of_event(event) for event in events]
    if told.patient.inflammation is False:
        limits = tuple(verdict.table.guideline.parameters for verdict in found.verdicts)
        if YES in crp_over_limits(told, panel, limits):
            notes.append(note("inflammation-contradicts-crp", crp=panel.reported["crp"].reported))
    near = nearest_limit(found.verdicts, known)
    if near:
        notes.append(_borderline(near, known))
    if told.patient.oral_iron == "taking" and "last_oral_iron=never" in assumptions and panel.tsat:
        off = _off_iron()
        notes.append(note("oral-iron-undated", sources=off.sources, verified=off.verified))
    for code, sayings in _of_values(found):
        shown = {name: panel.reported[name].reported for name in SHOWN if name in panel.reported}
        notes += saying(code, sayings, **shown)
    notes += _of_safety(found.verdicts, panel, told)
    words = Words(
        known=tuple(known[name] for name in WORDS),
        assumptions=assumptions,
        conditions=told.patient.conditions or frozenset(),
        told=frozenset({"assay"} if told.draw.assay else ()),
    )
    return _merged(notes, *of_cells(found, words))


def _merged(own: list[Note], shared: tuple[Note, ...], places: tuple[int, ...]) -> tuple[Note, ...]:
    """Return the notes of a patient among those that patients share, which are in order."""
    if not own:
        return shared
    merged = list(shared)
    own.sort(key=place)
    for one in reversed(own):
        merged.insert(bisect_left(places, place(one)), one)
    return tuple(merged)


@lru_cache(maxsize=1 << 14)
def _of_values(found: Found) -> tuple[tuple[str, Sayings], ...]:
    """Return the notes of statements that show a result."""
    said: dict[str, list[Any]] = {}
    for file, rule in spoken(found):
        if rule.note and shows_a_value(rule.note):
            said.setdefault(rule.note, []).append((file, rule))
    return tuple(said.items())


def _borderline(near: Near, known: Mapping[str, Any]) -> Note:
    """Return the note of a value so near to a limit that the next one may lie beyond."""
    variation = analyte(near.step.axis).variation
    return note(
        "borderline",
        analyte=word("analyte", near.step.axis),
        value=known[near.step.axis][0],
        percent=variation and variation.percent,
        limit=near.step.limit,
        unit=word("unit", near.step.unit),
        title=near.verdict.table.guideline.title,
        options=options(near.step.possible),
        sources=(variation.source,) if variation else (),
        verified=variation and variation.verified,
    )


def _of_event(event: Event) -> Note:
    code, filling = event
    words = dict(filling)
    if "after" in words:
        words["after"] = word("event", str(words["after"]))
        words["results"] = [word("analyte", name) for name in filling["results"]]  # type: ignore[attr-defined]
    return note(code, **words)


def _of_result(result: LabResult) -> list[Note]:
    title = word("analyte", result.analyte)
    notes = [note(code, analyte=title, reported=result.reported) for code in result.codes]
    if result.missing:
        notes.append(note("missing-result", analyte=title, reason=result.missing))
    return notes


def _of_safety(verdicts: tuple[Verdict, ...], panel: Panel, told: Intake) -> list[Note]:
    """Return the safety rules that hold for certain, in any guideline."""
    return [
        note(
            rule.id,
            says=rule.says,
            ferritin=panel.ferritin.reported if panel.ferritin else "",
            tsat=panel.tsat.reported if panel.tsat else "",
            off=_off_iron().text,
            reasons=listed(_reasons(told), "and"),
            sources=rule.sources,
            verified=rule.verified,
        )
        for rule in _stopping(verdicts)
    ]


def _off_iron() -> Window:
    return next(window for window in windows() if window.after == "last_oral_iron")


@lru_cache(maxsize=1 << 14)
def _stopping(verdicts: tuple[Verdict, ...]) -> tuple[SafetyRule, ...]:
    """Return the safety rules that hold for certain; what is withheld is not open."""
    closed = ({"withhold-iron"}, {"not-covered"})
    open_ = any(set(verdict.cell.possible) not in closed for verdict in verdicts)
    return of_layers(
        (verdict.table.guideline, rule)
        for verdict in verdicts
        for rule in safety(verdict.table.guideline.parameters).rules
        if rule.id in verdict.cell.stopped and (open_ or not rule.opens)
    )


def _reasons(told: Intake) -> list[str]:
    """Return why IV iron is stopped, in words."""
    named: list[str] = [str(told.patient.pregnancy), *sorted(told.patient.conditions or ())]
    reasons = [word("reason", name) for name in named if name in phrases("reason")]
    for name, lasts in chain(*facts()["iv-stopped"].any):
        if isinstance(lasts, timedelta) and since(name, lasts, told) == YES:
            again = end_of(getattr(told.patient, name), told.draw.drawn, lasts)
            reasons.append(word("reason", name).format(again=again))
    return reasons
