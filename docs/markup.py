"""The Markdown that pages share: targets, links that are checked, tables, and a rule as a card."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rlsiron.catalog import document
from rlsiron.conditions import Way, in_words, parameters, printed
from rlsiron.grammar import fact_tables
from rlsiron.guideline import Guideline, Rule
from rlsiron.wording import options, templates, word

_SPECIAL = str.maketrans({"|": "\\|", "<": "&lt;", "*": "\\*", "[": "\\[", "{": "\\{"})


def plain(text: str) -> str:
    """Return a text that Markdown sets as it is."""
    return text.translate(_SPECIAL)


def sentence(text: str) -> str:
    """Return a text with a capital and a full stop."""
    text = text[:1].upper() + text[1:]
    return plain(text if text.endswith((".", "?")) else f"{text}.")


def condition(ways: Sequence[Way], guideline: Guideline | None = None) -> str:
    """Return a condition in words, each fact with a link to what makes it true; or nothing."""
    names = "|".join(fact["name"] for fact in fact_tables())
    said = plain(in_words(ways, parameters(guideline)))
    fact = link(r"\1", "fact", r"\1")
    return re.sub(rf"\b({names})(?= (?:yes|no)\b)", fact, said)


def filled(text: str, known: Mapping[str, str]) -> str:
    """Return a text with those of its names in braces that are known filled."""
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", printed(value))
    return text


def words_of(rule: Rule) -> str:
    """Return what a rule or a remark says: its own sentence, else that of its note."""
    return rule.says or filled(templates()[rule.note].text, dict(rule.values))


def label(*parts: str) -> str:
    """Return the name of a target, which is also its id in the page.

    Examples
    --------
    >>> label("aasm-2025", "AA-2")
    'aasm-2025-aa-2'
    """
    return "-".join(parts).lower().replace(" ", "-").replace(",", "")


def target(*parts: str) -> str:
    """Return the mark of a target, to stand before a heading or a paragraph."""
    return f"({label(*parts)})="


def link(text: str, *parts: str) -> str:
    """Return a link to a target on any page; one that is not there fails the build."""
    return f"[{text}](#{label(*parts)})"


def tier(verified: str) -> str:
    """Return a tier with a link to what it means."""
    return link(verified, "tier", verified)


def sources(keys: Iterable[str]) -> str:
    """Return sources with links to their entries, and to the papers."""
    return "; ".join(
        ", ".join([link(key, "source", key), *papers(key)]) for key in dict.fromkeys(keys)
    )


def papers(key: str) -> Iterator[str]:
    """Yield links to where a source is published."""
    known = document("sources.toml").data[key]
    if "doi" in known:
        yield f"[doi:{known['doi']}](https://doi.org/{known['doi']})"
    if "pmid" in known:
        yield f"[PubMed {known['pmid']}](https://pubmed.ncbi.nlm.nih.gov/{known['pmid']}/)"


def route(name: str) -> str:
    """Return a route of iron in words."""
    return word("disposition", f"{name}-iron")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table of Markdown."""
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def card(
    guideline: Guideline, rule: Rule, when: str, heading: str = "###", *, decides: bool = False
) -> Iterator[str]:
    """Yield a rule, a statement or a remark with all that stands behind it.

    Parameters
    ----------
    guideline
        Its file.
    rule
        What is told.
    when
        Its condition, in words.
    heading
        The mark of its heading.
    decides
        Whether the first rule that matches decides, so that the order counts.
    """
    yield from (target(guideline.id, rule.id), f"{heading} {rule.id}", "")
    if decides:
        yield from (f"**{sentence(options(rule.disposition))}**", "")
    yield from (f"When: {when}.", "")
    yield from (f"> {sentence(words_of(rule))}", "")
    if rule.why:
        yield from (f"Left open: {plain(rule.why)}.", "")
    yield from _said_by(rule)
    grades = [("Strength", rule.strength), ("Certainty", rule.certainty)]
    told = [f"{name}: {plain(grade)}." for name, grade in grades if grade]
    told += [f"Verified: {tier(rule.verified)}.", f"Source: {sources([rule.source])}."]
    yield from (" ".join(told), "")


def _said_by(rule: Rule) -> Iterator[str]:
    """Yield which notes say a statement, and where it must be given to be said."""
    codes = [code for code in (rule.note, rule.then) if code in templates()]
    told = [f"Said by the note {link(f'`{code}`', 'note', code)}." for code in codes]
    if rule.route:
        told.append(f"Only where an answer speaks of {route(rule.route)}.")
    if rule.unless:
        told.append(f"Only where the {rule.unless} is not told.")
    if told:
        yield from (" ".join(told), "")
