"""Checks a guideline file, and says what was proven of it."""

from dataclasses import dataclass
from pathlib import Path

from rlsiron.compiler import compile_table
from rlsiron.guideline import Guideline, load_guideline
from rlsiron.table import words_of


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
    populations, rules
        How many it has; each is the first that applies somewhere.
    """

    guideline: Guideline
    cells: int
    covered: int
    open_cells: int
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
    said = [words_of(bits) for bits in table.cells_of(table.criterion).ravel().tolist()]
    return Proof(
        guideline=guideline,
        cells=table.cells,
        covered=sum(words != ("not-covered",) for words in said),
        open_cells=sum(len(words) > 1 for words in said),
        populations=len(guideline.populations),
        rules=len(guideline.rules),
    )
