"""The command line: one call, one answer, on a terminal or in a pipe.

Exit status: 0 done, 1 done but some rows of a table could not be read in full, 2 the call was
wrong; 130 interrupted, 141 the reader of the output left.
"""

import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from inspect import Signature
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlsiron.command import WRONG, Command, option, panels
from rlsiron.errors import RlsironError
from rlsiron.guideline_commands import LIST, SHOW
from rlsiron.patient_commands import CONVERT, INTERPRET
from rlsiron.proof_commands import CHECK, DIFF
from rlsiron.report import on_the_command_line
from rlsiron.sql_commands import SQL
from rlsiron.table_command import TABLE

if TYPE_CHECKING:
    import typer

INTERRUPTED = 130
READER_LEFT = 141

COMMANDS = (INTERPRET, TABLE, LIST, SHOW, CHECK, DIFF, SQL, CONVERT)
"""Every command, in the order of the help."""

GROUPS = {"guideline": "The guidelines: what there is, what each says, and where two differ."}
"""Commands whose name begins with one of these are its subcommands."""

EXAMPLES = {
    "": (
        'rlsiron interpret --ferritin "62 ng/mL" --tsat "18 %" --age 44',
        "rlsiron table labs.csv -o out.csv --unit ferritin=ng/mL",
        'rlsiron convert ferritin "168 pmol/L"',
    ),
    "guideline": ("rlsiron guideline list", "rlsiron guideline show aasm-2025"),
    **{command.name: command.examples for command in COMMANDS},
}

_HELP = """Iron results in restless legs syndrome, read against the guidelines.

Exit status: 0 done, 1 some rows of a table could not be read, 2 the call was wrong."""
_NEGATIVE = re.compile(r"-[0-9.]")  # begins a value, never an option
_SHORT = {"-o": "--output"}
_REPEATABLE = {"--condition", "--guideline", "--unit", "--column", "--columns", "--key"}


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
    words = [_SHORT.get(argument, argument).split("=")[0] for argument in arguments]
    once = [word for word in words if word.startswith("--") and word not in _REPEATABLE]
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

    app = _group("rlsiron", _HELP, "")

    def show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
        if wanted:
            typer.echo(f"rlsiron {version('rlsiron')}")
            raise typer.Exit

    def root(**_: bool) -> None:
        pass

    told = option(
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
    groups = {name: _group(name, about, name) for name, about in GROUPS.items()}
    for command in COMMANDS:
        group, _, name = command.name.rpartition(" ")
        _register(groups[group] if group else app, name, command)
    for name, members in groups.items():
        app.add_typer(members, name=name)
    return app


def _group(name: str, about: str, examples: str) -> "typer.Typer":
    import typer

    return typer.Typer(
        name=name,
        help=about,
        epilog=_epilog(examples),
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich" if panels() else None,
    )


def _register(app: "typer.Typer", name: str, command: Command) -> None:
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
            status = command.run(**given)
        except RlsironError as error:
            _complain(on_the_command_line(str(error)))
            status = WRONG
        raise typer.Exit(status)

    call.__signature__ = Signature(list(command.parameters()))  # type: ignore[attr-defined]
    app.command(name, cls=ValuesMayBeNegative, help=command.about, epilog=_epilog(command.name))(
        call
    )


def _epilog(name: str) -> str:
    """Return the examples of a command, their lines kept."""
    return "\n".join(("\b", "Examples:", *(f"  {example}" for example in EXAMPLES[name])))
