"""The commands that prove: `guideline check`, and `guideline diff`."""

from collections.abc import Iterator, Sequence
from inspect import Parameter
from typing import TYPE_CHECKING, Any

from rlsiron.catalog import guideline_files, guideline_ids, status_ids
from rlsiron.command import DONE, Command, argument, as_json, option, verified_only
from rlsiron.conditions import printed
from rlsiron.errors import GuidelineError
from rlsiron.grammar import in_use
from rlsiron.guideline import Guideline, facts, safety
from rlsiron.guideline_commands import about, changed_parameters, found, purpose, reviewers, tiers
from rlsiron.report import Answer, Grid, Line, json_text, write
from rlsiron.units import analytes
from rlsiron.wording import listed, options, word

if TYPE_CHECKING:
    from rlsiron.difference import Difference
    from rlsiron.proof import Proof

_MOST_ROWS = 20
_YES_NO = {"True": "yes", "False": "no"}
_OWN_FACTS = "A fact with a parameter behind its name is as the file with that parameter makes it."

_HELP_CHECK = (
    "Check a guideline file, or each file of a folder, and say what was proven of it.\n\n"
    "That every case has an answer, that no rule is dead and no population without a patient, "
    "with every rule and without the unverified ones. A fault is told with its line and the way "
    "out, and nothing is printed of the files beside it."
)
_HELP_DIFF = (
    "Say where two guidelines differ, or two versions of one.\n\n"
    "Compared is the answer of every cell of both tables, by each one's own text and after safety, "
    "not how a rule is worded, graded or verified. Cells that differ alike are one region."
)


def _check_options() -> Iterator[Parameter]:
    yield argument("name", f"{listed(guideline_ids(), 'or')}, or a file, or a folder of files.")
    yield as_json()


def _check(*, name: str, json: bool) -> int:
    proofs = _proofs(name)
    if json:
        write(json_text([_proven(proof) for proof in proofs]))
        return DONE
    lines: list[Line | Grid] = []
    for proof in proofs:
        lines += [Line("")] if lines else []
        lines += _certificate(proof)
    write(lines)
    return DONE


def _proofs(name: str) -> list["Proof"]:
    """Return what was proven of each file; the faults of all of them are one error."""
    from rlsiron.proof import check_guideline  # with numpy

    proofs: list[Proof] = []
    faults: list[str] = []
    for given in guideline_files(name):
        try:
            proofs.append(check_guideline(found(name) if name in status_ids() else given))
        except GuidelineError as fault:
            faults.append(str(fault))
    files: dict[str, str] = {}
    for proof in proofs:
        own = proof.guideline
        if own.id in files:
            first = files[own.id]
            faults.append(f"{own.document.name} has the id {own.id!r} of {first}; give it its own")
        files[own.id] = own.document.name
    if faults:
        raise GuidelineError("\n".join(faults))
    return proofs


def _proven(proof: "Proof") -> dict[str, Any]:
    """Return what was proven as a program reads it."""
    guideline = proof.guideline
    return {
        "file": guideline.document.name,
        "modified_from": guideline.extends,
        **about(guideline),
        "rules": proof.rules,
        "covered": proof.covered,
        "open_cells": proof.open_cells,
        "open_after_safety": proof.open_after,
        "open": [opening._asdict() for opening in proof.openings],
        "parameters": _parameters(guideline),
        "changed_parameters": dict(guideline.parameters),
    }


def _parameters(guideline: Guideline) -> dict[str, str]:
    """Return the named numbers in use; no ceiling lies over a guideline of another purpose."""
    capped = guideline.purpose == safety().purpose
    every = in_use(guideline.parameters).items()
    return {name: value for name, value in every if capped or not name.endswith("_ceiling")}


def _certificate(proof: "Proof") -> Iterator[Line | Grid]:
    """Yield what was proven as a person reads it."""
    guideline, told = proof.guideline, about(proof.guideline)
    yield Line(f"{guideline.title} ({guideline.id})", "bold")
    yield Line(
        f"File {guideline.document.name}. Purpose: {purpose(told)}. Version {guideline.version}, "
        f"reviewed by {reviewers(told)}."
    )
    yield Line(
        f"Proven: an answer in each of the {proof.covered} cells that it speaks of, of "
        f"{proof.cells}. Each of its rules ({proof.rules}) decides some, each of its populations "
        f"({', '.join(told['populations'])}) has patients."
    )
    yield Line(f"Rules: {tiers(told)}.")
    used = (f"{name} {printed(value)}" for name, value in _parameters(guideline).items())
    yield Line(f"Parameters in use: {', '.join(used)}.")
    if guideline.parameters:
        yield Line(f"Changed: {changed_parameters(guideline)}.")
    if not proof.openings:
        yield Line("Open: nothing; each covered cell has one answer, before safety and after it.")
        return
    yield Line(
        f"Open, with more than one answer: {proof.open_cells} cells before safety, "
        f"{proof.open_after} after it."
    )
    rows = [(one.id, str(one.cells), str(one.after), one.why) for one in proof.openings]
    yield Grid(("by", "before", "after", "why"), rows, frozenset({1, 2}))


def _diff_options() -> Iterator[Parameter]:
    yield argument("one", f"{listed(guideline_ids(), 'or')}, or a file.")
    yield argument("other", "Another of these, or a second version of the same file.")
    yield verified_only()
    most = f"Print every region, not the first {_MOST_ROWS} alone."
    yield option("every", bool, "--all", default=False, help=most)
    yield as_json(about="Print JSON, with every region.")


def _diff(*, one: str, other: str, strict: bool, every: bool, json: bool) -> int:
    from rlsiron.difference import differences, extent  # with numpy

    pair = found(one), found(other)
    regions = sorted(differences(*pair, strict=strict), key=_weight)
    plane = extent(*pair, strict=strict)
    if json:
        told = {
            "one": _named(pair[0]),
            "other": _named(pair[1]),
            "strict": strict,
            "extent": plane,
            "differences": [region._asdict() for region in regions],
        }
        write(json_text(told))
    else:
        write(_compared(pair, regions, plane, most=len(regions) if every else _MOST_ROWS))
    return DONE


def _weight(region: "Difference") -> tuple[bool, int]:
    """Return what sorts regions: first those that safety does not even out, then by size."""
    one, other = region.possible
    return one == other, -region.cells


def _named(guideline: Guideline) -> dict[str, str]:
    """Return which guideline it is, where two may have one id."""
    return {
        "file": guideline.document.name,
        "id": guideline.id,
        "title": guideline.title,
        "purpose": guideline.purpose,
        "version": guideline.version,
    }


def _compared(
    pair: tuple[Guideline, Guideline],
    regions: Sequence["Difference"],
    plane: Sequence[tuple[str, ...]],
    *,
    most: int,
) -> Answer:
    """Return the regions as a table, with what each of the two says."""
    lines: list[Line | Grid] = [
        Line(
            f"{letter}: {own.title} ({own.id}), purpose {own.purpose}, version {own.version}, "
            f"{own.document.name}"
        )
        for letter, own in zip("AB", pair, strict=True)
    ]
    if not regions:
        return [*lines, Line("No difference: both give the same answer in every cell.")]
    cells = sum(region.cells for region in regions)
    lines += [
        Line(
            f"Regions that differ: {len(regions)}, with {cells} cells; first where the answers "
            "differ after safety too, the largest first."
        ),
        Line(f"By ferritin and TSAT, after safety: {_extent(plane)}."),
        Line("In an interval [ and ] include the limit, ( and ) do not."),
        *([Line(_OWN_FACTS)] if _has_own_fact(pair, regions) else ()),
        Line(""),
        Grid(
            ("where", "A says", "B says", "cells"),
            [_row(region) for region in regions[:most]],
            frozenset({3}),
        ),
    ]
    if regions[most:]:
        lines.append(Line(f"{len(regions) - most} more regions are not shown; --all has them."))
    return lines


def _extent(plane: Sequence[tuple[str, ...]]) -> str:
    """Return where on the plane of ferritin and TSAT two differ, for some patient or other."""
    if not plane:
        return "nowhere"
    return "; ".join(" and ".join(map(_region, where)) or "everywhere" for where in plane)


def _has_own_fact(pair: tuple[Guideline, Guideline], regions: Sequence["Difference"]) -> bool:
    """Whether some region is told by a fact that a parameter of one file changed."""
    named = {fact.name for own in pair for fact in facts(own.parameters).values()}
    told = {part.rpartition(" ")[0] for region in regions for part in region.where}
    return not told.isdisjoint(named - facts().keys())


def _row(region: "Difference") -> tuple[str, ...]:
    said = zip(region.criterion, region.possible, strict=True)
    where = ", ".join(map(_region, region.where)) or "everywhere"
    return (where, *(_said(*each) for each in said), str(region.cells))


def _region(part: str) -> str:
    """Return an axis of a region in the words of the clinic."""
    fact, _, answer = part.rpartition(" ")
    if answer in _YES_NO:
        return f"{fact} {_YES_NO[answer]}"
    name, _, rest = part.partition(" ")
    return f"{word('analyte', name) if name in analytes() else name} {printed(rest)}"


def _said(criterion: tuple[str, ...], possible: tuple[str, ...]) -> str:
    """Return an answer, and what safety leaves of it where that is another."""
    own = options(criterion)
    return own if criterion == possible else f"{own}; after safety {options(possible)}"


CHECK = Command(
    "guideline check",
    _HELP_CHECK,
    _check,
    _check_options,
    examples=(
        "rlsiron guideline check aasm-2025",
        "rlsiron guideline check our-clinic.toml",
        "rlsiron guideline check protocols --json",
    ),
)
DIFF = Command(
    "guideline diff",
    _HELP_DIFF,
    _diff,
    _diff_options,
    examples=(
        "rlsiron guideline diff aan-2016 nice-cks",
        "rlsiron guideline diff aasm-2025 our-clinic.toml --all",
        "rlsiron guideline diff aasm-2025 irlssg-2018 --verified-only --json",
    ),
)
