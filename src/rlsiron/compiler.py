"""Compiles a guideline, with the safety layer over it, to one finite table, and proves it.

Rules are painted on the cells of the table, each where no earlier one has. What is left bare is a
gap; a rule that paints nothing is dead; a population without a patient is unreachable. All three
are refused.
"""

from functools import lru_cache, reduce
from itertools import product
from math import inf, nextafter, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlsiron import units
from rlsiron.grammar import AXIS_WORDS, DISPOSITIONS, GIVES, Limits, fault, vocabulary
from rlsiron.guideline import Guideline, Population, Rule, Safety, Silence, safety
from rlsiron.patient import OLDEST
from rlsiron.table import BIT, Axis, NumericAxis, StatusTable, Table, WordAxis, words_of

Mask = NDArray[np.bool_]
Bits = NDArray[np.uint8]

MOST_SLOTS = 20_000_000  # of one table; those that ship have less than half a million
_GIVES = sum(BIT[word] for word in GIVES)
_UNCOVERED = BIT["not-covered"]
_ROUTES = {
    "oral-iron": frozenset({"oral"}),
    "iv-iron": frozenset({"iv"}),
    "oral-or-iv-iron": frozenset({"oral", "iv"}),
}
_BY_ROUTES = {routes: word for word, routes in _ROUTES.items()}


@lru_cache(maxsize=64)
def compile_table(guideline: Guideline, *, strict: bool = False) -> Table:
    """Compile a guideline, and the safety layer where it is one for RLS, to one table.

    Parameters
    ----------
    guideline
        What to compile.
    strict
        Leave out unverified rules that give iron; never one that withholds it.

    Raises
    ------
    GuidelineError
        If a cell of a population has no rule, a rule decides no cell, or a population has none.
    """
    layer = safety(guideline.parameters) if guideline.purpose == safety().purpose else None
    axes = _axes(guideline, layer)
    compiler = _Compiler(axes)
    criterion, rules = compiler.rules(guideline, layer, strict=False)
    criterion, disposition, stops = compiler.guard(criterion, guideline, layer)
    if strict:
        every = disposition
        criterion, rules = compiler.rules(guideline, layer, strict=True)
        criterion, disposition, stops = compiler.guard(criterion, guideline, layer)
        # where all rules together give no iron, leaving some out gives none either
        given = (every & _GIVES == 0) & (disposition & _GIVES > 0)
        disposition[given] = every[given]
    return Table(
        guideline=guideline,
        strict=strict,
        axes=axes,
        criterion=_with_unions(criterion),
        disposition=_with_unions(disposition),
        rules=_with_unions(rules),
        emptied=_with_unions((rules == 0) & (criterion == BIT["no-iron"])),
        stops=_with_unions(stops),
        always_stops=_with_unions(stops, np.bitwise_and),
        safety_ids=tuple(rule.id for rule in layer.rules) if layer else (),
    )


@lru_cache(maxsize=64)
def compile_status(guideline: Guideline) -> StatusTable:
    """Compile a file on general iron status, of which every rule that holds in a cell speaks.

    Raises
    ------
    GuidelineError
        If a rule holds in no cell, or a population has none.
    """
    axes = _axes(guideline, None)
    speaking = _Compiler(axes).statements(guideline)
    return StatusTable(guideline, axes, always=_with_unions(speaking, np.bitwise_and))


def _with_unions(bits: NDArray[Any], join: np.ufunc = np.bitwise_or) -> NDArray[Any]:
    """Return the cells of a table with, at the end of each axis, the union over it."""
    for axis in reversed(range(bits.ndim)):
        *outer, size = bits.shape[: axis + 1]
        inner = bits.shape[axis + 1 :]
        cells = bits.reshape(prod(outer), size, prod(inner))  # long rows, for speed
        union = reduce(join, cells.transpose(1, 0, 2))
        slots = np.concatenate([cells, union[:, np.newaxis]], axis=1)
        bits = slots.reshape(*outer, size + 1, *inner)
    return bits


def _axes(guideline: Guideline, layer: Safety | None) -> tuple[Axis, ...]:
    """Return the axes that the limits of a guideline and of the safety layer cut."""
    ways = [population.applies for population in guideline.populations]
    ways += [way for rule in guideline.rules for way in rule.any]
    if layer:
        ways.append(layer.covers)
        ways += [way for rule in layer.rules for way in rule.any]
        ways += [hush.when for hush in layer.silences if hush.on in guideline.silent_on]
    admitted: dict[str, set[Any]] = {}
    for way in ways:
        for name, allowed in way.axes:
            admitted.setdefault(name, set()).add(allowed)
    axes = tuple(_axis(name, admitted[name]) for name in sorted(admitted, key=_place))
    slots = prod(axis.size + 1 for axis in axes)
    if slots > MOST_SLOTS:
        message = f"its limits and facts cut patients into {slots} cases; {MOST_SLOTS} at most"
        raise fault(guideline.document, [], message)
    return axes


def _place(name: str) -> tuple[int, str]:
    order = [*units.analytes(), "age", *AXIS_WORDS]
    return order.index(name) if name in order else len(order), name


def _axis(name: str, admitted: set[Any]) -> Axis:
    if name == "age" or name in units.analytes():
        edges: set[float] = set()
        for low, high in admitted:
            edges |= {low, nextafter(high, inf)}
        unit, most = _domain(name)
        inner = sorted(edge for edge in edges if 0.0 < edge <= most and edge < inf)
        return NumericAxis(name, tuple(inner), unit, most)
    classes: dict[tuple[bool, ...], set[Any]] = {}
    for word in vocabulary().get(name, (False, True)):
        classes.setdefault(tuple(word in words for words in admitted), set()).add(word)
    return WordAxis(name, tuple(frozenset(words) for words in classes.values()))


def _domain(name: str) -> tuple[str, float]:
    """Return the unit of a numeric axis, and the greatest value that there is on it."""
    if name == "age":
        return "years", float(OLDEST)
    known = units.analyte(name)
    return known.unit, known.maximum.value if known.maximum else inf


class _Compiler:
    """Paints rules on the cells of some axes."""

    def __init__(self, axes: tuple[Axis, ...]) -> None:
        self._axes = axes
        self._shape = tuple(axis.size for axis in axes)

    def _mask(self, way: Limits) -> Mask:
        allowed = dict(way.axes)
        mask = np.ones((1,) * len(self._axes), dtype=bool)
        for at, axis in enumerate(self._axes):
            if axis.name in allowed:
                inside = self._inside(axis, allowed[axis.name])
                mask = mask & np.expand_dims(
                    inside, tuple(other for other in range(len(self._axes)) if other != at)
                )
        return np.broadcast_to(mask, self._shape)

    @staticmethod
    def _inside(axis: Axis, allowed: Any) -> Mask:  # noqa: ANN401 - as the axis is
        """Return which cells a condition admits; its own limits cut the axis, so wholly or not."""
        if isinstance(axis, WordAxis):
            return np.array([words <= allowed for words in axis.classes])
        low, high = allowed
        return np.array([low <= axis.span(cell)[0] <= high for cell in range(axis.size)])

    def _any(self, ways: tuple[Limits, ...]) -> Mask:
        masks: Mask = np.logical_or.reduce([self._mask(way) for way in ways])
        return masks

    def rules(
        self, guideline: Guideline, layer: Safety | None, *, strict: bool
    ) -> tuple[Bits, NDArray[np.unsignedinteger[Any]]]:
        """Return what the source says of each cell, and by which rule."""
        criterion = np.full(self._shape, _UNCOVERED, dtype=np.uint8)
        deciding = np.zeros(self._shape, dtype=np.min_scalar_type(1 << len(guideline.rules)))
        free = np.ones(self._shape, dtype=bool)
        covered = self._mask(layer.covers) if layer else free.copy()
        number = 0
        for population in guideline.populations:
            here = free & self._mask(population.applies)
            _reached(here & covered, guideline, population)
            free &= ~here
            unsaid = here
            for rule in population.rules:
                hit = unsaid & self._any(rule.any)
                _reached(hit & covered, guideline, population, rule)
                if not (strict and rule.hearsay):
                    criterion[hit & covered] = sum(BIT[word] for word in rule.disposition)
                    deciding[hit & covered] = 1 << number
                    unsaid = unsaid & ~hit
                number += 1
            if unsaid.any():
                if not strict:
                    message = f"no rule covers {self._first_gap(unsaid)}; add one, such as a last"
                    place = ("population", population.name)
                    raise fault(guideline.document, [place], f"{message} one without `when`")
                criterion[unsaid & covered] = BIT["no-iron"]
        return criterion, deciding

    def statements(self, guideline: Guideline) -> NDArray[np.unsignedinteger[Any]]:
        """Return the rules that hold in each cell, as bits."""
        speaking = np.zeros(self._shape, dtype=np.min_scalar_type((1 << len(guideline.rules)) - 1))
        free = np.ones(self._shape, dtype=bool)
        number = 0
        for population in guideline.populations:
            here = free & self._mask(population.applies)
            _reached(here, guideline, population)
            free &= ~here
            for rule in population.rules:
                hit = here & self._any(rule.any)
                _reached(hit, guideline, population, rule)
                speaking[hit] |= 1 << number
                number += 1
        return speaking

    def _first_gap(self, unsaid: Mask) -> str:
        """Return the first region that no rule covers, in words."""
        words = []
        region: list[Any] = [slice(cell, cell + 1) for cell in map(int, np.argwhere(unsaid)[0])]
        for at, axis in enumerate(self._axes):
            first = last = region[at].start
            while (
                last + 1 < axis.size and unsaid[(*region[:at], last + 1, *region[at + 1 :])].all()
            ):
                last += 1
            region[at] = slice(first, last + 1)
            if first or last + 1 < axis.size:
                words.append(axis.describe(first, last))
        return ", ".join(words)

    def guard(
        self, criterion: Bits, guideline: Guideline, layer: Safety | None
    ) -> tuple[Bits, Bits, Bits]:
        """Return what a source says with its silence, what safety leaves of it, and what speaks."""
        if layer is None:
            return criterion, criterion, np.zeros_like(criterion)
        criterion = self.silence(criterion, guideline, layer.silences)
        return criterion, *self.safety(criterion, layer)

    def silence(self, criterion: Bits, guideline: Guideline, silences: tuple[Silence, ...]) -> Bits:
        """Return what a source says with what its silence on some patients leaves open."""
        criterion = criterion.copy()
        for hush in silences:
            if hush.on in guideline.silent_on:
                hit = self._mask(hush.when) & (criterion == BIT[hush.only])
                criterion[hit] |= BIT[hush.adds]
        return criterion

    def safety(self, criterion: Bits, layer: Safety) -> tuple[Bits, Bits]:
        """Return what remains after safety, and which safety rules speak, as bits."""
        disposition, speaks = criterion.copy(), np.zeros_like(criterion)
        stopped = {route: np.zeros(self._shape, dtype=bool) for route in ("oral", "iv")}
        for number, rule in enumerate(layer.rules):
            hit = self._any(rule.any)
            if rule.opens:
                hit = hit & (criterion & _GIVES > 0)
                disposition[hit] |= BIT[rule.opens]
            speaks[hit] |= 1 << number
            for route in rule.stops:
                stopped[route] |= hit
        for oral, iv in product((False, True), repeat=2):
            hit = (stopped["oral"] == oral) & (stopped["iv"] == iv)
            disposition[hit] = _stopping(oral=oral, iv=iv)[disposition[hit]]
        return disposition, speaks


def _reached(
    mask: Mask, guideline: Guideline, population: Population, rule: Rule | None = None
) -> None:
    """Refuse a population without a patient, and a rule without a case."""
    if mask.any():
        return
    place = [("population", population.name)]
    if rule:
        message = "is dead: earlier rules decide all its cases, or it can have none"
        raise fault(guideline.document, [*place, ("rule", rule.id)], message)
    message = "is unreachable: it has no patient whom no earlier one takes"
    raise fault(guideline.document, place, message)


@lru_cache(maxsize=4)
def _stopping(*, oral: bool, iv: bool) -> Bits:
    """Return, for each set of dispositions, the set that remains when routes are stopped."""
    after = {}
    for word in DISPOSITIONS:
        routes = (
            _ROUTES.get(word, frozenset())
            - ({"oral"} if oral else set())
            - ({"iv"} if iv else set())
        )
        if word == "not-covered" or (word not in _ROUTES and not (oral and iv)):
            after[word] = word
        else:
            after[word] = _BY_ROUTES.get(routes, "withhold-iron")
    return np.array(
        [
            sum({BIT[after[word]] for word in words_of(bits)})
            for bits in range(1 << len(DISPOSITIONS))
        ],
        dtype=np.uint8,
    )
