"""The hazard log: each test that it names is there and runs, and no gap is left out."""

import json
import re
import subprocess
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOG = (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8")

# The gaps of clinical §8, the items of its §1 and its sections on rules, the draw and the matrices,
# and the sections of evidence/units.md, by hand.
GAPS = """
G1 G2 G4 G5 G6 G7 G8 G10 G11 G12 G13 G15 G16 G18 G19 G20 G21 G23 G24 G25 G26 G27 G28 G29 G30 G31
"""
TRAPS = {
    "clinical": "1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8 1.9 1.10 3 4 7",
    "units": "1.1 1.2 1.3 1.4 1.6 1.7 2 3 4 5 6",  # 1.5 is no hazard: pint is slow
}


class Row(NamedTuple):
    """One hazard, as it stands in the log."""

    id: str
    origins: list[str]
    harm: str
    control: str
    tests: list[str]


def rows() -> list[Row]:
    """Return every row, without the heads of the tables."""
    lines = [line for line in LOG.splitlines() if re.match(r"\| [A-Z]\d+ \|", line)]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [
        Row(id_, origins.split(", "), harm, control, re.findall(r"`(tests/[^`]+)`", shown))
        for id_, origins, harm, control, shown in cells
    ]


ROWS = {row.id: row for row in rows()}

# Printed by pytest once it has collected: each test, and whether it runs in a plain checkout; two
# fixtures skip where something else is missing.
COLLECT = """
import json, sys
import pytest

class Collected:
    def pytest_collection_finish(self, session):
        for item in session.items:
            skipped = item.get_closest_marker("skip") or any(
                any(mark.args) for mark in item.iter_markers("skipif")
            )
            alone = {"shared_data", "ucum"}.isdisjoint(item.fixturenames)
            print("\\n" + json.dumps([item.nodeid, alone and not skipped]))

sys.exit(pytest.main(["--collect-only", "-qq", *sys.argv[1:]], plugins=[Collected()]))
"""


@cache
def collected() -> dict[str, bool]:
    """Return the tests of the files that the log names, and whether each runs."""
    named = {test.partition("::")[0] for row in ROWS.values() for test in row.tests}
    done = subprocess.run(
        [sys.executable, "-c", COLLECT, *sorted(named)],
        capture_output=True, check=False, cwd=ROOT, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    runs: dict[str, bool] = {}
    for line in done.stdout.splitlines():
        if line.startswith('["'):
            node, runs_here = json.loads(line)
            runs[node] = runs_here
            function = node.partition("[")[0]  # runs where one of its cases does
            runs[function] = runs.get(function, False) or runs_here
    return runs


def test_every_row_of_the_log_is_read() -> None:
    """A row that the pattern misses would be checked by nobody."""
    lines = [line for line in LOG.splitlines() if line.startswith("|")]
    heads = LOG.count("\n## ")
    assert len(ROWS) == len(rows()) == len(lines) - 2 * heads
    assert len(ROWS) > 70


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_hazard_names_tests_that_run_or_says_that_it_is_not_controlled(row: Row) -> None:
    assert row.tests or "not controlled" in row.control.casefold()
    assert {test: collected().get(test, "not there") for test in row.tests} == dict.fromkeys(
        row.tests, True
    )


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_hazard_names_a_module_or_a_data_file_that_controls_it(row: Row) -> None:
    named = set(re.findall(r"`((?:data/)?[a-z_0-9./-]+)`", row.control))
    data, modules = files("rlsiron.data"), files("rlsiron")
    known = {name for name in named if modules.joinpath(f"{name}.py").is_file()}
    for name in named - known:
        entry = data.joinpath(name.removeprefix("data/"))
        if name.startswith("data/") and (entry.is_file() or entry.is_dir()):
            known.add(name)
    assert known or row.control.startswith("Not controlled")
    assert {name for name in named if name.startswith("data/")} <= known


def test_no_gap_of_the_evidence_is_left_out() -> None:
    origins = {origin for row in ROWS.values() for origin in row.origins}
    traps = {f"{of} {item}" for of, items in TRAPS.items() for item in items.split()}
    assert {*GAPS.split(), *traps} - origins == set()
    assert {origin for origin in origins if re.fullmatch(r"G\d+", origin)} == set(GAPS.split())


def test_a_row_is_two_sentences_that_a_clinician_can_read() -> None:
    """One on the harm, one on the control."""
    for row in ROWS.values():
        for sentence in (row.harm, row.control):
            assert sentence.endswith(".")
            assert ". " not in sentence
            assert len(sentence) < 260
