"""What fired, as notes, in the order in which a clinician needs them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from itertools import chain
from typing import Any

from rlsiron.decision import Standing, Verdict, agreement, on_hearsay
from rlsiron.facts import YES, crp_over_limits, since
from rlsiron.grammar import GIVES, TIERS, groups
from rlsiron.guideline import Guideline, SafetyRule, facts, safety, windows
from rlsiron.models import LabResult, Note, Panel
from rlsiron.panel import Event
from rlsiron.patient import Intake
from rlsiron.wording import inputs, listed, note, options, phrase, phrases, word

_ORDER = ("quality", "safety", "decision", "status", "context", "follow-up")
_PRESUMED = {"pregnancy": "iv-assumes-not-pregnant", "conditions": "iv-assumes-no-infection"}
_SILENCES = {"pregnancy": ("pregnancy", "expecting"), "end-stage": ("kidney", "end-stage")}
_WORDS = ("sex", "rls", "pregnancy", "kidney")
_IV = frozenset({"iv-iron", "oral-or-iv-iron"})


def collect(
    *,
    told: Intake,
    panel: Panel,
    problems: Sequence[str],
    events: Sequence[Event],
    known: Mapping[str, Any],
    verdicts: tuple[Verdict, ...],
    standing: Standing,
    assumptions: tuple[str, ...],
) -> tuple[Note, ...]:
    """Return every note that fired: the lead, what stops, what to doubt, what is said, what next.

    Parameters
    ----------
    told, panel, problems, events
        What was read, what could not be, and what was found in reading it.
    known
        What remains possible on each axis.
    verdicts
        What the guidelines say, the first of which leads.
    standing
        What holds of the general iron status.
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
        own = tuple(verdict.table.guideline.parameters for verdict in verdicts)
        if YES in crp_over_limits(told, panel, own):
            notes.append(note("inflammation-contradicts-crp", crp=panel.reported["crp"].reported))
    notes += _of_safety(verdicts, panel, told)
    words = tuple(known[name] for name in _WORDS)
    said = _of_words(verdicts, standing, assumptions, words)
    return tuple(sorted([*notes, *said], key=_place)) if notes else said


@lru_cache(maxsize=1 << 14)
def _of_words(
    verdicts: tuple[Verdict, ...],
    standing: Standing,
    assumptions: tuple[str, ...],
    words: tuple[frozenset[str], ...],
) -> tuple[Note, ...]:
    """Return the notes that depend on words and cells alone, so that patients share them."""
    known = dict(zip(_WORDS, words, strict=True))
    notes = [_lead(verdicts[0]), *_of_presumption(verdicts, known, assumptions)]
    notes += _not_excluded(verdicts)
    notes += _of_guidelines(verdicts, known)
    notes += _of_status(standing)
    if assumptions:
        assumed = [word("assumption", assumption) for assumption in assumptions]
        notes.append(note("assumptions", assumptions=", ".join(assumed)))
    needs = [name for verdict in verdicts for name in verdict.said["needs"]]
    if needs:
        notes.append(note("needs", needs=inputs(dict.fromkeys(needs), "and")))
    return tuple(sorted(notes, key=_place))


def _place(one: Note) -> int:
    if one.code in {"lead", "lead-before-safety"}:
        return -2
    return -1 if one.severity == "stop" else _ORDER.index(one.category)


def _lead(verdict: Verdict) -> Note:
    cell = verdict.cell
    code = "lead" if cell.criterion == cell.possible else "lead-before-safety"
    return _weighed(
        verdict,
        code,
        title=verdict.table.guideline.title,
        options=options(cell.possible),
        criterion=options(cell.criterion),
    )


def _weighed(verdict: Verdict, code: str, **filling: object) -> Note:
    """Return a note that says first where only unverified text gives iron."""
    said = note(code, **filling)
    if not on_hearsay(verdict.cell):
        return said
    return said.model_copy(update={"text": phrase("unverified").format(text=said.text)})


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


def _answer(verdict: Verdict) -> str:
    """Return the answer in words; empty where the reason says it all."""
    if verdict.reason in {"uncovered", "unconfirmed"}:
        return ""
    possible = verdict.cell.possible
    return f"{options(possible) if len(possible) == 1 else word('disposition', 'indeterminate')}. "


def _of_safety(verdicts: tuple[Verdict, ...], panel: Panel, told: Intake) -> list[Note]:
    """Return the safety rules that hold for certain, in any guideline."""
    return [
        note(
            rule.id,
            says=rule.says,
            ferritin=panel.ferritin.reported if panel.ferritin else "",
            tsat=panel.tsat.reported if panel.tsat else "",
            off=next(window.text for window in windows() if window.after == "last_oral_iron"),
            reasons=listed(_reasons(told), "and"),
            sources=rule.sources,
            verified=rule.verified,
        )
        for rule in _stopping(verdicts)
    ]


@lru_cache(maxsize=1 << 14)
def _stopping(verdicts: tuple[Verdict, ...]) -> tuple[SafetyRule, ...]:
    """Return the safety rules that hold for certain; what is withheld is not open."""
    closed = ({"withhold-iron"}, {"not-covered"})
    open_ = any(set(verdict.cell.possible) not in closed for verdict in verdicts)
    return _of_layers(
        (verdict.table.guideline, rule)
        for verdict in verdicts
        for rule in safety(verdict.table.guideline.parameters).rules
        if rule.id in verdict.cell.stopped and (open_ or not rule.opens)
    )


def _of_layers(rules: Iterable[tuple[Guideline, SafetyRule]]) -> tuple[SafetyRule, ...]:
    """Return safety rules, each once and in order; one that a guideline changes bears its title."""
    order = {rule.id: rule for rule in safety().rules}
    own = phrases("modified")["safety"]
    said = {
        rule
        if rule == order[rule.id]
        else replace(rule, says=own.format(says=rule.says, title=guideline.title)): None
        for guideline, rule in rules
    }
    return tuple(sorted(said, key=lambda rule: [*order].index(rule.id)))


def _not_excluded(verdicts: Sequence[Verdict]) -> list[Note]:
    """Return what would stop an answer that still gives iron, if it were so."""
    rules = _of_layers(
        (verdict.table.guideline, rule)
        for verdict in verdicts
        if not GIVES.isdisjoint(verdict.cell.possible)
        for rule in safety(verdict.table.guideline.parameters).rules
        if rule.id in verdict.cell.may_be_stopped - verdict.cell.stopped and rule.stops
    )
    says = [rule.says for rule in rules]
    return [note("not-excluded", says="; ".join(says))] if says else []


def _reasons(told: Intake) -> list[str]:
    """Return why IV iron is stopped, in words."""
    found: list[str] = [str(told.patient.pregnancy), *sorted(told.patient.conditions or ())]
    for name, lasts in chain(*facts()["iv-stopped"].any):
        if isinstance(lasts, timedelta) and since(name, lasts, told) == YES:
            found.append(name)
    return [word("reason", name) for name in found if name in phrases("reason")]


def _of_presumption(
    verdicts: Sequence[Verdict], known: Mapping[str, Any], assumptions: Sequence[str]
) -> list[Note]:
    """Return the assumptions on which an answer that gives IV iron rests."""
    if all(_IV.isdisjoint(verdict.cell.possible) for verdict in verdicts):
        return []
    fields = [assumption.split("=")[0] for assumption in assumptions]
    if known["sex"] == {"male"}:
        fields = [name for name in fields if name != "pregnancy"]
    return [note(code) for name, code in _PRESUMED.items() if name in fields]


def _of_guidelines(verdicts: tuple[Verdict, ...], known: Mapping[str, Any]) -> list[Note]:
    """Return what each guideline says, where they differ, and of what they are silent."""
    notes = [
        _weighed(
            verdict,
            "decision",
            title=verdict.table.guideline.title,
            answer=_answer(verdict),
            because=verdict.said["because"],
            sources=(verdict.table.guideline.source,),
            verified=verdict.said["verified"],
        )
        for verdict in verdicts
    ]
    agreed = agreement(verdicts)
    titles = {v.table.guideline.id: v.table.guideline.title for v in verdicts}
    if agreed.verdict == "differ":
        positions = (
            f"{title} {options(agreed.possible[id_])}"
            for id_, title in titles.items()
            if id_ in agreed.possible
        )
        notes.append(note("differ", positions="; ".join(positions)))
    asked = any(v.table.guideline.purpose == safety().purpose for v in verdicts)
    if asked and "confirmed" not in known["rls"]:
        notes.append(note("rls-not-confirmed", rls=listed(sorted(known["rls"]), "or")))
    for silence, (axis, group) in _SILENCES.items():
        silent = [v for v in verdicts if silence in v.table.guideline.silent_on]
        speaking = [v for v in silent if v.cell.possible != ("not-covered",)]
        if speaking and known[axis] <= groups()[axis, group]:
            silents = listed([v.table.guideline.title for v in speaking], "and")
            notes.append(note(f"silent-on-{silence}", titles=silents))
    left_out = [
        f"{v.table.guideline.id} {rule.id}"
        for v in verdicts
        if v.table.strict
        for rule in v.table.guideline.rules
        if rule.hearsay
    ]
    if left_out:
        notes.append(note("strict", rules=", ".join(left_out)))
    return notes


def _of_status(standing: Standing) -> list[Note]:
    """Return what holds of the general iron status: one note for all that has none of its own."""
    notes = [
        note(rule.note, says=rule.says, sources=(rule.source,), verified=rule.verified)
        for _, rule in standing.rules
        if rule.note
    ]
    rest = [(file, rule) for file, rule in standing.rules if not rule.note]
    if rest:
        said: dict[tuple[str, str], list[str]] = {}
        for file, rule in rest:
            said.setdefault((file.title, file.about), []).append(rule.says)
        statements = "; ".join(
            phrase("statement").format(title=title, about=about, says=listed(says, "and"))
            for (title, about), says in said.items()
        )
        sources = tuple(dict.fromkeys(rule.source for _, rule in rest))
        weakest = max((rule.verified for _, rule in rest), key=TIERS.index)
        notes.append(note("status", statements=statements, sources=sources, verified=weakest))
    return notes
