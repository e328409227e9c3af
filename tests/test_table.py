"""The table: cells of axes, unions over them, limits as they are printed."""

import tomllib
from math import inf, nextafter

import pytest

from rlsiron.catalog import Document
from rlsiron.compiler import compile_table
from rlsiron.guideline import Guideline, parse_guideline, shipped
from rlsiron.table import BIT, NumericAxis, Table, WordAxis, spanned, words_of

# Cut below 50 and above 75: [0, 50), [50, 75], (75, inf).
FERRITIN = NumericAxis("ferritin", (50.0, nextafter(75.0, inf)))
KIDNEY = WordAxis("kidney", (frozenset({"none"}), frozenset({"ckd"}), frozenset({"ckd-5", "x"})))
TRUTH = WordAxis("inflamed", (frozenset({False}), frozenset({True})))


def table(id_: str = "aasm-2025") -> Table:
    return compile_table(shipped(id_))


CELLS = {
    "zero": ((0.0, 0.0), (0,)),
    "just under 50": ((nextafter(50.0, 0),) * 2, (0,)),
    "50": ((50.0, 50.0), (1,)),
    "75": ((75.0, 75.0), (1,)),
    "just over 75": ((nextafter(75.0, inf),) * 2, (2,)),
    "without end": ((100.0, inf), (2,)),
    "under 50": ((0.0, nextafter(50.0, 0)), (0,)),
    "at most 50": ((0.0, 50.0), (0, 1)),
    "over 50": ((nextafter(50.0, inf), inf), (1, 2)),
    "unknown": ((0.0, inf), (0, 1, 2)),
}


@pytest.mark.parametrize(("interval", "cells"), CELLS.values(), ids=CELLS)
def test_an_interval_reaches_a_run_of_cells(
    interval: tuple[float, float], cells: tuple[int, ...]
) -> None:
    """Design §2: a known value is one cell; a bound is a run; a missing value is all."""
    assert FERRITIN.cells(interval) == cells


def test_a_cell_is_an_interval_closed_at_both_ends() -> None:
    """An open end is the next float inward."""
    assert FERRITIN.size == 3
    assert [FERRITIN.span(cell) for cell in range(3)] == [
        (0.0, nextafter(50.0, 0)),
        (50.0, 75.0),
        (nextafter(75.0, inf), inf),
    ]


PRINTED = {
    "from zero": ((0, 0), "ferritin in [0, 50)"),
    "between": ((1, 1), "ferritin in [50, 75]"),
    "two cells": ((0, 1), "ferritin in [0, 75]"),
    "without end": ((2, 2), "ferritin in (75, inf)"),
    "from an end that belongs": ((1, 2), "ferritin in [50, inf)"),
}


@pytest.mark.parametrize(("run", "printed"), PRINTED.values(), ids=PRINTED)
def test_cells_are_printed_at_their_limits(run: tuple[int, int], printed: str) -> None:
    """Style: `ferritin in [75, inf)`; never 74.99999999999999."""
    assert FERRITIN.describe(*run) == printed


def test_a_printed_limit_keeps_its_digits() -> None:
    """Canonical values have nine decimals (design §4); a limit is printed as it is."""
    assert NumericAxis("crp", (168.539325843,)).describe(1, 1).startswith("crp in [168.539325843,")
    assert NumericAxis("crp", (1234567.0,)).describe(1, 1).startswith("crp in [1234567,")


def test_words_are_printed_in_order() -> None:
    """Words of a run of cells, with or."""
    assert KIDNEY.describe(0, 0) == "kidney none"
    assert KIDNEY.describe(1, 2) == "kidney ckd or ckd-5 or x"


WORDS = {
    "one": ({"none"}, (0,)),
    "two of one cell": ({"ckd-5", "x"}, (2,)),
    "one of a cell": ({"ckd-5"}, (2,)),
    "of two cells": ({"none", "x"}, (0, 2)),
    "all": ({"none", "ckd", "ckd-5", "x"}, (0, 1, 2)),
}


@pytest.mark.parametrize(("words", "cells"), WORDS.values(), ids=WORDS)
def test_a_set_of_words_reaches_the_cells_of_its_words(
    words: set[str], cells: tuple[int, ...]
) -> None:
    """Asked twice, the answer is the same."""
    assert KIDNEY.cells(frozenset(words)) == cells
    assert KIDNEY.cells(frozenset(words)) == cells


def test_a_fact_that_is_open_reaches_yes_and_no() -> None:
    """A fact is an axis of two words."""
    assert TRUTH.cells(frozenset({True})) == (1,)
    assert TRUTH.cells(frozenset({False, True})) == (0, 1)


def test_axes_are_equal_whatever_was_asked_of_them() -> None:
    """What is remembered is no part of the axis, and is not printed."""
    other = WordAxis("inflamed", TRUTH.classes)
    other.cells(frozenset({True}))
    assert other == TRUTH
    assert "_reached" not in repr(other)


def test_bits_are_words_in_the_order_of_the_vocabulary() -> None:
    """A set of dispositions is a sum of bits."""
    assert list(BIT) == [
        "oral-iron",
        "iv-iron",
        "oral-or-iv-iron",
        "no-iron",
        "withhold-iron",
        "not-covered",
    ]
    assert words_of(0) == ()
    assert words_of(BIT["no-iron"] | BIT["iv-iron"]) == ("iv-iron", "no-iron")
    assert words_of(sum(BIT.values())) == tuple(BIT)


def known(**more: object) -> dict[str, object]:
    """Return the situation of an adult with everything known, but for what is given."""
    return {
        "ferritin": (62.0, 62.0),
        "tsat": (30.0, 30.0),
        "age": (44.0, 44.0),
        "rls": frozenset({"confirmed"}),
        "pregnancy": frozenset({"none"}),
        "kidney": frozenset({"none"}),
        "iron-loading": frozenset({False}),
        "iv-stopped": frozenset({False}),
        **more,
    }


def at(one: Table, **more: object) -> tuple[tuple[int, ...], ...]:
    return one.box(known(**more))  # type: ignore[arg-type]


def test_a_box_is_looked_up() -> None:
    """AASM adult, F 62, T 30: AA-2, nothing stopped."""
    one = table()
    cell = one.look_up(at(one))
    assert (cell.criterion, cell.possible) == (("oral-or-iv-iron",), ("oral-or-iv-iron",))
    assert [rule.id for rule in cell.rules] == ["AA-2"]
    assert (cell.stopped, cell.may_be_stopped) == (frozenset(), frozenset())


def test_what_stops_for_certain_and_what_may() -> None:
    """T in [40, 50] with no kidney disease: SL1 may stop; at 50 it does."""
    one = table()
    cell = one.look_up(at(one, tsat=(40.0, 50.0)))
    assert (cell.stopped, cell.may_be_stopped) == (frozenset(), frozenset({"SL1"}))
    cell = one.look_up(at(one, tsat=(50.0, 50.0)))
    assert cell.stopped == cell.may_be_stopped == frozenset({"SL1"})
    cell = one.look_up(at(one, tsat=(0.0, inf), ferritin=(400.0, 400.0)))
    assert (cell.stopped, cell.may_be_stopped) == (
        frozenset({"SL2"}),
        frozenset({"SL1", "SL2", "SL5"}),  # AASM gives iron under T 20, which SL5 opens
    )


def test_the_rules_of_a_run_are_in_file_order() -> None:
    """AASM adult, F over [60, 120], T 30: AA-2, AA-3, then none."""
    one = table()
    cell = one.look_up(at(one, ferritin=(60.0, 120.0)))
    assert [rule.id for rule in cell.rules] == ["AA-2", "AA-3", "AA-2-AA-3-unmet"]
    assert cell.possible == ("iv-iron", "oral-or-iv-iron", "no-iron")


def test_the_axes_that_decide() -> None:
    """Design §4, `needs`: two values exist that, all else held, give different sets."""
    one = table()
    assert one.deciding(at(one)) == ()
    assert one.deciding(at(one, tsat=(0.0, inf))) == ("tsat",)
    assert one.deciding(at(one, ferritin=(0.0, inf))) == ("ferritin",)
    assert one.deciding(at(one, age=(0.0, 130.0), ferritin=(30.0, 30.0))) == ()
    assert one.deciding(at(one, age=(0.0, 130.0))) == ("age",)
    assert one.deciding(at(one, ferritin=(0.0, 30.0))) == ()
    open_kidney = frozenset({"none", "ckd"})  # tells apart only from T 40 on
    assert one.deciding(at(one, ferritin=(0.0, inf), kidney=open_kidney)) == ("ferritin",)


def test_the_nearest_limits_beyond_which_the_answer_differs() -> None:
    """AASM adult at F 62, T 30: F over 75, and T from 45. Below, nothing differs."""
    one = table()
    steps = one.steps(at(one))
    assert [(s.axis, s.limit, s.unit, s.possible) for s in steps] == [
        ("ferritin", 75.0, "ug/L", ("iv-iron",)),
        ("tsat", 45.0, "%", ("withhold-iron",)),
    ]


def test_a_limit_beyond_which_nothing_changes_is_stepped_over() -> None:
    """AASM adult at F 150, T 30 (no iron): down to 100, IV; up past 200, which is end-stage's."""
    one = table()
    steps = one.steps(at(one, ferritin=(150.0, 150.0)))
    assert [(s.limit, s.possible) for s in steps if s.axis == "ferritin"] == [
        (300.0, ("withhold-iron",)),
        (100.0, ("iv-iron",)),
    ]
    steps = one.steps(at(one, ferritin=(250.0, 250.0)))  # the cell under 200 says the same
    assert [(s.limit, s.possible) for s in steps if s.axis == "ferritin"] == [
        (300.0, ("withhold-iron",)),
        (100.0, ("iv-iron",)),
    ]


def test_an_axis_of_two_cells_has_no_steps_and_the_others_have_theirs() -> None:
    """AASM adult, F 60 to 90, T 30: oral or IV, or IV; from T 45 withheld; under 20 all stays."""
    one = table()
    two = at(one, ferritin=(60.0, 90.0))
    assert max(len(cells) for cells in two) == 2
    assert [(s.axis, s.limit, s.possible) for s in one.steps(two)] == [
        ("tsat", 45.0, ("withhold-iron",))
    ]


def test_the_variation_about_a_limit_reaches_to_its_share_of_it() -> None:
    """PA-6, by hand: 14.5 % of 75 is 10.875, 28 % of 45 is 12.6."""
    ferritin, tsat = table().steps(at(table()))
    assert ferritin.border == ("ferritin", -inf, 64.125)
    assert tsat.border == ("tsat", -inf, 32.4)
    over = table().steps(at(table(), ferritin=(150.0, 150.0)))[1]
    assert (over.limit, over.border) == (100.0, ("ferritin", 114.5, inf))
    assert spanned("age", 18.0) is None
    assert spanned("crp", 5.0) is None


def test_a_limit_of_which_no_variation_is_known_is_spanned_from_nowhere() -> None:
    """PA-6 has none of CRP. And a limit between 0 and 1 is one like any other."""
    text = (
        'id = "ours"\npurpose = "anemia"\nsource = "rlsiron"\nversion = "1"\nreviewed_by = []\n'
        '[[population]]\nname = "all"\napplies = {}\n'
        '[[population.rule]]\nid = "A"\nwhen = { crp = "<= 0.5 mg/L" }\n'
        'disposition = "oral-iron"\nverified = "primary"\nsays = "a"\n'
        '[[population.rule]]\nid = "B"\ndisposition = "no-iron"\nverified = "primary"\n'
        'says = "b"\n'
    )
    one = compile_table(parse_guideline(Document("ours.toml", text, tomllib.loads(text))))
    for cell, possible in ((0, ("no-iron",)), (1, ("oral-iron",))):
        (step,) = one.steps(((cell,),))
        assert (step.axis, step.limit, step.possible) == ("crp", 0.5, possible)
        assert step.border == ("crp", -inf, inf)


def test_the_cells_of_an_array_are_without_its_unions() -> None:
    one = table()
    sizes = tuple(axis.size for axis in one.axes)
    assert one.disposition.shape == tuple(size + 1 for size in sizes)
    assert one.cells_of(one.disposition).shape == sizes


def test_edges_of_an_axis_that_is_not_there_are_none() -> None:
    """And those of a numeric axis are its cuts."""
    one = table()
    assert one.edges("age") == (18.0,)
    assert one.edges("tsat") == (20.0, 40.0, 45.0)
    assert one.edges("crp") == ()
    assert one.edges("kidney") == ()


def test_a_table_is_known_by_itself() -> None:
    """Tables are keys of caches: equal only where the same, made once for each guideline."""
    one = table()
    assert one == table()
    assert one != table("mayo-2021")
    assert isinstance(one.guideline, Guideline)
