"""What is proven of a guideline file."""

from pathlib import Path

import pytest

from rlsiron.catalog import guideline_ids
from rlsiron.errors import GuidelineError
from rlsiron.proof import check_guideline

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


@pytest.mark.parametrize("id_", guideline_ids())
def test_every_guideline_that_ships_is_proven(id_: str) -> None:
    proof = check_guideline(id_)
    assert 0 < proof.covered < proof.cells
    assert proof.rules == len(proof.guideline.rules)


def test_a_faulty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text('id = "ours"\n', encoding="utf-8")
    with pytest.raises(GuidelineError, match="is missing"):
        check_guideline(path)
