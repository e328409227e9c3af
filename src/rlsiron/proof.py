"""Checks a guideline file, and says what was proven of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlsiron.compiler import compile_table
from rlsiron.guideline import Guideline, Rule, Silence, load_guideline, safety
from rlsiron.table import BIT, Table


class Opening(NamedTuple):
    """What leaves more than one disposition: a rule, the silence of a source, or safety.

    Attributes
    ----------
    id
        Of the rule, or of what the safety layer adds, where the source is silent or gives iron.
    why
        The reason, in words.
    cells
        How many cells it leaves open before safety.
    after
        How many cells are open after safety by it.
    """

    id: str
    why: str
    cells: int
    after: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What holds of a guideline: every cell has an answer, by rules of which each is needed.

    Attributes
    ----------
    guideline
        What was checked.
    cells
        Into how many cases its limits, and those of the safety layer, cut patients.
    covered
        Of how many of them it speaks.
    open_cells, open_after
        In how many of these more than one disposition is left, before safety and after it.
    openings
        By what, and why; their cells add up to the open ones.
    populations, rules
        How many it has; each is the first that applies somewhere.
    """

    guideline: Guideline
    cells: int
    covered: int
    open_cells: int
    open_after: int
    openings: tuple[Opening, ...]
    populations: int
    rules: int


def check_guideline(given: str | Path | Guideline) -> Proof:
    """Return what was proven of a guideline, with every rule and without the unverified ones.

    Parameters
    ----------
    given
        An id, the path of a file, or a `Guideline`.

    Raises
    ------
    GuidelineError
        With the file, line, population, rule and key at fault, and the way out.

    Examples
    --------
    >>> check_guideline("nice-cks").rules
    3
    """
    guideline = load_guideline(given)
    compile_table(guideline, strict=True)
    table = compile_table(guideline)
    openings = tuple(_openings(table))
    return Proof(
        guideline=guideline,
        cells=table.cells,
        covered=int((table.cells_of(table.criterion) != BIT["not-covered"]).sum()),
        open_cells=sum(opening.cells for opening in openings),
        open_after=sum(opening.after for opening in openings),
        openings=openings,
        populations=len(guideline.populations),
        rules=len(guideline.rules),
    )


def _openings(table: Table) -> Iterator[Opening]:
    """Yield what leaves cells open: rules, silences, safety, each in the order of its file."""
    before, after = (_undecided(table, bits) for bits in (table.criterion, table.disposition))
    rules, stops = table.cells_of(table.rules), table.cells_of(table.stops)
    by_silence: dict[Silence, Counter[bool]] = {}
    for number, rule in enumerate(table.guideline.rules):
        here = before & (rules == 1 << number)
        cells, still = int(here.sum()), int((here & after).sum())
        if len(rule.disposition) > 1:
            yield Opening(rule.id, rule.why, cells, still)
        elif cells:
            silence = _silence(table.guideline, rule)
            by_silence.setdefault(silence, Counter()).update({False: cells, True: still})
    for hush, counts in by_silence.items():
        yield Opening(hush.id, hush.says, counts[False], counts[True])
    for number, layer in enumerate(safety(table.guideline.parameters).rules):
        opened = int((after & ~before & (stops >> number & 1 == 1)).sum())
        if layer.opens and opened:
            yield Opening(layer.id, layer.says, 0, opened)


def _undecided(table: Table, bits: NDArray[Any]) -> NDArray[np.bool_]:
    """Return in which cells more than one disposition is left."""
    said = table.cells_of(bits)
    undecided: NDArray[np.bool_] = (said & (said - 1)) > 0  # more than one bit
    return undecided


def _silence(guideline: Guideline, rule: Rule) -> Silence:
    """Return the silence of a source that opens a rule with one disposition."""
    return next(
        hush
        for hush in safety().silences
        if hush.on in guideline.silent_on and hush.only in rule.disposition
    )
