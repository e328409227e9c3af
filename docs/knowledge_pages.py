"""The pages of what lies over and beside the guidelines, and of what it all rests on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from markup import (
    card,
    condition,
    filled,
    link,
    papers,
    plain,
    route,
    sentence,
    sources,
    table,
    target,
    tier,
    words_of,
)
from rlsiron.catalog import document, guideline_ids
from rlsiron.conditions import conditions, parameters, printed, ways_of
from rlsiron.facts import assumed
from rlsiron.grammar import TIERS, fact_tables, groups, vocabulary
from rlsiron.guideline import (
    Guideline,
    Rule,
    SafetyRule,
    Silence,
    Window,
    remarks,
    safety,
    shipped,
    statuses,
    windows,
)
from rlsiron.units import analytes
from rlsiron.wording import listed, options, templates, word


class Told(NamedTuple):
    """Something that the knowledge says, wherever: with where it stands and what it rests on."""

    kind: str
    place: tuple[str, ...]
    name: str
    says: str
    cited: tuple[str, ...]
    verified: str


def everything() -> Iterator[Told]:
    """Yield every rule, statement, remark, safety rule, window and note that has a tier."""
    for guideline in (*map(shipped, guideline_ids()), *statuses(), remarks()):
        for population in guideline.populations:
            for kind, rules in (("rule", population.rules), ("remark", population.remarks)):
                for rule in rules:
                    yield _told(guideline, kind, rule)
    layers: tuple[SafetyRule | Silence, ...] = (*safety().silences, *safety().rules)
    for layer in layers:
        place = ("safety", layer.id)
        said = filled(layer.says, parameters())
        yield Told("safety", place, layer.id, said, layer.sources, layer.verified)
    for window in windows():
        does = f"{_hidden(window)} not read" if window.hides else "read with a note"
        said = f"{window.text} after {word('event', window.after)}: {does}"
        name = f"window {window.id}"
        yield Told("window", ("windows",), name, said, window.sources, window.verified)
    for code, note in templates().items():
        if note.verified:
            yield Told("note", ("note", code), code, note.text, note.sources, note.verified)


def _told(guideline: Guideline, kind: str, rule: Rule) -> Told:
    kind = {"rls": kind, "anemia": kind, "status": "statement"}.get(guideline.purpose, "remark")
    said = words_of(rule)
    return Told(
        kind,
        (guideline.id, rule.id),
        f"{guideline.id} {rule.id}",
        said,
        (rule.source,),
        rule.verified,
    )


def pages() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each page."""
    made = {
        "index": _index,
        "safety": _safety,
        "facts": _facts,
        "remarks": _remarks,
        "notes": _notes,
        "extracts": _extracts,
        "verification": _verification,
        "sources": _sources,
    }
    for name, page in made.items():
        yield f"knowledge/{name}.md", "\n".join(page())


def _index() -> Iterator[str]:
    yield from (target("knowledge"), "# Knowledge", "")
    yield f"Version {document('facts.toml').data['version']}. Everything that a clinician might"
    yield "dispute stands in `data/`; these pages are made of it."
    yield from ("", "```{toctree}", ":maxdepth: 1", "")
    yield from ("safety", "facts", "remarks", "notes", "extracts", "verification", "sources")
    yield from ("```", "")


def _safety() -> Iterator[str]:
    filed = document("safety.toml").data
    yield from (target("safety-layer"), "# The safety layer", "")
    yield "Rules over every guideline for RLS. They are laid over each cell of its table; all that"
    yield "apply speak. Stopping both routes makes every answer `withhold-iron`; stopping IV leaves"
    yield "oral iron where the source gives it. What the source itself says is always shown too."
    yield from ("", f"Covers: {condition([filed['covers']])}.", "", "## Rules", "")
    for rule, ways in zip(safety().rules, map(ways_of, filed["rule"]), strict=True):
        yield from (target("safety", rule.id), f"### {rule.id}", "")
        routes = [route(name) for name in sorted(rule.stops, reverse=True)]
        does = f"stops {listed(routes, 'and')}"
        if rule.opens:
            does = f"adds to an answer that gives iron: {options([rule.opens])}"
        yield from (f"**{sentence(does)}**", "", f"When: {condition(ways)}.", "")
        yield from _behind(rule.says, rule.sources, rule.verified)
        if rule.id in templates():
            yield from (f"Said by the note {link(f'`{rule.id}`', 'note', rule.id)}.", "")
    yield from ("## Where a source is silent", "")
    for silence, way in zip(safety().silences, filed["silence"], strict=True):
        yield from (target("safety", silence.id), f"### {silence.id}", "")
        adds = f"{options([silence.only])} alone becomes {options([silence.only, silence.adds])}"
        yield from (f"**{sentence(adds)}**", "")
        whom = f"Of a source that is silent on {silence.on}, when: {condition([way['when']])}."
        yield from (whom, "")
        yield from _behind(silence.says, silence.sources, silence.verified)


def _behind(says: str, keys: tuple[str, ...], verified: str) -> Iterator[str]:
    yield from (f"> {sentence(filled(says, parameters()))}", "")
    yield from (f"Verified: {tier(verified)}. Sources: {sources(keys)}.", "")


def _facts() -> Iterator[str]:
    yield from (target("facts"), "# Facts, parameters, windows, assumptions", "", "## Facts", "")
    yield "A yes or no made of the patient before any table is looked up."
    yield ""
    for fact in fact_tables():
        without = f" Open without {fact['open_without']}." if "open_without" in fact else ""
        yield from (
            target("fact", fact["name"]),
            f"`{fact['name']}`: yes when any of these holds.{without}",
        )
        yield from ("", *(f"- {condition([way])}" for way in fact["any"]), "")
    yield from (target("parameters"), "## Parameters", "")
    yield "Named numbers that a guideline file of one's own may change."
    yield ""
    yield from table(
        ("parameter", "value"),
        ((f"`{name}`", printed(told)) for name, told in parameters().items()),
    )
    yield from (target("windows"), "## Windows", "")
    yield "How long after an event results are not read, or are read with a note. The note has the"
    yield "sources and the tier of the window."
    yield ""
    heads = ("window", "after", "lasts", "not read", "said by", "verified", "sources")
    yield from table(heads, map(_window, windows()))
    yield from (target("assumptions"), "## Assumptions", "")
    yield "What is taken to be so when the record does not say otherwise; each answer lists them."
    yield ""
    rows = (
        (f"`{name}`", f"`{given}`", word("assumption", f"{name}={given}"))
        for name, given in assumed().items()
    )
    yield from table(("field", "assumed", "in words"), rows)
    yield from (target("words"), "## Words of the patient", "")
    yield "What a field of the patient admits, and `pregnant` where the trimester is not told."
    yield "Anything else is refused."
    yield ""
    yield from table(
        ("field", "words"), ((f"`{name}`", _codes(words)) for name, words in vocabulary().items())
    )
    yield "In a condition one word may stand for several."
    yield ""
    several = ((name, words) for (_, name), words in groups().items() if len(words) > 1)
    yield from table(
        ("word", "stands for"), ((f"`{name}`", _codes(sorted(words))) for name, words in several)
    )


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in words)


def _window(window: Window) -> tuple[str, ...]:
    saying = (link(f"`{code}`", "note", code) for code in _codes_of(window))
    return (
        window.id,
        word("event", window.after),
        window.text,
        _hidden(window) or "read, with a note",
        ", ".join(saying),
        tier(window.verified),
        sources(window.sources),
    )


def _codes_of(window: Window) -> list[str]:
    """Return the notes that a window may give rise to."""
    event = window.after.removeprefix("last_").replace("_", "-")
    codes = [window.code, f"{window.code}-undated", f"{window.code}-read", f"{event}-undated"]
    return [code for code in codes if code in templates()]


def _hidden(window: Window) -> str:
    return listed([word("analyte", name) for name in window.hides], "and")


def _remarks() -> Iterator[str]:
    yield from (target("remarks"), "# Remarks", "")
    yield "What is said of a patient whatever the guideline. Each that holds is said; none decides."
    yield ""
    for population, _, ways in conditions(remarks()):
        for rule in population.rules:
            yield from card(remarks(), rule, condition(ways[rule.id]) or "always", "##")


def _notes() -> Iterator[str]:
    """Yield every note with its words before they are filled, and what says it."""
    yield from (target("notes"), "# Notes", "")
    yield "Every sentence that an answer may hold, by its code. A name in braces is filled from"
    yield "what gave rise to the note, and its source and tier are those of what says it. A note"
    yield "with neither tells what was found in the record, or sums up what guidelines say, with"
    yield "their rules in brackets: see [their pages](#guidelines). Codes are stable; wording is"
    yield "not."
    yield ""
    saying = defaultdict(list)
    for guideline in (*map(shipped, guideline_ids()), *statuses(), remarks()):
        for rule in chain.from_iterable((*p.rules, *p.remarks) for p in guideline.populations):
            for code in filter(None, (rule.note, rule.then)):
                saying[code].append(link(f"{guideline.id} {rule.id}", guideline.id, rule.id))
    for layer in safety().rules:
        saying[layer.id].append(link(layer.id, "safety", layer.id))
        if layer.stops:
            saying["not-excluded"].append(link(layer.id, "safety", layer.id))
    saying["rls-not-confirmed"].append(link("the safety layer", "safety-layer"))
    for window in windows():
        for code in _codes_of(window):
            saying[code].append(link(f"window {window.id}", "windows"))
    for code, note in templates().items():
        yield from (target("note", code), f"## {code}", "", f"> {plain(note.text)}", "")
        told = [f"Category: {note.category}. Severity: {note.severity}."]
        told += [f"Verified: {tier(note.verified)}."] if note.verified else []
        told += [f"Sources: {sources(note.sources)}."] if note.sources else []
        told += [f"Said by: {', '.join(saying[code])}."] if code in saying else []
        if code == "borderline":
            told += list(_variations())
        yield from (" ".join(told), "")


def _extracts() -> Iterator[str]:
    """Yield the codes of tests, the words of a status, and the reasons to leave a row out."""
    codes, said = document("analytes.toml").data, document("extracts.toml").data
    yield from (target("long-extracts"), "# Long extracts", "")
    yield "What is known of the rows of a long extract. Codes are stable; wording is not."
    yield from ("", "## Codes that are read", "")
    remarked = {code: f" ({text})" for code, text in codes["loinc"]["remarks"].items()}
    for one in analytes().values():
        loinc = [f"{code}{remarked.get(code, '')}" for code in one.loinc]
        in_percent = codes["omop"]["needs_percent"].get(one.name, [])
        omop = [*map(str, one.omop), *(f"{code} (only in %)" for code in in_percent)]
        told = f"LOINC {listed(loinc, 'or')}. OMOP {listed(omop, 'or')}."
        yield from (f"**{one.title}**: {told}", "")
    yield from ("## Codes that are none of them", "")
    yield from table(("LOINC", "is"), codes["loinc"]["never"].items())
    names = codes["names"]
    yield "Nothing is known by its name. Names that hold one of these are refused even as your own:"
    yield f"{listed(names['never'], 'or')}. Ambiguous: {listed(names['ambiguous'], 'or')}."
    yield from ("", "## What a status says", "")
    words = ((kind, ", ".join(words)) for kind, words in said["status"].items())
    yield from table(("read as", "HL7 v2 and FHIR, in lower case"), words)
    for kind, head in (("left_out", "Why a row is left out"), ("doubted", "Why a row is doubted")):
        yield from (f"## {head}", "")
        rows = ((f"`{code}`", plain(text)) for code, text in said[kind].items())
        yield from table(("reason", "the row"), rows)


def _variations() -> Iterator[str]:
    """Yield how much each analyte varies within a person, and how that is known."""
    for name, known in analytes().items():
        if known.variation:
            yield f"Variation of {word('analyte', name)}: {known.variation.percent:g} %."
            yield f"Verified: {tier(known.variation.verified)}."
            yield f"Sources: {sources([known.variation.source])}."


def _verification() -> Iterator[str]:
    """Yield everything by tier, the weakest first."""
    every = list(everything())
    yield from (target("verification"), "# What nobody has verified", "")
    yield "Everything that the library may say, by how well the text behind it was verified, the"
    yield f"weakest first. Clinicians who reviewed it: {_reviewers()}. A name in braces is filled"
    yield "from what gave rise to the sentence. [Facts and parameters](facts.md) have no tier of"
    yield "their own."
    yield ""
    kinds = list(dict.fromkeys(one.kind for one in every))
    counts = (
        (tier(verified), *(str(_count(every, verified, kind)) for kind in kinds))
        for verified in reversed(TIERS)
    )
    yield from table(
        ("tier", *(f"{kind}s" if kind != "safety" else kind for kind in kinds)), counts
    )
    for verified in reversed(TIERS):
        yield from (target("verified", verified), f"## {verified.capitalize()}", "")
        yield from (f"[What this tier means](#{'tier-' + verified}).", "")
        rows = (
            (link(one.name, *one.place), one.kind, plain(one.says), _entries(one.cited))
            for one in every
            if one.verified == verified
        )
        yield from table(("what", "kind", "says", "source"), rows)


def _reviewers() -> str:
    files = (*map(shipped, guideline_ids()), *statuses(), remarks())
    return ", ".join({name: "" for file in files for name in file.reviewed_by}) or "none"


def _count(every: list[Told], verified: str, kind: str) -> int:
    return sum(one.verified == verified and one.kind == kind for one in every)


def _entries(keys: tuple[str, ...]) -> str:
    return ", ".join(link(key, "source", key) for key in keys)


def _sources() -> Iterator[str]:
    yield from (target("sources"), "# Sources", "")
    citing = defaultdict(list)
    for one in everything():
        for key in one.cited:
            citing[key].append(link(one.name, *one.place))
    for key, source in document("sources.toml").data.items():
        yield from (target("source", key), f"## {key}", "", plain(source["citation"]), "")
        found = [*papers(key), *([f"ISBN {source['isbn']}"] if "isbn" in source else [])]
        if found:
            yield from (", ".join(found), "")
        if key in citing:
            yield from (f"Cited by: {', '.join(citing[key])}.", "")
