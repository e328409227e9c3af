"""The commands on one patient's results: `interpret` and `convert`."""

from collections.abc import Iterator
from decimal import Decimal
from inspect import Parameter
from typing import Any, Literal, NamedTuple, get_args, get_origin

from rlsiron import interpretation
from rlsiron.command import (
    ASKED,
    DONE,
    Command,
    argument,
    as_json,
    choice,
    decimal_sign,
    guidelines,
    option,
)
from rlsiron.models import Note, Patient
from rlsiron.patient import EVENTS
from rlsiron.reading import read_result
from rlsiron.report import Line, is_ascii, json_text, write
from rlsiron.units import analytes, convert, unit_code
from rlsiron.wording import listed, note, word

_STYLES = {"stop": "bold red", "caution": "yellow", "info": ""}
_PRINTED = {"1": "fraction"}  # a unit whose code cannot stand behind a number

_HELP_INTERPRET = (
    "Say what the guidelines say of the iron results of one patient.\n\n"
    "Every result has its unit; none is assumed. Put it in quotes, so that the shell leaves "
    '"<5 ng/mL" and "18 %" alone. A bound and a word such as "hemolyzed" are results too. '
    "What is not given is unknown; what was assumed is listed."
)
_HELP_CONVERT = (
    "Print a value in every unit in which its analyte is reported.\n\n"
    'Put the value in quotes, so that the shell leaves "<5 ng/mL" alone. A bound stays a bound.'
)


class Field(NamedTuple):
    """The help of a field of the patient that its type does not tell."""

    about: str
    metavar: str | None = None


_FIELDS = {
    "age": Field("Age in years; 17.9 is under 18.", "YEARS"),
    "birth_date": Field("In place of --age; the age then needs --drawn.", "DATE"),
    "rapid_response_wanted": Field("Whether a rapid response is wanted."),
    "inflammation": Field("Whether there is inflammation; if not given, the CRP tells."),
}


def _interpret_options() -> Iterator[Parameter]:
    for known in analytes().values():
        units = listed([_PRINTED.get(code, code) for code in known.units], "or")
        about = f"{known.title}, in {units}."
        yield option(known.name, str, metavar="VALUE", help=about, rich_help_panel="Results")
    yield from _draw_options("Draw")
    for name in Patient.model_fields:
        yield _patient_option(name)
    yield from guidelines("Answer")
    yield decimal_sign("Answer")
    yield choice("errors", "Refuse what cannot be read, or note it.", "Answer")
    yield as_json("Answer")


def _draw_options(panel: str) -> Iterator[Parameter]:
    when = "When the sample was drawn: 2026-01-31 or 2026-01-31T08:30."
    yield option("drawn", str, metavar="DATE", help=when, rich_help_panel=panel)
    yield option(
        "fasting",
        ASKED["fasting"].annotation,
        "--fasting/--not-fasting",
        help="Whether the patient was fasting.",
        rich_help_panel=panel,
    )
    by = "The assay by which ferritin was measured."
    yield option("assay", str, metavar="NAME", help=by, rich_help_panel=panel)


def _patient_option(name: str) -> Parameter:
    """Return the option of a field; its words are those of the model."""
    kind = Patient.model_fields[name].annotation
    words = listed(list(_words(kind)), "or")
    flag = f"--{name.replace('_', '-')}"
    panel = "Patient"
    if name == "conditions":
        about = f"{words}. Repeatable."
        return option(
            name, list[str], "--condition", metavar="CODE", help=about, rich_help_panel=panel
        )
    if bool in get_args(kind):
        flags = f"{flag}/--no{flag[1:]}"
        return option(name, kind, flags, help=_FIELDS[name].about, rich_help_panel=panel)
    if words:
        field = Field(f"{words}.", "WORD")
    elif name in EVENTS:
        field = Field(f"When the patient last had {word('event', name)}.", "DATE")
    else:
        field = _FIELDS[name]
    return option(name, str, flag, metavar=field.metavar, help=field.about, rich_help_panel=panel)


def _words(kind: Any) -> Iterator[str]:  # noqa: ANN401 - a type
    """Yield the words of every `Literal` in a type."""
    for part in get_args(kind):
        if get_origin(kind) is Literal:
            yield part
        else:
            yield from _words(part)


def _interpret(*, json: bool, **given: Any) -> int:  # noqa: ANN401 - of each option its own type
    told = {name: value for name, value in given.items() if value not in (None, [])}
    patient = {name: told.pop(name) for name in Patient.model_fields if name in told}
    if "conditions" in patient:
        patient["conditions"] = " ".join(patient["conditions"])
    answer = interpretation.interpret(patient=patient, **told)
    if json:
        write(answer.model_dump_json(indent=2, ensure_ascii=is_ascii()))
    else:
        lines = [_line(one) for one in answer.notes]
        write([*lines, Line(""), Line(answer.provenance.intended_use, "dim")])
    return DONE


def _line(one: Note) -> Line:
    return Line(str(one), _STYLES[one.severity])


def _convert_options() -> Iterator[Parameter]:
    yield argument("analyte", f"{listed(list(analytes()), 'or')}.")
    yield argument("value", "The value with its unit, in quotes.")
    yield option("to", str, metavar="UNIT", help="This unit only.")
    yield decimal_sign()
    yield as_json()


def _convert(*, analyte: str, value: str, to: str | None, decimal: str, json: bool) -> int:
    result = read_result(analyte, value, decimal=decimal)
    known = analytes()[analyte]
    codes = known.units if to is None else (unit_code(analyte, to),)
    limit = result.high if result.bound in {"<", "<="} else result.low
    values = {}
    if limit is not None:
        values = {code: convert(analyte, limit, known.unit, code) for code in codes}
    # a molar mass stands between an amount and a mass
    both = len({"mol" in code for code in (result.unit, *values)}) > 1
    convention = known.convention if values and both else ""
    if json:
        answer = {
            "analyte": analyte,
            "reported": result.reported,
            "missing": result.missing,
            "bound": result.bound,
            "values": values,
            "convention": convention,
            "codes": result.codes,
        }
        write(json_text(answer))
        return DONE
    lines = [
        Line(f"{result.bound}{_digits(number)} {_PRINTED.get(code, code)}")
        for code, number in values.items()
    ]
    if result.missing:
        lines.append(_line(note("missing-result", analyte=known.title, reason=result.missing)))
    notes = (note(code, analyte=known.title, reported=result.reported) for code in result.codes)
    lines += map(_line, notes)
    if convention:
        lines.append(Line(f"Molar mass: {convention}.", "dim"))
    write(lines)
    return DONE


def _digits(number: float) -> str:
    """Return the shortest text of a number, without an exponent."""
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


INTERPRET = Command(
    "interpret",
    _HELP_INTERPRET,
    _interpret,
    _interpret_options,
    examples=(
        'rlsiron interpret --ferritin "62 ng/mL" --tsat "18 %" --age 44 --sex female',
        'rlsiron interpret --ferritin "<5 ng/mL" --iron "60 ug/dL" --tibc "400 ug/dL"',
        'rlsiron interpret --ferritin "62,5 ng/mL" --decimal , --condition diabetes',
        'rlsiron interpret --ferritin "62 ng/mL" --guideline mayo-2021 --json',
    ),
)
CONVERT = Command(
    "convert",
    _HELP_CONVERT,
    _convert,
    _convert_options,
    examples=(
        'rlsiron convert ferritin "168 pmol/L"',
        'rlsiron convert ferritin "<5 ng/mL" --to ug/dL',
        'rlsiron convert crp "0,5 mg/dL" --decimal , --json',
    ),
    takes_value=True,
)
