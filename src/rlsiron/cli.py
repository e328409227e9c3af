"""The command line: one call, one answer, on a terminal or in a pipe.

Exit status: 0 done, 2 the call was wrong; 130 interrupted, 141 the reader of the output left.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version
from inspect import Parameter, Signature, signature
from json import dumps
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TextIO, get_args, get_origin

from rlsiron import interpretation
from rlsiron.catalog import guideline_ids
from rlsiron.errors import RlsironError
from rlsiron.models import LabResult, Patient
from rlsiron.patient import EVENTS
from rlsiron.reading import read_result
from rlsiron.units import Analyte, analyte, analytes, convert, shown, unit_code
from rlsiron.wording import listed, note, word

if TYPE_CHECKING:
    import typer

WRONG = 2
INTERRUPTED = 130
READER_LEFT = 141

_STYLES = {"stop": "bold red", "caution": "yellow", "info": ""}
_PRINTED = {"1": "fraction"}  # a unit whose code cannot stand behind a number
_NEGATIVE = re.compile(r"-[0-9.]")  # begins a value, never an option
_IN_PYTHON = re.compile(r"declare decimal=('.')$")

_HELP = "Read the iron results of a patient with restless legs syndrome against the guidelines."
_QUOTING = 'Quote a value, so that the shell leaves "<5 ng/mL" and "18 %" alone.'
EXAMPLES = {
    "": (
        'rlsiron interpret --ferritin "62 ng/mL" --tsat "18 %" --age 44',
        'rlsiron convert ferritin "168 pmol/L"',
    ),
    "interpret": (
        'rlsiron interpret --ferritin "62 ng/mL" --tsat "18 %" --age 44 --sex female',
        'rlsiron interpret --ferritin "<5 ng/mL" --iron "60 ug/dL" --tibc "400 ug/dL"',
        'rlsiron interpret --ferritin "62,5 ng/mL" --decimal , --condition diabetes',
        'rlsiron interpret --ferritin "62 ng/mL" --guideline mayo-2021 --json',
    ),
    "convert": (
        'rlsiron convert ferritin "168 pmol/L"',
        'rlsiron convert ferritin "<5 ng/mL" --to ug/dL',
        'rlsiron convert crp "0,5 mg/dL" --decimal , --json',
    ),
}



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


class Line(NamedTuple):
    """A line of an answer, and its style on a terminal."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what it answers, its help, and its options in the words of typer."""

    name: str
    answer: Callable[..., Sequence[Line]]
    parameters: Callable[[], Iterator[Parameter]]
    summary: str
    negative_argument: bool = False


def main() -> None:
    """Run the command line on the arguments of this process, and exit with its status."""
    arguments = sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):
        _never_fail_to_encode(stream)
    try:
        import rich  # noqa: F401 - the answer on a terminal needs it
        import typer  # noqa: F401
    except ModuleNotFoundError:
        sys.stderr.write("error: the command line needs: pip install 'rlsiron[cli]'\n")
        sys.exit(WRONG)
    sys.exit(_status(arguments))


def _never_fail_to_encode(stream: TextIO) -> None:
    """Write what the encoding of a stream does not know as an escape."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="backslashreplace")


def _status(arguments: Sequence[str]) -> int:
    """Return the exit status of a call, its output written."""
    stdout = sys.stdout
    try:
        application()(args=arguments, prog_name="rlsiron")
    except SystemExit as end:
        status = int(end.code or 0)
    except KeyboardInterrupt:  # outside typer, which knows it too
        return INTERRUPTED
    if sys.stdout is not stdout:  # what typer does when the pipe is closed
        return READER_LEFT
    try:
        stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its end, and would tell of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        return READER_LEFT
    return status


def application() -> "typer.Typer":
    """Return the command line as a typer application."""
    import typer

    app = typer.Typer(
        name="rlsiron",
        help=_HELP,
        epilog=_epilog(""),
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich" if sys.stdout.isatty() else None,
    )

    @app.callback()
    def root(
        *,
        show_version: bool = typer.Option(
            False,  # noqa: FBT003 - typer takes the default first
            "--version",
            help="Show the version and exit.",
            is_eager=True,
        ),
    ) -> None:
        if show_version:
            typer.echo(f"rlsiron {version('rlsiron')}")
            raise typer.Exit

    for command in COMMANDS:
        _register(app, command)
    return app


def _register(app: "typer.Typer", command: Command) -> None:
    import typer
    from typer.core import TyperCommand

    class ValuesMayBeNegative(TyperCommand):
        """Takes an argument such as "-5 ng/mL" for a value, so that reading it can refuse it."""

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
            at = next((i for i, word in enumerate(args) if _NEGATIVE.match(word)), None)
            if command.negative_argument and at is not None and "--" not in args:
                args = [*args[:at], *args[at + 1 :], "--", args[at]]
            return super().parse_args(ctx, args)

    def call(**given: Any) -> None:  # noqa: ANN401 - of each option its own type
        try:
            lines = command.answer(**given)
        except RlsironError as error:
            way_out = _IN_PYTHON.sub(r"declare --decimal \1", str(error))
            typer.echo(f"{typer.style('error:', fg='red', bold=True)} {way_out}", err=True)
            raise typer.Exit(WRONG) from None
        _write(lines)

    call.__signature__ = Signature(list(command.parameters()))  # type: ignore[attr-defined]
    app.command(
        command.name, cls=ValuesMayBeNegative, help=command.summary, epilog=_epilog(command.name)
    )(call)


def _epilog(name: str) -> str:
    """Return the examples of a command; `\\b` keeps their lines."""
    return "\n".join(("\b", "Examples:", *(f"  {example}" for example in EXAMPLES[name])))


def _write(lines: Sequence[Line]) -> None:
    """Write plain text into a pipe, styled text wrapped at words on a terminal."""
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{line.text}\n" for line in lines)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    for line in lines:
        console.print(Text(line.text, line.style))


def _option(name: str, kind: Any, *flags: str, default: Any = None, **more: Any) -> Parameter:  # noqa: ANN401
    import typer

    return Parameter(
        name,
        Parameter.KEYWORD_ONLY,
        default=typer.Option(default, *flags, **more),
        annotation=kind,
    )


def _argument(name: str, help_: str) -> Parameter:
    import typer

    return Parameter(
        name, Parameter.KEYWORD_ONLY, default=typer.Argument(help=help_), annotation=str
    )


def _json() -> Parameter:
    return _option("json", bool, "--json", default=False, help="Print JSON.")


def _decimal() -> Parameter:
    told = signature(interpretation.interpret).parameters["decimal"]
    return _option(
        "decimal", told.annotation, default=told.default, help="The decimal sign of the values."
    )


def _interpret_options() -> Iterator[Parameter]:
    told = signature(interpretation.interpret).parameters
    for known in analytes().values():
        units = listed([_PRINTED.get(code, code) for code in known.units], "or")
        about = f"{known.title}, in {units}."
        yield _option(known.name, str, metavar="VALUE", help=about, rich_help_panel="Results")
    yield _option(
        "drawn", str, metavar="DATE", help="When the sample was drawn.", rich_help_panel="Draw"
    )
    yield _option(
        "fasting",
        told["fasting"].annotation,
        "--fasting/--not-fasting",
        help="Whether the patient was fasting.",
        rich_help_panel="Draw",
    )
    yield _option(
        "assay", str, metavar="NAME", help="By which assay ferritin.", rich_help_panel="Draw"
    )
    for name in Patient.model_fields:
        yield _patient_option(name)
    yield _option(
        "guidelines",
        list[str],
        "--guideline",
        metavar="NAME",
        help=f"{listed(guideline_ids(), 'or')}, or a file; repeatable, the first leads. "
        f"Default: {listed(interpretation.DEFAULT_GUIDELINES, 'and')}.",
    )
    yield _decimal()
    yield _option(
        "strict",
        bool,
        "--verified-only",
        default=told["strict"].default,
        help="Leave out unverified rules that give iron.",
    )
    yield _option(
        "errors",
        told["errors"].annotation,
        default=told["errors"].default,
        help="note: what cannot be read counts as missing, with a note.",
    )
    yield _json()


def _patient_option(name: str) -> Parameter:
    """Return the option of a field; its words are those of the model."""
    kind = Patient.model_fields[name].annotation
    words = list(_words(kind))
    flag = f"--{name.replace('_', '-')}"
    panel = {"rich_help_panel": "Patient"}
    if name == "conditions":
        about = f"Repeatable: {listed(words, 'or')}."
        return _option(name, list[str], "--condition", metavar="WORD", help=about, **panel)
    if words:
        return _option(name, str, flag, metavar="WORD", help=f"{listed(words, 'or')}.", **panel)
    if bool in get_args(kind):
        return _option(name, kind, f"{flag}/--no{flag[1:]}", help=_FIELDS[name].about, **panel)
    if name in EVENTS:
        about = f"When the patient last had {word('event', name)}."
        return _option(name, str, flag, metavar="DATE", help=about, **panel)
    return _option(name, str, flag, metavar=_FIELDS[name].metavar, help=_FIELDS[name].about, **panel)


def _words(kind: Any) -> Iterator[str]:  # noqa: ANN401 - a type
    """Yield the words of every `Literal` in a type."""
    for part in get_args(kind):
        if get_origin(kind) is Literal:
            yield part
        else:
            yield from _words(part)


def _interpret(*, json: bool, **given: Any) -> Sequence[Line]:  # noqa: ANN401 - as told
    told = {name: value for name, value in given.items() if value not in (None, [])}
    patient = {name: told.pop(name) for name in Patient.model_fields if name in told}
    if "conditions" in patient:
        patient["conditions"] = " ".join(patient["conditions"])
    if "guidelines" in told:
        told["guidelines"] = tuple(told["guidelines"])
    answer = interpretation.interpret(patient=patient, **told)
    if json:
        return [Line(answer.model_dump_json(indent=2))]
    lines = [Line(str(one), _STYLES[one.severity]) for one in answer.notes]
    return [*lines, Line(""), Line(answer.provenance.intended_use, "dim")]


def _convert_options() -> Iterator[Parameter]:
    yield _argument("name", f"{listed(list(analytes()), 'or')}.")
    yield _argument("value", "The value with its unit, in quotes.")
    yield _option("to", str, metavar="UNIT", help="One unit only.")
    yield _decimal()
    yield _json()


def _convert(
    *, name: str, value: str, to: str | None, decimal: str, json: bool
) -> Sequence[Line]:
    known = analyte(name)
    units = known.units if to is None else (unit_code(name, to),)
    result = read_result(name, value, decimal=decimal)
    values = {} if result.missing else _values(known, result, units)
    convention = _convention(known, result, values)
    if json:
        answer = {
            "analyte": name,
            "reported": result.reported,
            "missing": result.missing,
            "bound": result.bound,
            "values": values,
            "convention": convention,
            "codes": result.codes,
        }
        return [Line(dumps(answer, indent=2, ensure_ascii=False))]
    if result.missing:
        one = note("missing-result", analyte=known.title, reason=result.missing)
        return [Line(str(one))]
    lines = [
        Line(f"{result.bound}{_digits(number)} {_PRINTED.get(code, code)}")
        for code, number in values.items()
    ]
    notes = [note(code, analyte=known.title, reported=result.reported) for code in result.codes]
    lines += [Line(str(one), _STYLES[one.severity]) for one in notes]
    return [*lines, Line(f"Molar mass: {convention}.", "dim")] if convention else lines


def _values(known: Analyte, result: LabResult, units: Sequence[str]) -> dict[str, float]:
    """Return the value, or the limit of a bound, in some units."""
    limit = result.high if result.bound in {"<", "<="} else result.low
    assert limit is not None
    return {code: convert(known.name, limit, known.unit, code) for code in units}


def _convention(known: Analyte, result: LabResult, values: Mapping[str, float]) -> str:
    """Return the convention of the molar mass, where a mass and an amount are both involved."""
    kinds = {"mol" in code for code in (result.unit, *values)}
    return known.convention if len(kinds) > 1 else ""


def _digits(number: float) -> str:
    """Return the shortest text of a number, without an exponent."""
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


COMMANDS = (
    Command("interpret", _interpret, _interpret_options, "Say what the guidelines say."),
    Command("convert", _convert, _convert_options, "Print."),
)
"""Every command, in the order of the help."""
