"""What guidelines there are, and each as a table with the limits of its file."""

import json
from collections import Counter
from pathlib import Path

import pytest

from calling import on_terminal, run, unstyled
from rlsiron.catalog import document, guideline_ids, status_ids, text_of
from rlsiron.compiler import compile_table
from rlsiron.guideline import load_guideline

EVERY = [*guideline_ids(), *status_ids()]


def shown(*arguments: str) -> str:
    result = run("guideline", *arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def cells(line: str) -> list[str]:
    """Return the cells of a line of a plain table."""
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def row(text: str, id_: str) -> list[str]:
    """Return the row that begins with an id."""
    return next(cells(line) for line in text.splitlines() if cells(line)[:1] == [id_])


# list


def test_every_file_is_listed_in_order() -> None:
    heads, *rows = shown("list").splitlines()
    assert cells(heads) == [
        *("id", "title", "purpose", "version", "populations", "cells", "rules", "reviewed by"),
    ]
    assert [cells(line)[0] for line in rows] == EVERY


def test_a_guideline_is_listed_with_its_size_and_tiers() -> None:
    """The evidence, §7: populations of AASM are adult and child, with and without end-stage."""
    data = document("guidelines/aasm-2025.toml").data
    tiers = Counter(rule["verified"] for part in data["population"] for rule in part["rule"])
    size = str(compile_table(load_guideline("aasm-2025")).cells)
    said = f"{tiers['primary']} primary, {tiers['secondary']} secondary, {tiers['convention']} "
    assert row(shown("list"), "aasm-2025") == [
        *("aasm-2025", "AASM 2025", "rls", "1", "4", size, f"{said}convention", "nobody"),
    ]


def test_a_file_on_general_status_is_labeled_with_its_purpose() -> None:
    assert row(shown("list"), "acg-2019")[2] == "status: iron overload"


def test_the_list_is_json_for_a_program() -> None:
    told = {one["id"]: one for one in json.loads(shown("list", "--json"))}
    assert list(told) == EVERY
    assert told["irlssg-2018"] == {
        "id": "irlssg-2018",
        "title": "IRLSSG 2018",
        "purpose": "rls",
        "about": "",
        "version": "1",
        "populations": ["adult", "child"],
        "cells": compile_table(load_guideline("irlssg-2018")).cells,
        "tiers": {"primary": 1, "quoted": 4, "secondary": 2, "unverified": 3},
        "silent_on": ["end-stage", "pregnancy"],
        "reviewed_by": [],
    }
    assert told["acg-2019"]["about"] == "iron overload"


# show

# evidence/clinical.md §3: the limits, operators and tiers of each rule.
DRAWN = {
    ("aasm-2025", "AA-9"): ["ferritin < 200 µg/L and TSAT < 20 %", "IV iron", "conditional"],
    ("aasm-2025", "AA-2"): ["ferritin ≤ 75 µg/L; or TSAT < 20 %", "oral or IV iron"],
    ("aasm-2025", "AA-2-AA-3"): ["ferritin > 75 µg/L and ≤ 100 µg/L and TSAT < 20 %"],
    ("aasm-2025", "AA-3"): ["ferritin > 75 µg/L and ≤ 100 µg/L", "IV iron"],
    ("aasm-2025", "AA-4"): ["ferritin < 50 µg/L", "oral or IV iron"],
    ("aasm-2025", "AA-4-unmet"): ["in all other cases", "no reason to start iron", "secondary"],
    ("irlssg-2018", "IR-5"): ["ferritin ≥ 300 µg/L", "withhold iron", "unverified", "irlssg-2018"],
    ("irlssg-2018", "IR-9"): ["earlier-iv yes", "IV iron or no reason to start iron"],
    ("irlssg-2018", "IR-3-unmet"): ["earlier-iv no", "no reason to start iron", "quoted"],
    ("mayo-2021", "OV-4"): ["TSAT ≥ 45 %", "withhold iron", "expert opinion", "quoted"],
    ("acg-2019", "OV-2"): ["TSAT ≥ 45 %", "test for hemochromatosis (TSAT of 45 % or more)"],
    ("who-2020", "GN-1"): ["ferritin < 15 µg/L and inflamed no"],
    ("who-2020", "GN-2"): ["ferritin < 70 µg/L and inflamed yes and age ≥ 18 years"],
}


@pytest.mark.parametrize(
    ("id_", "rule", "begins"), [(*key, value) for key, value in DRAWN.items()], ids=map(str, DRAWN)
)
def test_a_rule_is_drawn_with_the_limits_of_its_file(
    id_: str, rule: str, begins: list[str]
) -> None:
    assert row(shown("show", id_), rule)[1 : len(begins) + 1] == begins


def test_a_guideline_is_drawn_with_whom_it_speaks_of_and_its_source() -> None:
    text = shown("show", "aasm-2025")
    assert text.startswith("AASM 2025 (aasm-2025)\nPurpose: rls. Version 1, reviewed by nobody. ")
    assert "\nSilent on: pregnancy.\n" in text
    assert "\nend-stage adult: age ≥ 18 years and kidney end-stage\n" in text
    assert "\nAA-2-AA-3: the rule for a TSAT under 20 % and " in text
    assert "doi:10.5664/jcsm.11390 pmid:39324694" in text.splitlines()[-1]
    assert row(text, "AA-4-end-stage")[1] == "always"


def test_a_file_without_a_silence_or_a_condition_says_so() -> None:
    text = shown("show", "acg-2019")
    assert "Silent on" not in text
    assert "\nall: every patient\n" in text
    assert "status: iron overload" in text


def test_the_facts_of_a_table_are_told() -> None:
    lines = shown("show", "mayo-2021").splitlines()
    assert (
        "inflamed: inflammation yes; or CRP > 5 mg/L; or conditions malignancy or active-infection."
        in lines
    )
    assert not any(line.startswith("earlier-iv: ") for line in lines)


@pytest.mark.parametrize("id_", EVERY)
def test_every_file_is_shown_with_all_its_rules(id_: str) -> None:
    told = json.loads(shown("show", id_, "--json"))
    rules = [rule["id"] for part in told["populations"] for rule in part["rules"]]
    folder = "guidelines" if id_ in guideline_ids() else "status"
    filed = document(f"{folder}/{id_}.toml").data
    assert rules == [rule["id"] for part in filed["population"] for rule in part["rule"]]
    text = shown("show", id_)
    assert all(row(text, rule) for rule in rules)
    assert all(source["citation"] in text for source in told["sources"].values())


def test_a_rule_is_json_as_its_file_has_it() -> None:
    told = json.loads(shown("show", "aasm-2025", "--json"))
    adult = told["populations"][2]
    assert adult["name"] == "adult"
    assert adult["applies"] == {"age": ">= child_below"}
    assert told["parameters"]["child_below"] == "18 years"
    assert adult["rules"][1] == {
        "id": "AA-2",
        "when": [{"ferritin": "<= 75 ug/L"}, {"tsat": "< 20 %"}],
        "disposition": ["oral-or-iv-iron"],
        "says": "adults: oral or IV iron where ferritin is at most 75 µg/L or TSAT is under 20 %",
        "why": "",
        "strength": "good practice statement",
        "certainty": "consensus",
        "verified": "primary",
        "source": "aasm-2025",
    }


def test_the_facts_that_choose_a_population_are_told(tmp_path: Path) -> None:
    text = text_of("guidelines/aan-2016.toml").replace('id = "aan-2016"', 'id = "own"', 1)
    text = text.replace('age = ">= child_below"', "heart-failure = true")
    text = text.replace("AAN 2016", "Own")
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    said = shown("show", str(tmp_path / "own.toml"))
    assert "\nadult: heart-failure yes\n" in said
    assert "\nheart-failure: conditions heart-failure.\n" in said


def test_a_file_of_ones_own_is_shown(tmp_path: Path) -> None:
    text = text_of("guidelines/aan-2016.toml").replace('id = "aan-2016"', 'id = "own"', 1)
    text = text.replace("AAN 2016", "Own")
    text = text.replace('"<= 75 ug/L"', '"<=75 ng/mL"').replace(">= child_below", ">=child_below")
    text = text.replace("reviewed_by = []", 'reviewed_by = ["A. Clinician"]')
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    said = shown("show", str(tmp_path / "own.toml"))
    assert row(said, "AN-1")[1:3] == ["ferritin ≤ 75 ng/mL", "oral iron"]
    assert "adult: age ≥ 18 years\n" in said
    assert "reviewed by A. Clinician." in said


def test_a_file_that_calls_itself_as_one_that_ships_is_not_shown(tmp_path: Path) -> None:
    text = text_of("guidelines/aan-2016.toml").replace('id = "aan-2016"', 'id = "own"', 1)
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    result = run("guideline", "show", str(tmp_path / "own.toml"))
    assert result.exit_code == 2
    assert "key title: the title 'AAN 2016' is taken" in result.stderr


def test_the_parameters_that_a_file_changes_are_told(tmp_path: Path) -> None:
    text = 'id = "own"\nextends = "aasm-2025"\nversion = "1"\n'
    text += '[parameters]\nferritin_ceiling = "200 ug/L"\n'
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    said = shown("show", str(tmp_path / "own.toml"))
    assert "\nParameters: ferritin_ceiling 200 µg/L in place of 300 µg/L.\n" in said
    assert "Parameters" not in shown("show", "aasm-2025")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("asm-2025", "unknown guideline 'asm-2025'; did you mean 'aasm-2025'?"),
        ("who-2021", "unknown guideline 'who-2021'; did you mean 'who-2020'?"),
        ("none.toml", "cannot read the guideline file 'none.toml': "),
    ],
)
def test_what_is_no_guideline_is_one_sentence(name: str, sentence: str) -> None:
    result = run("guideline", "show", name)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {sentence}")
    assert result.stderr.count("\n") == 1


def test_a_faulty_file_is_one_sentence_with_its_place(tmp_path: Path) -> None:
    text = text_of("guidelines/aan-2016.toml").replace('id = "aan-2016"', 'id = "own"', 1)
    file = tmp_path / "own.toml"
    file.write_text(text.replace("<= 75 ug/L", "<= 75 g/L"), encoding="utf-8")
    result = run("guideline", "show", str(file))
    assert result.exit_code == 2
    assert "rule AN-1" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("columns", [60, 140])
def test_on_a_terminal_no_word_of_a_table_is_lost(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    code, text = on_terminal(monkeypatch, "guideline", "show", "aasm-2025", columns=columns)
    plain = unstyled(text)
    assert code == 0
    assert "\x1b[1mAASM 2025 (aasm-2025)" in text
    assert "…" not in plain
    assert "───" in plain
    assert max(map(len, plain.splitlines())) <= columns
