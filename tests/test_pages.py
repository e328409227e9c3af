"""The pages of the site hold everything that the knowledge says, with how well it was verified."""

import re
from pathlib import Path
from typing import Any

import pytest

from pages import write
from rlsiron.catalog import document, guideline_ids, status_ids
from rlsiron.guideline import shipped, statuses
from rlsiron.interpretation import interpret
from rlsiron.models import Interpretation

PLACES = [f"guidelines/{id_}" for id_ in guideline_ids()] + [
    f"status/{id_}" for id_ in status_ids()
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "pages"
    write(folder)
    return folder


def _cards(page: Path) -> dict[str, str]:
    """Return each part of a page by the target in front of it."""
    parts = re.split(r"^\((\S+)\)=$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("place", PLACES)
def test_every_rule_is_on_the_page_of_its_file_with_tier_and_source(site: Path, place: str) -> None:
    filed = document(f"{place}.toml").data
    cards = _cards(site / "guidelines" / f"{filed['id']}.md")
    for population in filed["population"]:
        for rule in (*population["rule"], *population.get("remark", ())):
            card = cards[f"{filed['id']}-{rule['id']}".lower()]
            assert f"Verified: [{rule['verified']}](#tier-{rule['verified']})" in card
            source = rule.get("source", filed["source"])
            assert f"[{source}](#source-{source})" in card
            for key in ("strength", "certainty"):
                assert rule.get(key, "") in card


def test_a_rule_is_told_in_full(site: Path) -> None:
    card = _cards(site / "guidelines" / "aasm-2025.md")["aasm-2025-aa-2"]
    assert "**Oral or IV iron.**" in card
    assert "When: ferritin ≤ 75 µg/L; or TSAT &lt; 20 %." in card
    assert "Strength: good practice statement. Certainty: consensus." in card
    assert "https://doi.org/10.5664/jcsm.11390" in card
    assert "https://pubmed.ncbi.nlm.nih.gov/39324694/" in card


def test_a_fact_in_a_condition_leads_to_what_makes_it_true(site: Path) -> None:
    card = _cards(site / "guidelines" / "irlssg-2018.md")["irlssg-2018-ir-6"]
    assert "When: ferritin ≤ 75 µg/L and [iv-reason](#fact-iv-reason) yes." in card
    fact = _cards(site / "knowledge" / "facts.md")["fact-iv-reason"]
    assert "- oral_iron failed, not-tolerated or not-absorbed\n- conditions gi-disease" in fact


def test_a_parameter_is_printed_with_its_unit(site: Path) -> None:
    parameters = _cards(site / "knowledge" / "facts.md")["parameters"]
    assert "| `ferritin_ceiling` | 300 µg/L |" in parameters


def test_a_window_leads_to_its_notes(site: Path) -> None:
    windows = _cards(site / "knowledge" / "facts.md")["windows"]
    row = next(line for line in windows.splitlines() if line.startswith("| G15 |"))
    assert "| oral iron | 24 hours | TSAT |" in row
    assert re.findall(r"#note-([\w-]+)", row) == [
        "after-oral-iron",
        "after-oral-iron-undated",
        "after-oral-iron-read",
        "oral-iron-undated",
    ]
    assert "| [convention](#tier-convention) | [aasm-2025](#source-aasm-2025)" in row
    note = _cards(site / "knowledge" / "notes.md")["note-after-oral-iron"]
    assert "Said by: [window G15](#windows)." in note


def test_every_word_of_the_patient_is_listed(site: Path) -> None:
    words = _cards(site / "knowledge" / "facts.md")["words"]
    assert "| `kidney` | `none`, `ckd`, `ckd-5`, `hemodialysis`, `peritoneal-dialysis` |" in words
    assert "| `end-stage` | `ckd-5`, `hemodialysis`, `peritoneal-dialysis` |" in words
    assert "`iv-iron-anaphylaxis`" in words


def test_a_sentence_is_told_with_its_values(site: Path) -> None:
    card = _cards(site / "knowledge" / "remarks.md")["remarks-ir-8"]
    assert "repeat the panel at about 12 weeks" in card


def test_what_is_left_open_says_why(site: Path) -> None:
    left = _cards(site / "guidelines" / "mayo-2021.md")["open-mayo-2021"]
    assert "at a ferritin of exactly 100 µg/L one sentence of the source includes IV iron" in left
    assert "[PG-2](#safety-pg-2)" in left


@pytest.mark.parametrize("place", PLACES)
def test_what_is_proven_of_a_file_is_on_its_page(site: Path, place: str) -> None:
    id_ = place.partition("/")[2]
    told = _cards(site / "guidelines" / f"{id_}.md")[f"proven-{id_}"]
    assert re.search(r"\b[1-9]\d* cells\.", told)
    assert re.search(r"was asked\s+in [1-9]\d*\s+situations", told)
    assert ("safety layer" in told) == place.startswith("guidelines/")


def test_what_is_proven_is_counted_on_the_table(site: Path) -> None:
    """AAN by hand as in test_proof; stopped by all but F and T in range, and not iron-loading."""
    told = _cards(site / "guidelines" / "aan-2016.md")
    cells = 5 * 4 * 2 * 2 * 3 * 3 * 2**2
    assert f"cut into {cells} cells. It speaks of {cells // 4} of them." in told["proven-aan-2016"]
    # not stopped: F [0,75], (75,100], (100,300), TSAT under 40 or, with sound kidneys, 45, and
    # end-stage F to 700; not in the first trimester; no iron-loading, no stop of IV
    free = 3 * 3 + 3 * 2 + 4 * 2
    assert f"iron in {cells // 4 - free * 2}. None" in told["proven-aan-2016"]
    row = next(
        r for r in told["population-aan-2016-adult"].splitlines() if "](#aan-2016-an-1)" in r
    )
    assert row.endswith(f"| {cells // 4 // 5} |")


def test_every_safety_rule_is_told_with_tier_and_sources(site: Path) -> None:
    filed = document("safety.toml").data
    cards = _cards(site / "knowledge" / "safety.md")
    for rule in (*filed["rule"], *filed["silence"]):
        card = cards[f"safety-{rule['id']}".lower()]
        assert f"Verified: [{rule['verified']}](#tier-{rule['verified']})" in card
        assert all(f"(#source-{source})" in card for source in rule["sources"])
    assert "**Stops oral iron and IV iron.**" in cards["safety-sl1"]
    assert "TSAT ≥ 45 %; or TSAT ≥ 40 % and kidney ckd or end-stage" in cards["safety-sl1"]
    assert "**Stops IV iron.**" in cards["safety-sl4"]


def test_every_note_is_told(site: Path) -> None:
    cards = _cards(site / "knowledge" / "notes.md")
    assert {f"note-{code}".lower() for code in document("notes/en.toml").data["note"]} <= set(cards)
    assert "(#safety-sl1)" in cards["note-sl1"]
    assert "(#remarks-g12)" in cards["note-low-though-inflamed"]


PRINTED: dict[str, dict[str, Any]] = {
    "low TSAT beside a high ferritin": {"ferritin": "140 ng/mL", "tsat": "16 %", "age": 55},
    "over the ceiling": {"ferritin": "62 ng/mL", "tsat": "50 %", "age": 44},
    "TSAT missing": {"ferritin": "<5 ng/mL", "age": 30, "pregnancy": "pregnant"},
    "iron too soon": {"ferritin": "62 ng/mL", "tsat": "22 %", "last_oral_iron": "2026-03-02"},
    "tablets without a date": {"ferritin": "76 ng/mL", "tsat": "22 %", "oral_iron": "taking"},
    "after IV iron": {"ferritin": "90 ng/mL", "tsat": "30 %", "last_iv_iron": "2026-01-15"},
    "a child on dialysis": {"ferritin": "90 ng/mL", "age": 9, "kidney": "hemodialysis"},
    "not confirmed": {"ferritin": "20 ng/mL", "tsat": "12 %", "age": 44, "rls": "suspected"},
    "inflamed": {"ferritin": "150 ng/mL", "tsat": "12 %", "age": 14, "crp": "20 mg/L"},
}
SUMS_UP = {
    *("lead", "lead-open", "lead-before-safety", "lead-criterion-met"),
    *("decision", "differ", "status"),
}


def _answer(told: dict[str, Any]) -> Interpretation:
    results = {name: told[name] for name in ("ferritin", "tsat", "crp") if name in told}
    patient = {name: value for name, value in told.items() if name not in results}
    return interpret(**results, patient=patient, drawn="2026-03-02", guidelines=guideline_ids())


@pytest.mark.parametrize("told", PRINTED.values(), ids=PRINTED)
def test_a_printed_note_leads_to_its_source_and_tier(site: Path, told: dict[str, Any]) -> None:
    """With the pages alone: by its words to its entry, from there by links."""
    cards = {name: card for page in site.rglob("*.md") for name, card in _cards(page).items()}
    for note in _answer(told).notes:
        card = cards[f"note-{note.code}".lower()]
        words = re.search(r"^> (.*)$", card, re.MULTILINE)
        assert words
        parts = [re.escape(part.lower()) for part in re.split(r"\\?\{.*?\}", words[1])]
        assert re.fullmatch(".*".join(parts), note.text.removeprefix("Not verified: ").lower())
        if note.code not in SUMS_UP:
            behind = card + "".join(cards[name] for name in re.findall(r"\]\(#(\S+?)\)", card))
            assert all(f"(#source-{source})" in behind for source in note.sources), note
            assert note.verified is None or f"(#tier-{note.verified})" in behind, note


@pytest.mark.parametrize("told", PRINTED.values(), ids=PRINTED)
def test_a_printed_rule_is_on_its_page_with_its_cell(site: Path, told: dict[str, Any]) -> None:
    answer = _answer(told)
    printed = str(answer)
    for id_, decision in answer.decisions.items():
        page = site / "guidelines" / f"{id_}.md"
        own = {rule.id for rule in shipped(id_).rules}
        for rule in decision.rules:
            assert rule.id in printed or len(decision.rules) > 1  # which one decides is open
            if rule.id in own:
                card = _cards(page)[f"{id_}-{rule.id}".lower()]
                assert f"(#tier-{rule.verified})" in card
                assert f"(#source-{rule.source})" in card
                assert f'href="{id_}.html#{id_}-{rule.id.lower()}"' in page.read_text("utf-8")


@pytest.mark.parametrize("told", PRINTED.values(), ids=PRINTED)
def test_a_printed_statement_is_on_the_page_of_its_file(site: Path, told: dict[str, Any]) -> None:
    answer = _answer(told)
    files = {(one.source, rule.id): one for one in statuses() for rule in one.rules}
    for status in answer.status:
        file = files[status.source, status.rule]
        assert f"{file.title} on {file.about}: " in str(answer)
        assert f"{file.id}-{status.rule}".lower() in _cards(site / "guidelines" / f"{file.id}.md")


def test_every_source_has_an_entry_with_its_paper(site: Path) -> None:
    cards = _cards(site / "knowledge" / "sources.md")
    for key, source in document("sources.toml").data.items():
        assert source["citation"][:40] in cards[f"source-{key}"]
        assert source.get("doi", "") in cards[f"source-{key}"]


def test_everything_is_listed_once_under_its_tier(site: Path) -> None:
    cards = _cards(site / "knowledge" / "verification.md")
    listed = {
        tier: re.findall(r"^\| \[.*?\]\(#(\S+)\)", cards[f"verified-{tier}"], re.MULTILINE)
        for tier in ("primary", "quoted", "secondary", "convention", "unverified")
    }
    told = [
        (rule["verified"], f"{filed['id']}-{rule['id']}".lower())
        for filed in (document(f"{place}.toml").data for place in (*PLACES, "remarks"))
        for population in filed["population"]
        for rule in (*population["rule"], *population.get("remark", ()))
    ]
    layer = document("safety.toml").data
    told += [
        (rule["verified"], f"safety-{rule['id']}".lower())
        for rule in (*layer["rule"], *layer["silence"])
    ]
    told += [(window["verified"], "windows") for window in document("facts.toml").data["window"]]
    told += [
        (note["verified"], f"note-{code}".lower())
        for code, note in document("notes/en.toml").data["note"].items()
        if "verified" in note
    ]
    assert sorted(told) == sorted((tier, one) for tier, ones in listed.items() for one in ones)


def test_every_cell_leads_to_a_rule(site: Path) -> None:
    for page in (site / "guidelines").glob("*.md"):
        for path, anchor in re.findall(r'<a href="(\S+)\.html#(\S+)"', page.read_text("utf-8")):
            assert anchor in _cards(page.parent / f"{path}.md")


def test_a_link_of_a_page_has_its_target(site: Path) -> None:
    pages = list(site.rglob("*.md"))
    targets = {target for page in pages for target in _cards(page)}
    for page in pages:
        linked = set(re.findall(r"\]\(#(\S+?)\)", page.read_text("utf-8")))
        assert linked <= targets


def test_the_glossary_names_the_units_of_every_analyte() -> None:
    page = Path(__file__).parents[1] / "docs" / "glossary.md"
    rows = [row.split(" | ") for row in page.read_text("utf-8").splitlines() if row[:2] == "| "]
    told = {row[0].removeprefix("| ").lower(): row[-2:] for row in rows if len(row) == 4}
    for name, analyte in document("analytes.toml").data["analyte"].items():
        canonical, others = told[name]
        same = analyte["unit"].replace("ug", "µg")
        assert canonical == same
        units = {unit.replace("u", "µ") for unit in analyte["units"]} - {same, "1"}
        assert "1" not in analyte["units"] or "a fraction of 1" in others
        assert units <= set(others.removesuffix(" |").split(", "))
