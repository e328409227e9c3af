"""Says what remains possible of a patient on each axis, and makes the yes/no facts.

Unknown is not false: a field that was not told is all of its words, unless it is one of the few
that are assumed; a field that was told and could not be read is all of its words, always.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache, lru_cache
from math import inf, nextafter
from typing import Any, Literal

from rlsiron import units
from rlsiron.catalog import document
from rlsiron.grammar import Parameters, groups, vocabulary
from rlsiron.guideline import Fact, Limb, facts
from rlsiron.models import Panel, Span
from rlsiron.patient import OLDEST, Intake, age_at, elapsed

Truth = frozenset[bool]
YES, NO, OPEN = frozenset({True}), frozenset({False}), frozenset({True, False})
ANY: Span = (0.0, inf)


@cache
def assumed() -> Mapping[str, str]:
    """Return what is taken to be so of a field that is not told, as words."""
    return document("facts.toml").data["assumed"]  # type: ignore[no-any-return]


@cache
def _words() -> Mapping[str, frozenset[Any]]:
    """Return all the words of each field that has words."""
    words: dict[str, frozenset[Any]] = {n: frozenset(w) for n, w in vocabulary().items()}
    return {**words, "rapid_response_wanted": OPEN, "inflammation": OPEN}


@lru_cache(maxsize=256)
def _facts(own: tuple[Parameters, ...]) -> tuple[Fact, ...]:
    """Return the facts, and beside them those that files with parameters of their own change."""
    made = {fact.name: fact for each in ((), *own) for fact in facts(each).values()}
    return tuple(made.values())


@lru_cache(maxsize=256)
def _untold(own: tuple[Parameters, ...]) -> Mapping[str, Any]:
    """Return the situation of a patient of whom nothing is told."""
    known: dict[str, Any] = dict.fromkeys(units.analytes(), ANY)
    known["age"] = (0.0, float(OLDEST))
    for name, words in _words().items():
        word = assumed().get(name)
        known[name] = {None: words, "no": NO}.get(word, frozenset({word}))
    return known | {fact.name: OPEN if fact.open_without else NO for fact in _facts(own)}


@lru_cache(maxsize=256)
def _fields_of_facts(own: tuple[Parameters, ...]) -> tuple[tuple[Fact, frozenset[str]], ...]:
    """Return each fact with the fields of which one must be told before it is looked at."""
    return tuple(
        (fact, frozenset({fact.open_without} if fact.open_without else _fields(fact)))
        for fact in _facts(own)
    )


@lru_cache(maxsize=256)
def _fields_of_any_fact(own: tuple[Parameters, ...]) -> frozenset[str]:
    return frozenset().union(*(fields for _, fields in _fields_of_facts(own)))


def _fields(fact: Fact) -> set[str]:
    return {name for way in fact.any for name, _ in way}


def asked(axes: Iterable[str], own: tuple[Parameters, ...] = ()) -> frozenset[str]:
    """Return the fields and results that reach some axes through facts.

    Examples
    --------
    >>> sorted(asked(["ferritin", "anemia"]))
    ['age', 'hemoglobin', 'pregnancy', 'sex']
    """
    names = set(axes)
    return frozenset().union(*(_fields(fact) for fact in _facts(own) if fact.name in names))


def situation(told: Intake, panel: Panel, own: tuple[Parameters, ...] = ()) -> dict[str, Any]:
    """Return what remains possible of a patient on every axis that a table may have.

    Parameters
    ----------
    told
        The patient and the draw, as they were read.
    panel
        The results, as they are used.
    own
        For each file that changes parameters, which: facts that they touch are made for it too.

    Returns
    -------
    dict
        For each analyte and the age an interval; for each field with words, and each fact, a set.
    """
    patient = told.patient.__dict__
    known = dict(_untold(own))
    for name, result in panel.reported.items():
        known[name] = result.span
    known["ferritin"] = panel.ferritin.span if panel.ferritin else ANY
    known["tsat"] = panel.tsat.span if panel.tsat else ANY
    age = patient["age"]
    if age is None:
        age = age_at(patient["birth_date"], told.draw.drawn)
    if age is not None:
        known["age"] = (age, age)
    names = told.patient.model_fields_set | told.unread
    for name in names & _words().keys():
        if name in told.unread:
            known[name] = _words()[name]
        elif name != "conditions" and (value := patient[name]) is not None:
            known[name] = groups().get((name, value)) or (YES if value else NO)
    asked_for = _fields_of_any_fact(own)
    if asked_for.isdisjoint(names) and asked_for.isdisjoint(panel.reported):
        return known
    for fact, fields in _fields_of_facts(own):
        if not (fields.isdisjoint(names) and fields.isdisjoint(panel.reported)):
            known[fact.name] = _holds(fact, known, told, panel)
    return known


def _holds(fact: Fact, known: Mapping[str, Any], told: Intake, panel: Panel) -> Truth:
    """Return whether, of any way of a fact, all limbs hold: yes, no, or open."""
    result = panel.reported.get(fact.open_without)
    if result and result.missing:
        return OPEN
    found = NO
    for way in fact.any:
        truths = [_truth(limb, known, told, panel) for limb in way]
        if NO not in truths:
            if OPEN not in truths:
                return YES
            found = OPEN
    return found


def _truth(limb: Limb, known: Mapping[str, Any], told: Intake, panel: Panel) -> Truth:
    """Return whether one limb of a fact holds: yes, no, or open."""
    name, allowed = limb
    if isinstance(allowed, timedelta) or allowed == "given":
        return since(name, allowed, told)
    if isinstance(allowed, frozenset):
        possible: frozenset[Any] = known[name]
        if name == "conditions":  # one that was read is true, whatever else was not
            named = not allowed.isdisjoint(told.patient.conditions or ())
            return YES if named else OPEN if name in told.unread else NO
        return _overlap(inside=possible <= allowed, outside=possible.isdisjoint(allowed))
    if name == "age":
        low, high = known[name]
    else:
        result = panel.reported.get(name)
        if result is None or result.missing:
            return NO
        low, high = result.span
    least, most = allowed
    return _overlap(inside=least <= low and high <= most, outside=high < least or most < low)


def since(name: str, lasts: timedelta | Literal["given"], told: Intake) -> Truth:
    """Return whether an event is given, and not so long ago."""
    event, drawn = getattr(told.patient, name), told.draw.drawn
    if event is None:
        return OPEN if name in told.unread else NO
    if isinstance(lasts, str):
        return YES
    return OPEN if drawn is None else YES if elapsed(event, drawn) < lasts else NO


@lru_cache(maxsize=256)
def cuts(name: str, own: tuple[Parameters, ...] = ()) -> frozenset[float]:
    """Return the values of an analyte at which a fact may change.

    Examples
    --------
    >>> cuts("crp"), cuts("ferritin")
    (frozenset({5.000000000000001}), frozenset())
    """
    limits = {limit for fact in _facts(own) for limbs in fact.any for limit in limbs}
    spans: list[Any] = [limit for axis, limit in limits if axis == name]
    ends = {end for low, high in spans for end in (low, nextafter(high, inf))}
    return frozenset(end for end in ends if 0 < end < inf)


def _overlap(*, inside: bool, outside: bool) -> Truth:
    return YES if inside else NO if outside else OPEN


def assumptions(told: Intake, panel: Panel, own: tuple[Parameters, ...] = ()) -> tuple[str, ...]:
    """Return what was assumed of the patient, as ``field=word``.

    Inflammation is not assumed away where the CRP speaks of it, by every limit that is in use.
    """
    patient = told.patient.__dict__
    spoken = {name for name in told.patient.model_fields_set if patient[name] is not None}
    if "crp" in panel.reported and NO not in crp_over_limits(told, panel, own):
        spoken.add("inflammation")
    return _unspoken(told.unread | spoken)


@lru_cache(maxsize=4096)
def _unspoken(spoken: frozenset[str]) -> tuple[str, ...]:
    return tuple(f"{name}={word}" for name, word in assumed().items() if name not in spoken)


def crp_over_limits(
    told: Intake, panel: Panel, own: tuple[Parameters, ...] = ()
) -> frozenset[Truth]:
    """Return whether the CRP is over each limit in use; no where there is no CRP."""
    return frozenset(_truth(limb, {}, told, panel) for limb in _crp_limbs(own))


@lru_cache(maxsize=256)
def _crp_limbs(own: tuple[Parameters, ...]) -> tuple[Limb, ...]:
    ways = (way for fact in _facts(own) for way in fact.any)
    return tuple(limb for way in ways for limb in way if limb[0] == "crp")
