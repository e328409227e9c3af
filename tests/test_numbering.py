"""The numbers of what rows say: those of points are those of a binary search between the cuts."""

import math
from bisect import bisect_right

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlsiron.interpretation import DEFAULT_GUIDELINES, board_of
from rlsiron.numbering import BLOCK, Numbering, _of_buckets

TOP = 400.0
CUTS = st.lists(
    st.one_of(
        st.floats(0, TOP),
        st.integers(0, 400).map(float),
        st.integers(1, 400).map(lambda limit: math.nextafter(limit, math.inf)),
    ),
    max_size=200,
    unique=True,
).map(lambda cuts: tuple(sorted(cuts)))


class Cuts:
    """Stands for the tables: numbers are parted at these."""

    def __init__(self, cuts: tuple[float, ...]) -> None:
        self._cuts = cuts

    def cuts(self, _: str) -> tuple[float, ...]:
        """Return them."""
        return self._cuts

    fine_cuts = cuts


def around(cuts: tuple[float, ...]) -> list[float]:
    """Return values on, just beside and between some cuts."""
    beside = [math.nextafter(cut, to) for cut in cuts for to in (-math.inf, math.inf)]
    steps = [cut + step for cut in cuts for step in (-1e-9, 1e-9, 1 / 32)]
    return [value for value in (*cuts, *beside, *steps, 0.0, TOP, 1e5) if value >= 0]


@given(CUTS, st.lists(st.floats(0, 2 * TOP), max_size=30))
def test_a_point_has_the_number_of_its_cell(cuts: tuple[float, ...], values: list[float]) -> None:
    points = np.array([*around(cuts), *values])
    numbering = Numbering(Cuts(cuts), "ferritin")  # type: ignore[arg-type]
    numbers, others = numbering.points(len(points), points.__getitem__, (0.0, 1e5))
    assert numbers.tolist() == [bisect_right(cuts, point) + 1 for point in points.tolist()]
    assert others.tolist() == []


@pytest.mark.parametrize("name", ["ferritin", "tsat", "age", "crp", "hemoglobin"])
def test_a_point_has_the_number_of_its_cell_in_the_tables_that_ship(name: str) -> None:
    board = board_of(DEFAULT_GUIDELINES, strict=False)
    points = np.array(around(board.fine_cuts(name)))
    numbers, _ = Numbering(board, name).points(len(points), points.__getitem__, (0.0, 1e5))
    cells = [bisect_right(board.fine_cuts(name), point) + 1 for point in points.tolist()]
    assert numbers.tolist() == cells


def test_what_is_outside_of_the_span_or_empty_has_no_number() -> None:
    points = np.full(BLOCK + 3, 7.0)
    points[[1, 2, BLOCK + 1]] = -1.0, math.nan, 9.0
    numbers, others = Numbering(Cuts((5.0,)), "age").points(  # type: ignore[arg-type]
        len(points), points.__getitem__, (0.0, 8.0)
    )
    assert others.tolist() == [1, 2, BLOCK + 1]
    assert set(numbers[others].tolist()) == {0}
    assert set(np.delete(numbers, others).tolist()) == {2}


def test_many_cuts_have_room_for_their_numbers() -> None:
    cuts = tuple(float(cut) for cut in range(1, 301))
    assert _of_buckets(cuts).max() == 301
