"""Checks a guideline file, and says what was proven of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rlsiron.compiler import compile_table
from rlsiron.guideline import Guideline, Rule, Silence, load_guideline, safety
from rlsiron.table import BIT, Table


class Opening(NamedTuple):
    """What leaves more than one disposition: a rule, or the silence of a source.

    Attributes
    ----------
    id
        Of the rule, or of what the safety layer adds where the source is silent.
    why
        The reason, in words.
    cells
        How many cells it leaves open.
    """

    id: str
    why: str
    cells: int


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
    open_cells
        In how many of these it leaves more than one disposition, before safety.
    openings
        By what, and why; their cells add up to the open ones.
    populations, rules
        How many it has; each is the first that applies somewhere.
    """

    guideline: Guideline
    cells: int
    covered: int
    open_cells: int
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
        openings=openings,
        populations=len(guideline.populations),
        rules=len(guideline.rules),
    )


def _openings(table: Table) -> Iterator[Opening]:
    """Yield what leaves cells open, rules before silences, each in the order of its file."""
    said, rules = table.cells_of(table.criterion), table.cells_of(table.rules)
    undecided = (said & (said - 1)) > 0  # more than one bit
    by_silence: dict[Silence, int] = {}
    for number, rule in enumerate(table.guideline.rules):
        cells = int((undecided & (rules == 1 << number)).sum())
        if len(rule.disposition) > 1:
            yield Opening(rule.id, rule.why, cells)
        elif cells:
            silence = _silence(table.guideline, rule)
            by_silence[silence] = by_silence.get(silence, 0) + cells
    yield from (Opening(hush.id, hush.says, cells) for hush, cells in by_silence.items())


def _silence(guideline: Guideline, rule: Rule) -> Silence:
    """Return the silence of a source that opens a rule with one disposition."""
    return next(
        hush
        for hush in safety().silences
        if hush.on in guideline.silent_on and hush.only in rule.disposition
    )
