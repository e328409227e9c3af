"""What is proven of a guideline file."""

import tomllib
from pathlib import Path

import pytest

from rlsiron.catalog import Document, document, guideline_ids
from rlsiron.compiler import compile_table
from rlsiron.errors import GuidelineError
from rlsiron.guideline import parse_guideline
from rlsiron.proof import check_guideline
from rlsiron.table import words_of

# Cells counted by hand, as in test_compiler. AAN covers adults (half of the ages) with confirmed
# RLS (half of its classes), and leaves nothing open but in pregnancy, where no cell is IV alone.
AAN_CELLS = 5 * 4 * 2 * 2 * 3 * 3 * 2**2


def test_what_was_proven_is_counted() -> None:
    proof = check_guideline("aan-2016")
    assert proof.guideline.id == "aan-2016"
    assert (proof.populations, proof.rules) == (1, 2)
    assert (proof.cells, proof.covered, proof.open_cells) == (AAN_CELLS, AAN_CELLS // 4, 0)


def test_open_cells_are_those_that_the_source_leaves_open() -> None:
    """NICE: [50,75) of F's 6 cells, adults, confirmed RLS."""
    proof = check_guideline("nice-cks")
    assert proof.open_cells == proof.covered // 6
    (opening,) = proof.openings
    assert (opening.id, opening.cells) == ("NI-1-range", proof.open_cells)
    # open after safety: TSAT under 20, [20, 40), and without kidney disease [40, 45); of three
    # classes of pregnancy all, since no IV is given; IV stopped or not; no iron-loading
    assert proof.open_after == opening.after == (3 + 2 + 2) * 3 * 2
    assert opening.why == 'the source says "less than 50 to 75" µg/L, a range and not a limit'


def test_a_silence_opens_what_gives_iv_iron_alone() -> None:
    """PG-2: of its three classes of pregnancy, the one with trimesters 2, 3 and postpartum."""
    text = (
        'id = "ours"\npurpose = "rls"\nsource = "rlsiron"\nversion = "1"\nreviewed_by = []\n'
        'silent_on = ["pregnancy"]\n[[population]]\nname = "all"\napplies = {}\n'
    )
    for id_, when in (("A", 'when = { ferritin = "< 50 ug/L" }'), ("B", "")):
        text += f'[[population.rule]]\nid = "{id_}"\ndisposition = "iv-iron"\n{when}\n'
        text += 'verified = "convention"\nsays = "a"\n'
    proof = check_guideline(parse_guideline(Document("x.toml", text, tomllib.loads(text))))
    (silence,) = document("safety.toml").data["silence"]
    opening, *by_safety = proof.openings
    assert (opening.id, opening.why) == ("PG-2", silence["says"])
    assert opening.cells == proof.open_cells == proof.covered // 3
    # After it where not both routes are stopped, by TSAT and ferritin: under 20, [20, 40) and,
    # without kidney disease, [40, 45); [0, 50), [50, 100], (100, 300) and, end-stage, [300, 700].
    # Where IV alone is stopped, to withhold iron and to see no reason for it are still two.
    left = 3 * 3 + 2 * 3 + 2 * 4
    assert opening.after == 2 * left
    # SL5 in (100, 300) with TSAT under 20, not end-stage, in the two other classes of pregnancy
    assert [(one.id, one.cells, one.after) for one in by_safety] == [("SL5", 0, 2 * 2 * 2)]
    assert proof.open_after == 2 * left + 2 * 2 * 2


@pytest.mark.parametrize("id_", guideline_ids())
def test_every_guideline_that_ships_is_proven(id_: str) -> None:
    proof = check_guideline(id_)
    assert 0 < proof.covered < proof.cells
    assert proof.rules == len(proof.guideline.rules)
    table = compile_table(proof.guideline)
    said = table.cells_of(table.criterion).ravel().tolist()
    assert proof.open_cells == sum(len(words_of(bits)) > 1 for bits in said)
    left = table.cells_of(table.disposition).ravel().tolist()
    assert proof.open_after == sum(len(words_of(bits)) > 1 for bits in left)
    assert all(one.why and one.cells + one.after for one in proof.openings)


def test_a_faulty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text('id = "ours"\n', encoding="utf-8")
    with pytest.raises(GuidelineError, match="is missing"):
        check_guideline(path)
