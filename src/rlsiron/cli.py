"""The command line: one call, one answer, on a terminal or in a pipe.

Exit status: 0 done, 2 the call was wrong; 130 interrupted, 141 the reader of the output left.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version
from inspect import Parameter, Signature, signature
from io import TextIOWrapper
from json import dumps
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_origin

from rlsiron import interpretation
from rlsiron.catalog import guideline_ids
from rlsiron.errors import RlsironError
from rlsiron.models import Note, Patient
from rlsiron.patient import EVENTS
from rlsiron.reading import read_result
from rlsiron.units import analytes, convert, unit_code
from rlsiron.wording import listed, note, word

if TYPE_CHECKING:
    import typer

WRONG = 2
INTERRUPTED = 130
READER_LEFT = 141

_STYLES = {"stop": "bold red", "caution": "yellow", "info": ""}
_PRINTED = {"1": "fraction"}  # a unit whose code cannot stand behind a number
_NEGATIVE = re.compile(r"-[0-9.]")  # begins a value, never an option
_IN_PYTHON = re.compile(r"declare decimal=('.')$")  # a way out, as a function has it
_WIDE = 100  # columns, under which typer's help on a terminal cuts words
_HELP_WIDTH = 46  # columns of the text on an option in the plain help

_HELP = """Iron results in restless legs syndrome, read against the guidelines.

Exit status: 0 done, 2 the call was wrong."""
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


# the arguments of the function, whose types and defaults the options take over
_ASKED = signature(interpretation.interpret).parameters


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


Answer = Sequence[Line] | str
"""Lines to set on a terminal, or a text to print as it is."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    Attributes
    ----------
    name, about
        Its name and its help.
    answer
        What it does: the options in, the answer out.
    parameters
        Its arguments and options, for typer.
    takes_value
        Whether one of its arguments is a value, and may look negative.
    """

    name: str
    about: str
    answer: Callable[..., Answer]
    parameters: Callable[[], Iterator[Parameter]]
    takes_value: bool = False


def main() -> None:
    """Run the command line on the arguments of this process, and exit with its status."""
    try:
        import rich  # noqa: F401 - an answer on a terminal needs it
        import typer  # noqa: F401
    except ModuleNotFoundError:
        sys.stderr.write("error: the command line is not installed; pip install 'rlsiron[cli]'\n")
        sys.exit(WRONG)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - to the end
        elif isinstance(stream, TextIOWrapper):
            # what the encoding does not know becomes an escape
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_status(sys.argv[1:]))


def _given_twice(arguments: Sequence[str]) -> list[str]:
    """Return the options that are given more than once and take one value only."""
    named = [argument.split("=")[0] for argument in arguments if argument.startswith("--")]
    once = [name for name in named if name not in {"--condition", "--guideline"}]
    return sorted({name for name in once if once.count(name) > 1})


def _status(arguments: Sequence[str]) -> int:
    """Return the exit status of a call, its output written."""
    faults = [
        f"the argument {argument!r} is not text; write it in UTF-8"
        for argument in arguments
        if not _is_text(argument)
    ]
    faults += [f"{option} is given twice; give it once" for option in _given_twice(arguments)]
    if faults:
        _complain(faults[0])
        return WRONG
    stdout = sys.stdout
    try:
        try:
            application()(args=arguments, prog_name="rlsiron")
        except SystemExit as end:
            status = int(end.code or 0)
        if sys.stdout is not stdout:  # what typer does when it meets a closed pipe
            return READER_LEFT
        stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as fault:
        # Python flushes once more at its end, and would tell of the same fault
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), stdout.fileno())
        if isinstance(fault, BrokenPipeError):
            return READER_LEFT
        _complain(f"the output cannot be written: {fault}")
        return WRONG
    return status


def _is_text(argument: str) -> bool:
    """Whether an argument was decoded without bytes left over."""
    return not any("\ud800" <= sign <= "\udfff" for sign in argument)


def _complain(fault: str) -> None:
    import typer

    typer.echo(f"{typer.style('error:', fg='red', bold=True)} {fault}", err=True)


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
        rich_markup_mode="rich" if _panels() else None,
    )

    def show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
        if wanted:
            typer.echo(f"rlsiron {version('rlsiron')}")
            raise typer.Exit

    def root(**_: bool) -> None:
        pass

    told = _option(
        "version",
        bool,
        "--version",
        default=False,
        help="Show the version and exit.",
        callback=show_version,
        is_eager=True,
    )
    root.__signature__ = Signature([told])  # type: ignore[attr-defined]
    app.callback()(root)
    for command in COMMANDS:
        _register(app, command)
    return app


def _panels() -> bool:
    """Whether the help is set in panels; else it is plain, and its order groups the options."""
    return sys.stdout.isatty() and get_terminal_size().columns >= _WIDE


def _register(app: "typer.Typer", command: Command) -> None:
    import typer
    from typer.core import TyperCommand

    class ValuesMayBeNegative(TyperCommand):
        """Takes an argument such as "-5 ng/mL" for a value, so that reading it can refuse it."""

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
            at = next((i for i, word in enumerate(args) if _NEGATIVE.match(word)), None)
            if command.takes_value and at is not None and "--" not in args:
                args = [*args[:at], *args[at + 1 :], "--", args[at]]
            return super().parse_args(ctx, args)

    def call(**given: Any) -> None:  # noqa: ANN401 - of each option its own type
        try:
            answer = command.answer(**given)
        except RlsironError as error:
            _complain(_IN_PYTHON.sub(r"declare --decimal \1", str(error)))
            raise typer.Exit(WRONG) from None
        _write(answer)

    call.__signature__ = Signature(list(command.parameters()))  # type: ignore[attr-defined]
    app.command(
        command.name, cls=ValuesMayBeNegative, help=command.about, epilog=_epilog(command.name)
    )(call)


def _epilog(name: str) -> str:
    """Return the examples of a command, their lines kept."""
    return "\n".join(("\b", "Examples:", *(f"  {example}" for example in EXAMPLES[name])))


def _write(answer: Answer) -> None:
    """Write plain text into a pipe, styled text wrapped at words on a terminal."""
    if isinstance(answer, str) or not sys.stdout.isatty():
        lines = [answer] if isinstance(answer, str) else [line.text for line in answer]
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    for line in answer:
        console.print(Text(line.text, line.style))


def _option(name: str, kind: Any, *flags: str, default: Any = None, **more: Any) -> Parameter:  # noqa: ANN401 - a type, and its default
    import typer

    if "metavar" not in more and bool in (kind, *get_args(kind)):
        more["metavar"] = ""  # a flag takes no value
    more["help"] = _set(more["help"])
    return Parameter(
        name,
        Parameter.KEYWORD_ONLY,
        default=typer.Option(default, *flags, **more),
        annotation=kind,
    )


def _set(text: str) -> str:
    """Return a text on an option with its lines set, so that no line ends within a word."""
    plain = not _panels() and len(text) > _HELP_WIDTH
    return "\b\n" + fill(text, _HELP_WIDTH, break_on_hyphens=False) if plain else text


def _argument(name: str, about: str) -> Parameter:
    import typer

    told = typer.Argument(help=_set(about), metavar=name.upper())
    return Parameter(name, Parameter.KEYWORD_ONLY, default=told, annotation=str)


def _decimal(panel: str | None = None) -> Parameter:
    return _choice("decimal", "The decimal sign.", panel)


def _choice(name: str, about: str, panel: str | None) -> Parameter:
    """Return the option of an argument of `interpret` with a few words."""
    told = _ASKED[name]
    return _option(name, told.annotation, default=told.default, help=about, rich_help_panel=panel)


def _json(panel: str | None = None) -> Parameter:
    return _option("json", bool, "--json", default=False, help="Print JSON.", rich_help_panel=panel)


def _interpret_options() -> Iterator[Parameter]:
    for known in analytes().values():
        units = listed([_PRINTED.get(code, code) for code in known.units], "or")
        about = f"{known.title}, in {units}."
        yield _option(known.name, str, metavar="VALUE", help=about, rich_help_panel="Results")
    yield from _draw_options("Draw")
    for name in Patient.model_fields:
        yield _patient_option(name)
    yield from _answer_options("Answer")


def _draw_options(panel: str) -> Iterator[Parameter]:
    when = "When the sample was drawn: 2026-01-31 or 2026-01-31T08:30."
    yield _option("drawn", str, metavar="DATE", help=when, rich_help_panel=panel)
    yield _option(
        "fasting",
        _ASKED["fasting"].annotation,
        "--fasting/--not-fasting",
        help="Whether the patient was fasting.",
        rich_help_panel=panel,
    )
    by = "The assay by which ferritin was measured."
    yield _option("assay", str, metavar="NAME", help=by, rich_help_panel=panel)


def _answer_options(panel: str) -> Iterator[Parameter]:
    yield _option(
        "guidelines",
        list[str],
        "--guideline",
        metavar="NAME",
        help=f"{listed(guideline_ids(), 'or')}, or a file. Repeatable; the first leads. "
        f"If not given: {listed(interpretation.DEFAULT_GUIDELINES, 'and')}.",
        rich_help_panel=panel,
    )
    yield _option(
        "strict",
        bool,
        "--verified-only",
        default=_ASKED["strict"].default,
        help="Leave out unverified rules that give iron.",
        rich_help_panel=panel,
    )
    yield _decimal(panel)
    yield _choice("errors", "Refuse what cannot be read, or note it.", panel)
    yield _json(panel)


def _patient_option(name: str) -> Parameter:
    """Return the option of a field; its words are those of the model."""
    kind = Patient.model_fields[name].annotation
    words = listed(list(_words(kind)), "or")
    flag = f"--{name.replace('_', '-')}"
    panel = "Patient"
    if name == "conditions":
        about = f"{words}. Repeatable."
        return _option(
            name, list[str], "--condition", metavar="CODE", help=about, rich_help_panel=panel
        )
    if bool in get_args(kind):
        flags = f"{flag}/--no{flag[1:]}"
        return _option(name, kind, flags, help=_FIELDS[name].about, rich_help_panel=panel)
    if words:
        field = Field(f"{words}.", "WORD")
    elif name in EVENTS:
        field = Field(f"When the patient last had {word('event', name)}.", "DATE")
    else:
        field = _FIELDS[name]
    return _option(name, str, flag, metavar=field.metavar, help=field.about, rich_help_panel=panel)


def _words(kind: Any) -> Iterator[str]:  # noqa: ANN401 - a type
    """Yield the words of every `Literal` in a type."""
    for part in get_args(kind):
        if get_origin(kind) is Literal:
            yield part
        else:
            yield from _words(part)


def _interpret(*, json: bool, **given: Any) -> Answer:  # noqa: ANN401 - of each option its own type
    told = {name: value for name, value in given.items() if value not in (None, [])}
    patient = {name: told.pop(name) for name in Patient.model_fields if name in told}
    if "conditions" in patient:
        patient["conditions"] = " ".join(patient["conditions"])
    answer = interpretation.interpret(patient=patient, **told)
    if json:
        return answer.model_dump_json(indent=2, ensure_ascii=_ascii())
    lines = [_line(one) for one in answer.notes]
    return [*lines, Line(""), Line(answer.provenance.intended_use, "dim")]


def _ascii() -> bool:
    """Whether JSON keeps to ASCII, since the output does not speak Unicode."""
    return not (sys.stdout.encoding or "").lower().startswith("utf")


def _line(one: Note) -> Line:
    return Line(str(one), _STYLES[one.severity])


def _convert_options() -> Iterator[Parameter]:
    yield _argument("analyte", f"{listed(list(analytes()), 'or')}.")
    yield _argument("value", "The value with its unit, in quotes.")
    yield _option("to", str, metavar="UNIT", help="This unit only.")
    yield _decimal()
    yield _json()


def _convert(*, analyte: str, value: str, to: str | None, decimal: str, json: bool) -> Answer:
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
        return dumps(answer, indent=2, ensure_ascii=_ascii())
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
    return lines


def _digits(number: float) -> str:
    """Return the shortest text of a number, without an exponent."""
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


COMMANDS = (
    Command("interpret", _HELP_INTERPRET, _interpret, _interpret_options),
    Command("convert", _HELP_CONVERT, _convert, _convert_options, takes_value=True),
)
"""Every command, in the order of the help."""
