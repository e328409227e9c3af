"""What `table` tells at its end: how many rows have which answer, and what was not read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rlsiron.guideline import Guideline
from rlsiron.models import Disposition
from rlsiron.report import Answer, Grid, Line
from rlsiron.wording import phrase, word

if TYPE_CHECKING:
    from rlsiron.archive import Done
    from rlsiron.tally import Tally

_KINDS_SHOWN = 10


def summary(done: "Done", guidelines: tuple[Guideline, ...], place: str) -> Answer:
    """Return the summary as lines and tables; `place` is what a row is found by."""
    tally, plan = done.tally, done.plan
    lines: list[Line | Grid] = [
        Line(f"Rows: {tally.rows}; with something that could not be read: {tally.unreadable}."),
    ]
    if done.parts:
        lines.append(Line(f"Parts: {done.parts}; there before: {done.parts_before}."))
    lines += [
        Line(""),
        Grid(
            ("guideline", "answer", "rows", "share"),
            [
                (guideline.title, word("disposition", code), str(count), _share(count, tally.rows))
                for guideline in guidelines
                for code, count in _counts(tally, guideline).items()
            ],
            frozenset({2, 3}),
        ),
    ]
    if tally.problems:
        lines += [Line(""), *_problems(tally, place)]
    read = (name if name == label else f"{name} from {label}" for name, label in plan.read.items())
    lines += [Line(""), Line(f"Columns read: {', '.join(read)}.")]
    if plan.not_read:
        lines.append(Line(f"Columns not read: {', '.join(plan.not_read)}."))
    return [*lines, Line(""), Line(phrase("intended_use"), "dim")]


def _problems(tally: "Tally", place: str) -> list[Line | Grid]:
    most = sorted(tally.problems.items(), key=lambda one: -one[1].rows)
    files = list({one.file for _, one in most})
    rows = [
        (str(one.rows), kind, f"{one.at}{f' of {one.file}' if files[1:] else ''}", one.example)
        for kind, one in most[:_KINDS_SHOWN]
    ]
    lines: list[Line | Grid] = [
        Grid(("rows", "not read", f"first in {place}", "which says"), rows, frozenset({0, 2}))
    ]
    if most[_KINDS_SHOWN:]:
        lines.append(Line(f"{len(most) - _KINDS_SHOWN} other kinds are not shown; --json has all."))
    return lines


def _share(count: int, rows: int) -> str:
    return f"{100 * count / rows:.1f} %"


def _counts(tally: "Tally", guideline: Guideline) -> Mapping[str, int]:
    """Return how many rows have each disposition that any has, in the order of the vocabulary."""
    counts: Mapping[str, int] = tally.dispositions.get(guideline.id, {})
    return {code: counts[code] for code in Disposition.__args__ if counts.get(code)}  # type: ignore[attr-defined]


def as_data(
    done: "Done",
    guidelines: tuple[Guideline, ...],
    place: str,
    *,
    files: list[str],
    output: str | None,
) -> dict[str, Any]:
    """Return the summary as a program reads it."""
    tally = done.tally
    return {
        "files": files,
        "output": output,
        "rows": tally.rows,
        "unreadable": tally.unreadable,
        "parts": done.parts,
        "parts_before": done.parts_before,
        "dispositions": {one.id: _counts(tally, one) for one in guidelines},
        "problems": [
            {
                "kind": kind,
                "rows": one.rows,
                "file": one.file,
                place: one.at,
                "example": one.example,
            }
            for kind, one in tally.problems.items()
        ],
        "read": done.plan.read,
        "not_read": done.plan.not_read,
        "written": list(done.plan.written.values()),
        "intended_use": phrase("intended_use"),
    }
