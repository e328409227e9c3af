"""The commands on guidelines: `guideline list` and `guideline show`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from inspect import Parameter
from typing import TYPE_CHECKING, Any

from rlsiron.catalog import document, guideline_document, guideline_ids, status_ids
from rlsiron.command import DONE, Command, argument, as_json
from rlsiron.conditions import conditions, in_words, parameters, printed
from rlsiron.errors import GuidelineError, did_you_mean, shown
from rlsiron.grammar import TIERS, fact_tables, in_use
from rlsiron.guideline import Guideline, Rule, by_its_own_name, parse_guideline, shipped, statuses
from rlsiron.report import Answer, Grid, Line, json_text, write
from rlsiron.wording import listed, options

if TYPE_CHECKING:
    from rlsiron.table import Grid as Compiled

_HELP_LIST = (
    "List the guidelines, and the files on general iron status.\n\n"
    "Every one with its purpose, its version, how many kinds of patients it tells apart, how well "
    "its rules are verified, and who reviewed it."
)
_HELP_SHOW = (
    "Show the rules of a guideline, in order, as its file has them.\n\n"
    "In each population the first rule that matches decides; in a file on general iron status "
    "every rule that holds says so."
)


def _list_options() -> Iterator[Parameter]:
    yield as_json()


def _list(*, json: bool) -> int:
    every = [*map(shipped, guideline_ids()), *statuses()]
    told = [about(guideline) for guideline in every]
    if json:
        write(json_text(told))
        return DONE
    heads = ("id", "title", "purpose", "version", "populations", "cells", "rules", "reviewed by")
    write([Grid(heads, [_listed(one) for one in told], frozenset({4, 5}))])
    return DONE


def _listed(told: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a row of the list."""
    return (
        told["id"],
        told["title"],
        purpose(told),
        told["version"],
        str(len(told["populations"])),
        str(told["cells"]),
        tiers(told),
        reviewers(told),
    )


def about(guideline: Guideline) -> dict[str, Any]:
    """Return what is so of a guideline as a whole."""
    counts = Counter(rule.verified for rule in guideline.rules)
    return {
        "id": guideline.id,
        "title": guideline.title,
        "purpose": guideline.purpose,
        "about": guideline.about,
        "version": guideline.version,
        "populations": [population.name for population in guideline.populations],
        "cells": _compiled(guideline).cells,
        "tiers": {tier: counts[tier] for tier in TIERS if counts[tier]},
        "silent_on": sorted(guideline.silent_on),
        "reviewed_by": list(guideline.reviewed_by),
    }


def _compiled(guideline: Guideline) -> "Compiled":
    from rlsiron.compiler import compile_status, compile_table  # with numpy

    return (compile_status if guideline.purpose == "status" else compile_table)(guideline)


def purpose(told: Mapping[str, Any]) -> str:
    """Return the purpose, and the label of a file on general iron status."""
    return ": ".join(filter(None, (told["purpose"], told["about"])))


def tiers(told: Mapping[str, Any]) -> str:
    """Return how many rules have which tier."""
    return ", ".join(f"{count} {tier}" for tier, count in told["tiers"].items())


def reviewers(told: Mapping[str, Any]) -> str:
    """Return who reviewed the file."""
    return ", ".join(told["reviewed_by"]) or "nobody"


def changed_parameters(guideline: Guideline) -> str:
    """Return the named numbers that a file changes, each with what it is elsewhere."""
    before = in_use(())
    return ", ".join(
        f"{name} {printed(value)} in place of {printed(before[name])}"
        for name, value in guideline.parameters
    )


def _show_options() -> Iterator[Parameter]:
    yield argument("name", f"{listed([*guideline_ids(), *status_ids()], 'or')}, or a file.")
    yield as_json()


def _show(*, name: str, json: bool) -> int:
    guideline = found(name)
    if name not in (*guideline_ids(), *status_ids()):
        by_its_own_name(guideline)
    told = about(guideline)
    told["populations"] = [
        {
            "name": population.name,
            "applies": applies,
            "rules": [_told(rule, ways[rule.id]) for rule in population.rules],
        }
        for population, applies, ways in conditions(guideline)
    ]
    told["parameters"] = parameters(guideline)
    cited = (guideline.document.data["source"], *(rule.source for rule in guideline.rules))
    known = document("sources.toml").data
    told["sources"] = {key: known[key] for key in dict.fromkeys(cited) if key in known}
    write(json_text(told) if json else _drawn(guideline, told))
    return DONE


def _told(rule: Rule, ways: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a rule as a program reads it: it matches where all of any of `when` holds."""
    return {
        "id": rule.id,
        "when": ways,
        "disposition": list(rule.disposition),
        "says": rule.says,
        "why": rule.why,
        "strength": rule.strength,
        "certainty": rule.certainty,
        "verified": rule.verified,
        "source": rule.source,
    }


def found(name: str) -> Guideline:
    """Return a guideline, or a file on general iron status, by its id or path."""
    if name in status_ids():
        return next(status for status in statuses() if status.id == name)
    if name in guideline_ids():
        return shipped(name)
    if not name.endswith(".toml"):
        hint = did_you_mean(name, (*guideline_ids(), *status_ids()))
        raise GuidelineError(f"unknown guideline {shown(name)}{hint}")
    return parse_guideline(guideline_document(name))


def _drawn(guideline: Guideline, told: Mapping[str, Any]) -> Answer:
    """Return the tables of a guideline as one draws them."""
    lines: list[Line | Grid] = [
        Line(f"{guideline.title} ({guideline.id})", "bold"),
        Line(
            f"Purpose: {purpose(told)}. Version {guideline.version}, reviewed by "
            f"{reviewers(told)}. Rules: {tiers(told)}. Cells of its table: {told['cells']}."
        ),
    ]
    if guideline.parameters:
        lines.append(Line(f"Parameters: {changed_parameters(guideline)}."))
    if told["silent_on"]:
        lines.append(Line(f"Silent on: {', '.join(told['silent_on'])}."))
    decides, known = guideline.purpose != "status", parameters(guideline)
    said = ("answer", "strength", "certainty") if decides else ("statement",)
    for population, applies, ways in conditions(guideline):
        rows = [
            (
                rule.id,
                in_words(ways[rule.id], known) or ("in all other cases" if at else "always"),
                *(_decided(rule) if decides else (rule.says,)),
                rule.verified,
                rule.source,
            )
            for at, rule in enumerate(population.rules)
        ]
        whom = in_words([applies], known) or "every patient"
        lines += [Line(""), Line(f"{population.name}: {whom}", "bold")]
        lines.append(Grid(("rule", "when", *said, "verified", "source"), rows))
    return [*lines, Line(""), *_footnotes(guideline, told)]


def _decided(rule: Rule) -> tuple[str, ...]:
    return options(rule.disposition), rule.strength, rule.certainty


def _footnotes(guideline: Guideline, told: Mapping[str, Any]) -> Iterator[Line]:
    """Yield why rules leave more than one answer, what the facts are, and the citations."""
    for rule in guideline.rules:
        if rule.why:
            yield Line(f"{rule.id}: {rule.why}.")
    filed = [rule["when"] for part in told["populations"] for rule in part["rules"]]
    named = {name for ways in filed for way in ways for name in way}
    named |= {name for part in told["populations"] for name in part["applies"]}
    for fact in fact_tables():
        if fact["name"] in named:
            yield Line(f"{fact['name']}: {in_words(fact['any'], parameters(guideline))}.")
    for key, source in told["sources"].items():
        numbers = [f"{name}:{source[name]}" for name in ("doi", "pmid") if name in source]
        yield Line(f"{key}: {' '.join([source['citation'], *numbers])}")


LIST = Command(
    "guideline list",
    _HELP_LIST,
    _list,
    _list_options,
    examples=("rlsiron guideline list", "rlsiron guideline list --json"),
)
SHOW = Command(
    "guideline show",
    _HELP_SHOW,
    _show,
    _show_options,
    examples=(
        "rlsiron guideline show aasm-2025",
        "rlsiron guideline show who-2020 --json",
    ),
)
