"""The engine's oracle: a knowledge file read rule by rule, with intervals and no table.

What is possible of a patient is a region: on each axis an interval or a set of words. A rule
carves out of what is left the part in which it holds, an axis is cut in two only where the rule
cannot decide the whole of it, and the rest goes on to the next rule; the safety layer carves each
part once more. What comes out are disjoint leaves, each with its answer, and no grid is ever made.

Nothing here is taken from rlsiron: the files are read with tomllib, limits have their own parser,
and the ends of an interval are cuts, (75, BEFORE) and (75, AFTER), in place of the next float.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

DATA = Path(__file__).resolve().parents[1] / "data"

BEFORE, AFTER = 0, 1
Cut = tuple[float, int]
Interval = tuple[Cut, Cut]
Words = frozenset[str] | frozenset[bool]
Region = Mapping[str, Interval | Words]
Document = Mapping[str, Any]

EITHER: frozenset[bool] = frozenset({False, True})
# design §4: what can be said of a patient
WORDS: dict[str, frozenset[str]] = {
    "sex": frozenset({"female", "male"}),
    "rls": frozenset({"confirmed", "suspected", "absent"}),
    "kidney": frozenset({"none", "ckd", "ckd-5", "hemodialysis", "peritoneal-dialysis"}),
    "pregnancy": frozenset({"none", "trimester-1", "trimester-2", "trimester-3", "postpartum"}),
}
NUMBERS: dict[str, tuple[float, float]] = {
    "ferritin": (0, 5e6),  # µg/L
    "tsat": (0, 100),  # %
    "age": (0, 130),  # years
}
UNITS = {"ug/L": 1.0, "%": 1.0, "years": 1.0, "months": 1 / 12}

ORAL, IV, EITHER_ROUTE = "oral-iron", "iv-iron", "oral-or-iv-iron"
NONE, WITHHOLD, NOT_COVERED = "no-iron", "withhold-iron", "not-covered"
GIVES = frozenset({ORAL, IV, EITHER_ROUTE})
WITHOUT_IV = {EITHER_ROUTE: ORAL, IV: WITHHOLD}

LIMIT = re.compile(r"(<=|>=|<|>) (?:([0-9.]+) (\S+)|([a-z_]+))")


@dataclass(frozen=True)
class Leaf:
    """A part of the region in which nothing is left to decide, and its answer."""

    region: Region
    criterion: frozenset[str]
    possible: frozenset[str]
    rules: frozenset[str]


@dataclass(frozen=True)
class Answer:
    """What remains possible in a region: the union of its leaves."""

    criterion: frozenset[str]
    possible: frozenset[str]
    rules: frozenset[str]


@dataclass(frozen=True)
class Test:
    """One condition on one axis: a limit, or the words among which the patient's must be."""

    axis: str
    below: bool
    cut: Cut | None
    words: Words

    def halves(self, region: Region) -> tuple[Region | None, Region | None]:
        """Return the parts of a region where the test holds and where it does not."""
        held = region[self.axis]
        if self.cut is None:
            words = cast("frozenset[str]", held)
            among = words & cast("frozenset[str]", self.words)
            parts: list[Interval | Words | None] = [among or None, (words - among) or None]
        else:
            low, high = cast("Interval", held)
            parts = [
                (low, min(high, self.cut)) if low < self.cut else None,
                (max(low, self.cut), high) if self.cut < high else None,
            ]
            if not self.below:
                parts.reverse()
        yes, no = (None if part is None else {**region, self.axis: part} for part in parts)
        return yes, no


Condition = tuple[tuple[Test, ...], ...]  # any of these, each with all of its tests


class Reader:
    """How the texts of a file are understood: its parameters and the groups of words."""

    def __init__(self, facts: Document, document: Document) -> None:
        own = cast("dict[str, str]", document.get("parameters", {}))
        self.parameters = {**cast("dict[str, str]", facts["parameters"]), **own}
        self.groups = {
            (group["axis"], group["name"]): frozenset(cast("list[str]", group["words"]))
            for group in facts["group"]
        }

    def limit(self, axis: str, text: str) -> Test:
        """Read a limit such as `<= 75 ug/L` or `>= tsat_ceiling`."""
        match = LIMIT.fullmatch(text)
        assert match, text
        operator, number, unit, parameter = match.groups()
        if parameter:
            number, unit = self.parameters[parameter].split(" ")
        cut = (float(number) * UNITS[unit], AFTER if operator in {"<=", ">"} else BEFORE)
        return Test(axis, below=operator[0] == "<", cut=cut, words=frozenset())

    def word(self, axis: str, word: str) -> frozenset[str]:
        """Return the words for which a word stands."""
        words = self.groups.get((axis, word), frozenset({word}))
        assert words <= WORDS[axis], (axis, word)
        return words

    def tests(self, axis: str, wanted: object) -> list[Test]:
        """Read what is wanted on one axis."""
        if isinstance(wanted, bool):
            return [Test(axis, below=False, cut=None, words=frozenset({wanted}))]
        texts = cast("list[str]", wanted if isinstance(wanted, list) else [wanted])
        if axis in NUMBERS:
            return [self.limit(axis, text) for text in texts]
        words = frozenset[str]().union(*(self.word(axis, text) for text in texts))
        return [Test(axis, below=False, cut=None, words=words)]

    def condition(self, rule: Document, key: str = "when") -> Condition:
        """Read the condition of a rule; one without holds everywhere."""
        assert not (key in rule and "any" in rule), rule
        alternatives = cast("list[dict[str, object]]", rule.get("any", [rule.get(key, {})]))
        return tuple(
            tuple(test for axis, wanted in each.items() for test in self.tests(axis, wanted))
            for each in alternatives
        )


def carve(region: Region, condition: Condition) -> tuple[list[Region], list[Region]]:
    """Return the parts of a region where a condition holds and where it does not."""
    inside: list[Region] = []
    outside: list[Region] = [region]
    for alternative in condition:
        left, outside = outside, []
        for part in left:
            held: Region | None = part
            for test in alternative:
                assert held is not None
                held, beside = test.halves(held)
                if beside is not None:
                    outside.append(beside)
                if held is None:
                    break
            if held is not None:
                inside.append(held)
    return inside, outside


Row = tuple[Condition, frozenset[str], frozenset[str], bool]
"""A rule: when it holds, what it says, its name, and whether strict leaves it out."""


class Oracle:
    """One guideline's document, interpreted.

    `strict` leaves out unverified rules that give iron, but gives none where all rules give none.
    """

    def __init__(
        self,
        document: Document,
        *,
        strict: bool = False,
        facts: Document | None = None,
        safety: Document | None = None,
    ) -> None:
        facts = facts or read(DATA / "facts.toml")
        safety = safety or read(DATA / "safety.toml")
        reader = Reader(facts, document)
        self.populations = [
            (
                reader.condition(population, "applies"),
                [
                    (
                        reader.condition(rule),
                        dispositions(rule),
                        frozenset({cast("str", rule["id"])}),
                        strict and leaves_out(rule),
                    )
                    for rule in population["rule"]
                ],
            )
            for population in document["population"]
        ]
        guarded = document["purpose"] == safety["purpose"]
        self.covers = reader.condition(safety, "covers") if guarded else ((),)
        self.silences = [
            (reader.condition(each), frozenset({each["only"]}), cast("str", each["adds"]))
            for each in safety["silence"]
            if guarded and each["on"] in document.get("silent_on", [])
        ]
        layer = [(reader.condition(rule), rule) for rule in safety["rule"] if guarded]
        self.opens = [(when, cast("str", rule["opens"])) for when, rule in layer if "opens" in rule]
        self.stops = [
            (when, frozenset(cast("list[str]", rule["stops"])))
            for when, rule in layer
            if "stops" in rule
        ]
        self.facts = [cast("str", fact["name"]) for fact in facts["fact"]]

    def tests(self) -> set[Test]:
        """Return every test that the document and the layer over it make."""
        conditions = [self.covers, *(when for when, _, _ in self.silences)]
        conditions += [when for when, _ in self.opens]
        conditions += [when for when, _ in self.stops]
        for applies, rules in self.populations:
            conditions += [applies, *(row[0] for row in rules)]
        return {test for condition in conditions for each in condition for test in each}

    def whole(self) -> dict[str, Interval | Words]:
        """Return the region of everything that a patient can be."""
        intervals = {axis: between(low, high) for axis, (low, high) in NUMBERS.items()}
        return {**intervals, **WORDS, **dict.fromkeys(self.facts, EITHER)}

    def leaves(self, region: Region) -> list[Leaf]:
        """Return the parts of a region in which nothing is left to decide."""
        whole = self.whole()
        unknown = set(region) - set(whole)
        assert not unknown, unknown
        leaves: list[Leaf] = []
        covered, beside = carve({**whole, **region}, self.covers)
        for applies, rules in self.populations:
            left, covered = covered, []
            for part in left:
                inside, outside = carve(part, applies)
                covered += outside
                leaves += self.by_rules(inside, rules)
        silent = frozenset({NOT_COVERED})
        leaves += [Leaf(part, silent, silent, frozenset()) for part in [*beside, *covered]]
        return leaves

    def by_rules(self, parts: list[Region], rules: Iterable[Row]) -> list[Leaf]:
        """Return the leaves of a population: the first rule that holds and is not left out."""
        leaves: list[Leaf] = []
        # each part with what the first rule said of it, if that one is left out
        left: list[tuple[Region, frozenset[str] | None]] = [(part, None) for part in parts]
        for when, members, name, left_out in rules:
            undecided, left = left, []
            for part, first in undecided:
                inside, outside = carve(part, when)
                left += [(each, first) for each in outside]
                if left_out:
                    left += [(each, first or members) for each in inside]
                    continue
                for each in inside:
                    leaves += self.by_some(each, members, name, first)
        # only rules that strict leaves out spoke here
        for part, first in left:
            leaves += self.by_some(part, frozenset({NONE}), frozenset(), first)
        return leaves

    def by_some(
        self,
        region: Region,
        members: frozenset[str],
        rules: frozenset[str],
        first: frozenset[str] | None,
    ) -> Iterable[Leaf]:
        """Return the leaves of a part; where the first rule is left out, no iron beyond it."""
        for leaf in self.guarded(region, members, rules):
            if first is None or not leaf.possible & GIVES:
                yield leaf
                continue
            for whole in self.guarded(leaf.region, first, frozenset()):
                possible = leaf.possible if whole.possible & GIVES else whole.possible
                yield Leaf(whole.region, leaf.criterion, possible, rules)

    def guarded(
        self, region: Region, members: frozenset[str], rules: frozenset[str]
    ) -> Iterable[Leaf]:
        """Return the leaves of a part in which one rule decides, after silence and safety."""
        parts = [(region, members)]
        for when, only, adds in self.silences:
            parts = [
                (each, criterion | {adds} if holds and criterion == only else criterion)
                for part, criterion in parts
                for holds, each in either_way(part, when)
            ]
        for part, criterion in parts:
            for each, possible in self.after_safety(part, criterion):
                yield Leaf(each, criterion, possible, rules)

    def after_safety(
        self, region: Region, criterion: frozenset[str]
    ) -> Iterable[tuple[Region, frozenset[str]]]:
        """Lay the safety layer over a part with one criterion."""
        opened: list[tuple[Region, frozenset[str]]] = [(region, criterion)]
        for when, adds in self.opens:
            opened = [
                (each, possible | {adds} if holds and criterion & GIVES else possible)
                for part, possible in opened
                for holds, each in either_way(part, when)
            ]
        nothing: frozenset[str] = frozenset()
        stopped = [(part, possible, nothing) for part, possible in opened]
        for when, routes in self.stops:
            stopped = [
                (each, possible, closed | routes if holds else closed)
                for part, possible, closed in stopped
                for holds, each in either_way(part, when)
            ]
        for part, possible, closed in stopped:
            if closed == {"oral", "iv"}:
                yield part, frozenset({WITHHOLD})
            elif closed == {"iv"}:
                yield part, frozenset(WITHOUT_IV.get(member, member) for member in possible)
            else:
                assert not closed, closed
                yield part, possible

    def answer(self, region: Region) -> Answer:
        """Return what remains possible in a region."""
        return union(self.leaves(region))


def union(leaves: Iterable[Leaf]) -> Answer:
    """Return what remains possible over all of some leaves."""
    criterion, possible, rules = set[str](), set[str](), set[str]()
    for leaf in leaves:
        criterion |= leaf.criterion
        possible |= leaf.possible
        rules |= leaf.rules
    return Answer(frozenset(criterion), frozenset(possible), frozenset(rules))


def either_way(region: Region, condition: Condition) -> Iterable[tuple[bool, Region]]:
    """Yield the parts of a region with whether a condition holds there."""
    inside, outside = carve(region, condition)
    for part in inside:
        yield True, part
    for part in outside:
        yield False, part


def dispositions(rule: Document) -> frozenset[str]:
    """Return the members of a rule's disposition."""
    said = rule["disposition"]
    return frozenset(said if isinstance(said, list) else [said])


def leaves_out(rule: Document) -> bool:
    """Tell whether strict leaves a rule out: unverified, and it gives iron."""
    return rule["verified"] == "unverified" and bool(dispositions(rule) & GIVES)


def between(low: float, high: float) -> Interval:
    """Return the closed interval from low to high."""
    return (low, BEFORE), (high, AFTER)


def meets(one: Interval | Words, other: Interval | Words) -> bool:
    """Tell whether two sets of values on one axis have a value in common."""
    if isinstance(one, frozenset):
        return bool(cast("frozenset[object]", one) & cast("frozenset[object]", other))
    start = max(one[0], cast("Interval", other)[0])
    return start < min(one[1], cast("Interval", other)[1])


@cache
def read(path: Path) -> Document:
    """Return a knowledge file as it stands."""
    return tomllib.loads(path.read_text(encoding="utf-8"))
