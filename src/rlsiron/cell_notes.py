"""The notes that depend on words and cells alone, so that patients share them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from itertools import combinations
from math import comb
from typing import Any, NamedTuple

from rlsiron.board import ADOLESCENT, Found
from rlsiron.decision import Verdict, agreement, on_hearsay, whys
from rlsiron.grammar import GIVES, TIERS, groups
from rlsiron.guideline import Guideline, Rule, SafetyRule, safety
from rlsiron.models import Note
from rlsiron.wording import (
    inputs,
    listed,
    note,
    options,
    phrase,
    phrases,
    templates,
    text_takes,
    word,
)

WORDS = ("sex", "rls", "pregnancy", "kidney")
"""The axes of words on which these notes depend."""

_ORDER = ("quality", "safety", "decision", "status", "context", "follow-up")
_LEAD, _STOP, _URGENT = -3, -2, -1
_DOUBTS = {"quality", "safety", "status"}  # of these, cautions come first
_PRESUMED = {"pregnancy": "iv-assumes-not-pregnant", "conditions": "iv-assumes-no-infection"}
_SILENCES = {"pregnancy": ("pregnancy", "expecting"), "end-stage": ("kidney", "end-stage")}
_ROUTES = {
    "oral": frozenset({"oral-iron", "oral-or-iv-iron"}),
    "iv": frozenset({"iv-iron", "oral-or-iv-iron"}),
}
_UNSAID = ("uncovered", "emptied")
_UNCOVERED = ("not-covered",)

SHOWN = ("ferritin", "hemoglobin")
"""The results that a note of a statement may show."""

Sayings = Sequence[tuple[Guideline, Rule]]
"""Rules that one note says, each with its file."""


class Words(NamedTuple):
    """What the notes ask of a patient, beside the cells.

    `known` are the words still possible on the axes of `WORDS`, `told` the fields of the draw
    that were told.
    """

    known: tuple[frozenset[str], ...]
    assumptions: tuple[str, ...]
    conditions: frozenset[str]
    told: frozenset[str]


@lru_cache(maxsize=1 << 14)
def of_cells(found: Found, words: Words) -> tuple[tuple[Note, ...], tuple[int, ...]]:
    """Return every note on what is said of a patient in some cells, in order, and their places."""
    verdicts = found.verdicts
    known = dict(zip(WORDS, words.known, strict=True))
    assumptions = words.assumptions
    notes = [_lead(verdicts[0]), *_of_presumption(verdicts, known, assumptions)]
    notes += _not_excluded(verdicts)
    notes += _of_guidelines(verdicts, known)
    notes += _of_statements(found, words.told)
    notes += _of_conditions(words.conditions)
    if assumptions:
        assumed = [word("assumption", assumption) for assumption in assumptions]
        notes.append(note("assumptions", assumptions=", ".join(assumed)))
    needs = {name for verdict in verdicts for name in verdict.said["needs"]}
    lead = verdicts[0]
    if needs.difference(_awaited(lead) or lead.said["needs"]):
        order = [name for name in phrases("input") if name in needs]
        notes.append(note("needs", needs=inputs(order, "and")))
    notes.sort(key=place)
    return tuple(notes), tuple(map(place, notes))


@cache
def _places() -> Mapping[str, int]:
    """Return where each code belongs: the lead, what stops, what is urgent, then by category."""
    places = {}
    for code, template in templates().items():
        at = 2 * _ORDER.index(template.category)
        at += template.category in _DOUBTS and template.severity == "info"
        at = _URGENT if template.urgent else at
        at = _STOP if template.severity == "stop" else at
        places[code] = _LEAD if code.startswith("lead") else at
    return places


def place(one: Note) -> int:
    """Return where a note belongs."""
    return _places()[one.code]


def _awaited(verdict: Verdict) -> list[str]:
    """Return the results that are missing where the criterion is met, but not the decision made."""
    cell = verdict.cell
    if not GIVES.issuperset(cell.criterion) or GIVES.issuperset(cell.possible):
        return []
    return [name for name in verdict.said["needs"] if name in verdict.measured]


def _lead(verdict: Verdict) -> Note:
    cell = verdict.cell
    awaited = _awaited(verdict)
    if awaited:
        code = "lead-criterion-met"
    elif verdict.said["needs"]:
        code = "lead-open"
        awaited = verdict.said["needs"]
    else:
        code = "lead" if cell.criterion == cell.possible else "lead-before-safety"
    return _weighed(
        verdict,
        code,
        title=verdict.table.guideline.title,
        answer=_answer(verdict),
        criterion=options(cell.criterion),
        needs=inputs(awaited, "and"),
    )


def _answer(verdict: Verdict) -> str:
    """Return the answer in words."""
    possible = options(verdict.cell.possible)
    if len(verdict.cell.possible) == 1:
        return possible
    gives = verdict.said["iron"] == "give"
    return phrase("route-open" if gives else "undecided").format(options=possible)


def _weighed(verdict: Verdict, code: str, **filling: object) -> Note:
    """Return a note that says first where only unverified text gives iron."""
    said = note(code, **filling)
    if not on_hearsay(verdict.cell):
        return said
    return said.model_copy(update={"text": phrase("unverified").format(text=said.text)})


def of_layers(rules: Iterable[tuple[Guideline, SafetyRule]]) -> tuple[SafetyRule, ...]:
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
    rules = of_layers(
        (verdict.table.guideline, rule)
        for verdict in verdicts
        if not GIVES.isdisjoint(verdict.cell.possible)
        for rule in safety(verdict.table.guideline.parameters).rules
        if rule.id in verdict.cell.may_be_stopped - verdict.cell.stopped and rule.stops
    )
    if not rules:
        return []
    sources = tuple(dict.fromkeys(source for rule in rules for source in rule.sources))
    says = "; ".join(rule.says for rule in rules)
    return [note("not-excluded", says=says, sources=sources, verified=_weakest(rules))]


def _of_presumption(
    verdicts: Sequence[Verdict], known: Mapping[str, Any], assumptions: Sequence[str]
) -> list[Note]:
    """Return the assumptions on which an answer that gives IV iron rests, and what forbids it."""
    notes = []
    everyone = groups()["pregnancy", "pregnant"]
    if known["pregnancy"] == everyone and any(map(_covers, verdicts)):
        notes.append(note("trimester-unknown"))
    if "iv" in _routes(verdicts):
        fields = {assumption.split("=")[0] for assumption in assumptions}
        if known["sex"] == {"male"}:
            fields.discard("pregnancy")
        notes += [note(code) for name, code in _PRESUMED.items() if name in fields]
    return notes


def _covers(verdict: Verdict) -> bool:
    """Whether the source may speak of the patient."""
    return verdict.cell.possible != _UNCOVERED


def _routes(verdicts: Sequence[Verdict]) -> set[str]:
    """Return the routes of iron of which some answers speak."""
    possible = {word for verdict in verdicts for word in verdict.cell.possible}
    return {route for route, words in _ROUTES.items() if not words.isdisjoint(possible)}


def _of_guidelines(verdicts: tuple[Verdict, ...], known: Mapping[str, Any]) -> list[Note]:
    """Return what each guideline says, where they differ, and of what they are silent."""
    notes = []
    if agreement(verdicts).verdict == "differ":
        notes.append(note("differ", positions=_positions(verdicts)))
    notes += [
        _weighed(
            verdict,
            "decision",
            title=verdict.table.guideline.title,
            says=_says(verdict, leads=verdict is verdicts[0]),
            grounds=_grounds(verdict),
            sources=(verdict.table.guideline.source,),
            verified=verdict.said["verified"],
        )
        for verdict in verdicts
        if verdict.reason != "unconfirmed"  # one note says it of all
    ]
    asked = any(v.table.guideline.purpose == safety().purpose for v in verdicts)
    if asked and "confirmed" not in known["rls"]:
        notes.append(note("rls-not-confirmed", rls=listed(sorted(known["rls"]), "or")))
    for silence, (axis, group) in _SILENCES.items():
        silent = [v for v in verdicts if silence in v.table.guideline.silent_on]
        speaking = [verdict for verdict in silent if _covers(verdict)]
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


def _positions(verdicts: Sequence[Verdict]) -> str:
    """Return which guidelines stand together, and against which others."""
    sides: dict[tuple[str, ...], list[str]] = {}
    for verdict in filter(_covers, verdicts):
        sides.setdefault(verdict.cell.possible, []).append(verdict.table.guideline.title)
    titles = {said: listed(named, "and") for said, named in sides.items()}
    apart: list[tuple[tuple[str, ...], ...]] = [
        (one, other) for one, other in combinations(titles, 2) if set(one).isdisjoint(other)
    ]
    if len(apart) == comb(len(titles), 2):
        apart = [tuple(titles)]
    return "; ".join(phrase("against").join(titles[said] for said in one) for one in apart)


def _says(verdict: Verdict, *, leads: bool) -> str:
    """Return what a source says; of the one that leads, what its first line does not say yet."""
    cell, reason = verdict.cell, verdict.reason
    rule = cell.rules[0].says if len(cell.rules) == 1 else ""
    if reason == "decided" and rule:
        return f", {rule}"
    if reason in _UNSAID:
        return f": {word('because', reason)}"
    parts = [] if leads and not verdict.said["needs"] else [_answer(verdict)]
    if rule and reason not in {"silent", "decided"}:
        safe = cell.criterion == cell.possible
        parts.append(rule if safe else phrase("before-safety").format(says=rule))
    parts += whys(verdict.table, cell) if reason.startswith("silent") else []
    return f": {'; '.join(parts or [phrase('open-rules')])}"


def _grounds(verdict: Verdict) -> str:
    """Return by which rules a source speaks, how strong they are, and how well verified."""
    rules = verdict.said["rules"]
    if not rules:
        return ""
    ids = ", ".join(rule.id for rule in rules)
    grades = [*filter(None, (rules[0].strength, rules[0].certainty))] if len(rules) == 1 else []
    tier = phrase("tier").format(tier=verdict.said["verified"])
    return f" ({'; '.join([', '.join([ids, *grades]), tier])})"


def _of_conditions(conditions: frozenset[str]) -> Iterator[Note]:
    """Yield what is to be known of the conditions that the record names."""
    codes = (f"condition-{name}" for name in sorted(conditions))
    return (note(code) for code in codes if code in templates())


def _of_statements(found: Found, told: frozenset[str]) -> Iterator[Note]:
    """Yield what holds of the iron status, the remarks, and what follows from either."""
    said: dict[str, list[tuple[Guideline, Rule]]] = {}
    for file, rule in spoken(found):
        if rule.unless not in told:
            said.setdefault(rule.note or "status", []).append((file, rule))
            if rule.then:
                said.setdefault(rule.then, [])
    for code, sayings in said.items():
        if code == "status":
            yield _status(sayings)
        elif code == ADOLESCENT:
            yield from _grown(found, sayings)
        elif not shows_a_value(code):
            yield from saying(code, sayings)


def shows_a_value(code: str) -> bool:
    """Whether a note shows a result of the patient, so that patients do not share it."""
    return any(text_takes(code, name) for name in SHOWN)


def spoken(found: Found) -> Iterator[tuple[Guideline, Rule]]:
    """Yield the statements that hold, but for those on a route of which no answer speaks."""
    covering = [verdict for verdict in found.verdicts if _covers(verdict)]
    of = {verdict.table.guideline.id: _routes([verdict]) for verdict in covering}
    for file, rule in found.standing.rules:
        about_all = file.purpose in {"status", "remarks"}  # not about one guideline
        if about_all or file.id in of:
            routes = _routes(covering) if about_all else of[file.id]
            if not rule.route or rule.route in routes:
                yield file, rule


def saying(code: str, sayings: Sayings, **filling: object) -> Iterator[Note]:
    """Yield the note that says some rules: one for each file where it names the file."""
    files = [file for file, _ in sayings] if text_takes(code, "title") else []
    for title in dict.fromkeys(file.title for file in files) or [""]:
        here = [rule for file, rule in sayings if title in {"", file.title}]
        sources = tuple(dict.fromkeys(rule.source for rule in here))
        known: dict[str, object] = {"sources": sources, "verified": _weakest(here)} if here else {}
        values = {name: value for rule in here for name, value in rule.values}
        says = "; ".join(map(_graded, here))
        yield note(code, **{**values, **known, **filling, "title": title, "says": says})


def _weakest(rules: Sequence[Rule | SafetyRule]) -> str:
    return max((rule.verified for rule in rules), key=TIERS.index)


def _graded(rule: Rule) -> str:
    grades = ", ".join(filter(None, (rule.strength, rule.certainty)))
    return phrase("graded").format(says=rule.says, grades=grades) if grades else rule.says


def _status(sayings: Sayings) -> Note:
    """Return the note on general iron status: one for all that has none of its own."""
    said: dict[tuple[str, str], list[str]] = {}
    for file, rule in sayings:
        said.setdefault((file.title, file.about), []).append(rule.says)
    statements = "; ".join(
        phrase("statement").format(title=title, about=about, says=listed(says, "and"))
        for (title, about), says in said.items()
    )
    rules = [rule for _, rule in sayings]
    sources = tuple(dict.fromkeys(rule.source for rule in rules))
    return note("status", statements=statements, sources=sources, verified=_weakest(rules))


def _grown(found: Found, sayings: Sayings) -> Iterator[Note]:
    """Yield what the tables for adults would say, where it differs."""
    differing = [
        grown
        for verdict, grown in zip(found.verdicts, found.grown, strict=True)
        if grown.cell.possible != verdict.cell.possible
    ]
    if differing:
        positions = (f"{v.table.guideline.title} {_answer(v)}" for v in differing)
        yield from saying(ADOLESCENT, sayings, positions="; ".join(positions))
