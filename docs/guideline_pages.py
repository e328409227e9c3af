"""The pages of the guidelines: their rules in order, and their tables drawn."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape

from guarantees import deciding, proven
from markup import card, condition, label, link, plain, sentence, sources, table, target, tier
from plane import (
    Plane,
    after_safety,
    between,
    blocks,
    criterion,
    decided_by,
    legend,
    others,
    patients,
    patients_of,
    plane,
    svg,
)
from rlsiron.catalog import document, guideline_ids
from rlsiron.compiler import compile_table
from rlsiron.conditions import conditions, in_words
from rlsiron.facts import assumed
from rlsiron.grammar import TIERS, Limits, Reader
from rlsiron.guideline import Guideline, Population, Rule, safety, shipped, statuses
from rlsiron.proof import check_guideline
from rlsiron.wording import listed, options, word


def pages() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each page."""
    guidelines = [shipped(id_) for id_ in guideline_ids()]
    yield "guidelines/index.md", "\n".join(_index(guidelines))
    yield "guidelines/side-by-side.md", "\n".join(_side_by_side(guidelines))
    for guideline in (*guidelines, *statuses()):
        yield f"guidelines/{guideline.id}.md", "\n".join(_page(guideline))


def _index(guidelines: list[Guideline]) -> Iterator[str]:
    yield from (target("guidelines"), "# Guidelines", "")
    yield "A page for each file of rules: whom it speaks of, its rules in order, their sources and"
    yield "[tiers](#tiers), and its table drawn. These pages are made of the files themselves."
    yield from ("", "## What to do", "")
    yield from _listed(guidelines)
    yield from ("[All guidelines for RLS side by side](side-by-side.md).", "")
    yield from ("## General iron status", "")
    yield "What holds of the iron status in general; by itself never a reason to give iron for RLS."
    yield ""
    yield from _listed(statuses())
    yield from ("```{toctree}", ":hidden:", "", "side-by-side")
    yield from (one.id for one in (*guidelines, *statuses()))
    yield "```"


def _listed(guidelines: Iterable[Guideline]) -> Iterator[str]:
    heads = ("guideline", "purpose", "populations", "rules", "weakest tier", "reviewed by")
    rows = []
    for one in guidelines:
        populations = ", ".join(population.name for population in one.populations)
        tiers = [rule.verified for rule in one.rules]
        rows.append(
            (
                f"[{plain(one.title)}]({one.id}.md)",
                one.about or one.purpose,
                populations,
                str(len(one.rules)),
                tier(max(tiers, key=TIERS.index)),
                _reviewers(one),
            )
        )
    yield from table(heads, rows)


def _reviewers(guideline: Guideline) -> str:
    return ", ".join(guideline.reviewed_by) or "nobody"


def _page(guideline: Guideline) -> Iterator[str]:
    decides = guideline.purpose != "status"
    yield from (target("guideline", guideline.id), f"# {plain(guideline.title)}", "")
    yield f"Purpose: {plain(guideline.about or guideline.purpose)}. Version {guideline.version}."
    yield f"Reviewed by {_reviewers(guideline)}. Source: {sources([guideline.source])}."
    yield ""
    if not decides:
        yield "Every statement that holds is told. By itself none is a reason to give iron for RLS."
        yield ""
    else:
        yield from (legend(), "")
    for population, applies, ways in conditions(guideline):
        yield from (target("population", guideline.id, population.name),)
        yield from (f"## {sentence(population.name).rstrip('.')}", "")
        whom = condition([applies], guideline) or "every patient"
        yield from (f"Speaks of: {whom}.", "")
        said = {id_: condition(way, guideline) for id_, way in ways.items()}
        if decides:
            yield from _drawn(guideline, population)
            yield from _order(guideline, population, said)
        for rule in population.rules:
            yield from card(guideline, rule, _when(population, rule, said), decides=decides)
        if population.remarks:
            yield from (f"### Remarks on {population.name}", "", "They decide nothing.", "")
        for remark in population.remarks:
            yield from card(guideline, remark, said[remark.id] or "always", "####")
    if decides:
        yield from _open(guideline)
    yield from proven(guideline)


def _when(population: Population, rule: Rule, said: Mapping[str, str]) -> str:
    rest = "always" if rule is population.rules[0] else "in all other cases"
    return said[rule.id] or rest


def _order(guideline: Guideline, population: Population, said: Mapping[str, str]) -> Iterator[str]:
    yield from ("In order; the first rule that matches decides.", "")
    cells = deciding(guideline)
    rows = (
        (
            link(rule.id, guideline.id, rule.id),
            _when(population, rule, said),
            options(rule.disposition),
            tier(rule.verified),
            str(cells[rule.id]),
        )
        for rule in population.rules
    )
    yield from table(("rule", "when", "answer", "verified", "cells"), rows)


def _open(guideline: Guideline) -> Iterator[str]:
    """Yield where a source is silent or contradicts itself, or safety opens what it says."""
    yield from (target("open", guideline.id), "## What is left open, and why", "")
    openings = check_guideline(guideline).openings
    if openings:
        yield "Cells with more than one answer, by what leaves them open: before the safety layer,"
        yield "and after it."
        yield ""
        rows = (
            (*_opening(guideline, one.id), str(one.cells), str(one.after), plain(one.why))
            for one in openings
        )
        yield from table(("by", "leaves", "before", "after", "since"), rows)
    for silence in safety().silences:
        if silence.on in guideline.silent_on and silence.id not in {one.id for one in openings}:
            where = link(silence.id, "safety", silence.id)
            yield f"- Silent on {silence.on}, {where}, which opens none of its cells."
    told = {silence.on for silence in safety().silences}
    for whom in sorted(guideline.silent_on - told):
        note = link("a caution", "note", f"silent-on-{whom}")
        yield f"- Silent on {whom}: the table for the other patients applies, with {note}."
    if not openings and not guideline.silent_on:
        yield "Nothing: each of its cells has one answer."
    yield ""


def _opening(guideline: Guideline, id_: str) -> tuple[str, str]:
    """Return a link to what leaves cells open, and between what."""
    left = {rule.id: rule.disposition for rule in guideline.rules}
    if id_ in left:
        return link(id_, guideline.id, id_), options(left[id_])
    left = {hush.id: (hush.only, hush.adds) for hush in safety().silences}
    told = options(left[id_]) if id_ in left else f"also {_opened(id_)}"
    return link(id_, "safety", id_), told


def _opened(id_: str) -> str:
    return options([rule.opens for rule in safety().rules if rule.id == id_])


def _drawn(guideline: Guideline, population: Population) -> Iterator[str]:
    """Yield the planes of a population: of one of whom nothing else is told, and of others."""
    made = compile_table(guideline)
    yield from (*_planes(guideline, plane([made], patients_of(made, population))), "")
    yield "Not to scale; each tick is a printed limit, and belongs to the side that its sign names."
    yield f"Where the record says nothing else: {_assumptions(population.applies)}."
    changed = list(others(made, population))
    if changed:
        yield "Below, what changes the picture, among them [facts](#facts) of the patient."
    yield ""
    for name, words, drawn in changed:
        given = True in words if words <= {True, False} else sorted(words)
        yield "<details><summary>"
        yield f"With {escape(in_words([{name: given}], {}))}</summary>"
        yield from (*_planes(guideline, drawn), "</details>", "")


def _assumptions(whom: Limits) -> str:
    told = dict(whom.axes)
    said = [
        word("assumption", f"{name}={given}")
        for name, given in assumed().items()
        if name not in told
    ]
    return listed(said, "and")


def _planes(guideline: Guideline, drawn: Plane) -> Iterator[str]:
    yield '<div class="planes">'
    whole = [("What the source says", criterion)]
    if guideline.purpose == safety().purpose:
        whole.append(("After safety", after_safety))
    for caption, saying in whole:
        yield f"<figure><figcaption>{caption}</figcaption>"
        yield svg(drawn, drawn.said(saying), anchor(guideline))
        yield "</figure>"
    yield "</div>"


def anchor(guideline: Guideline) -> Callable[[str], str]:
    """Return what says where a rule stands: of a guideline or of the safety layer, by its id."""
    own = {rule.id for rule in guideline.rules}

    def where(rule: str) -> str:
        if rule in own:
            return f"{guideline.id}.html#{label(guideline.id, rule)}"
        return f"../knowledge/safety.html#{label('safety', rule)}"

    return where


def _side_by_side(guidelines: list[Guideline]) -> Iterator[str]:
    """Yield what every guideline for RLS says of an adult, on one grid."""
    adult = Reader(document("facts.toml")).limits({"age": ">= child_below"})
    every = [one for one in guidelines if one.purpose == safety().purpose]
    shown = [one for one in every if decided_by(plane([compile_table(one)], patients(adult)))]
    drawn = plane([compile_table(one) for one in shown], patients(adult))
    yield from (target("side-by-side"), "# RLS guidelines side by side", "")
    yield f"An adult of whom the record says nothing else: {_assumptions(adult)}. After safety. All"
    yield "pictures have one grid, so that the same place is the same patient."
    yield from ("", legend(), "", '<div class="planes">')
    for at, one in enumerate(shown):
        page = f'<a href="{one.id}.html">{escape(one.title)}</a>'
        yield f"<figure><figcaption>{page}</figcaption>"
        yield from (svg(drawn, drawn.said(after_safety, at), anchor(one)), "</figure>")
    yield from ("</div>", "", "## In words", "")
    heads = ("ferritin, µg/L", "TSAT, %", *(f"[{plain(one.title)}]({one.id}.md)" for one in shown))
    yield from table(heads, _compared(drawn))
    silent = [f"[{plain(one.title)}]({one.id}.md)" for one in every if one not in shown]
    if silent:
        yield f"Of this adult does not speak: {listed(silent, 'and')}."


def _compared(drawn: Plane) -> Iterator[tuple[str, ...]]:
    """Yield a row for each piece of the plane, with what each guideline says."""
    said = [[tuple(cell.possible for cell in cells) for cells in row] for row in drawn.cells]
    for block in blocks(said):
        yield (
            plain(between(drawn.ferritin, block.low, block.high)),
            plain(between(drawn.tsat, block.left, block.right)),
            *map(options, block.held),
        )
