"""The command line, as a person and as a script call it."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib.metadata import entry_points, version
from io import StringIO
from pathlib import Path
from typing import NoReturn

import pandas as pd
import pytest

from calling import PLAIN, STOPPED, command, examples, on_terminal, process, run, status, unstyled
from rlsiron import cli
from rlsiron.command import WRONG, Command

FILES = {  # that the examples read
    "labs.csv": "ferritin,tsat,age\n62,18 %,44\n",
    "nhanes.csv": "SEQN,LBXFER\n1,62\n",
    "labor.csv": "Probe;ferritin\n1;62,5 µg/L\n",
    "our-clinic.toml": 'id = "our-clinic"\nextends = "aasm-2025"\nversion = "1"\n',
    "protocols/ward.toml": 'id = "ward"\nextends = "mayo-2021"\nversion = "1"\n',
}
WRONG_USAGE = {
    "unknown-option": (["interpret", "--feritin", "5 ng/mL"], "--ferritin"),
    "unknown-command": (["convrt"], "Did you mean 'convert'?"),
    "missing-value": (["interpret", "--ferritin"], "'--ferritin' requires an argument"),
    "missing-argument": (["convert", "ferritin"], "Missing argument 'VALUE'"),
    "extra-argument": (["interpret", "62 ng/mL"], "62 ng/mL"),
    "unknown-decimal": (["interpret", "--decimal", ";"], "';' is not one of"),
    "unknown-errors": (["interpret", "--errors", "hide"], "'hide' is not one of"),
}


def test_the_entry_point_is_the_command_line() -> None:
    (entry,) = entry_points(group="console_scripts", name="rlsiron")
    assert entry.load() is cli.main


# what is refused


@pytest.mark.parametrize(("arguments", "sentence"), WRONG_USAGE.values(), ids=WRONG_USAGE.keys())
def test_a_wrong_usage_is_told(arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


# help


@pytest.mark.parametrize("name", cli.EXAMPLES, ids=lambda name: name or "root")
def test_the_examples_in_the_help_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("protocols", "archive"):
        (tmp_path / folder).mkdir()
    for file, text in FILES.items():
        (tmp_path / file).write_text(text, encoding="latin-1")
    draws = pd.DataFrame({"ferritin": [62.0, None], "tsat": [18.0, 30.0], "age": 44.0})
    draws.to_parquet(tmp_path / "archive" / "2026.parquet")
    monkeypatch.chdir(tmp_path)
    shown = examples(run(*name.split(), "--help").stdout)
    assert shown == list(cli.EXAMPLES[name])
    for example in shown:
        program, *arguments = shlex.split(example)
        assert program == "rlsiron"
        result = run(*arguments)
        assert result.exit_code == 0, result.stderr


def test_every_command_has_examples() -> None:
    assert set(cli.EXAMPLES) == {"", *cli.GROUPS, *(command.name for command in cli.COMMANDS)}
    assert all(cli.EXAMPLES.values())


def test_the_help_cuts_no_word() -> None:
    help_ = run("interpret", "--help").stdout
    assert "dopaminergic-treatment" in help_
    assert "…" not in help_
    assert max(map(len, help_.splitlines())) <= 80


def test_there_is_no_clutter_of_shell_completion() -> None:
    assert "completion" not in run("--help").stdout


def test_an_option_that_is_given_twice_in_two_ways_is_refused() -> None:
    done = process("table", "labs.csv", "-o", "one.csv", "--output=two.csv")
    assert done.returncode == WRONG
    assert done.stderr == "error: --output is given twice; give it once\n"


@pytest.mark.parametrize("option", ["--ferritin", "--age"])
def test_an_option_that_is_given_twice_is_refused(option: str) -> None:
    """Nothing is picked or dropped in silence."""
    done = process("interpret", "--ferritin=62 ng/mL", "--age=44", option, "9 ng/mL")
    assert done.returncode == WRONG
    assert f"{option} is given twice" in done.stderr


@pytest.mark.parametrize("group", cli.GROUPS)
def test_without_a_subcommand_the_help_of_its_group_is_shown(group: str) -> None:
    result = run(group)
    assert result.exit_code == 2
    assert f"Usage: rlsiron {group} [OPTIONS] COMMAND" in result.output
    assert examples(result.output) == list(cli.EXAMPLES[group])


def test_without_a_command_the_help_is_shown() -> None:
    result = run()
    assert result.exit_code == 2
    assert "Usage: rlsiron [OPTIONS] COMMAND" in result.output


def test_the_version_is_told() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout == f"rlsiron {version('rlsiron')}\n"


# on a terminal


def test_on_a_terminal_notes_are_styled_by_severity(monkeypatch: pytest.MonkeyPatch) -> None:
    code, shown = on_terminal(monkeypatch, "interpret", *STOPPED)
    assert code == 0
    assert "\x1b[1;31mSTOP: " in shown
    assert "\x1b[33mCAUTION: " in shown
    assert "\x1b[2mFor research" in shown


def test_on_a_terminal_lines_end_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    _, shown = on_terminal(monkeypatch, "interpret", *STOPPED, columns=60)
    plain = unstyled(shown)
    assert max(map(len, plain.splitlines())) <= 60
    assert plain.split() == run("interpret", *STOPPED).stdout.split()


def test_on_a_terminal_json_stays_json(monkeypatch: pytest.MonkeyPatch) -> None:
    _, shown = on_terminal(monkeypatch, "interpret", *PLAIN, "--json", columns=40)
    assert shown == run("interpret", *PLAIN, "--json").stdout


@pytest.mark.parametrize("columns", [60, 99, 100, 200])
@pytest.mark.parametrize("name", cli.EXAMPLES, ids=lambda name: name or "root")
def test_on_a_terminal_the_help_is_whole(
    monkeypatch: pytest.MonkeyPatch, name: str, columns: int
) -> None:
    code, shown = on_terminal(monkeypatch, *name.split(), "--help", columns=columns)
    plain = unstyled(shown)
    assert code == 0
    assert "…" not in plain
    assert ("╭" in plain) is (columns >= 100)
    assert examples(plain) == list(cli.EXAMPLES[name])


# as a process


def test_a_process_answers_into_a_pipe_without_styles() -> None:
    done = process("interpret", *STOPPED)
    assert done.returncode == 0
    assert done.stdout == run("interpret", *STOPPED).stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["interpret", "--ferritin", "75,3 ng/mL"],
        ["interpret", "--ferritin", "-5 ng/mL", "--json"],
        ["interpret", "--nonsense"],
        ["convert", "ferritin", "-5 ng/mL"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_of_a_process_leaves_no_traceback(arguments: list[str]) -> None:
    done = process(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "rror: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="arguments are always text")
def test_bytes_that_are_no_text_are_refused() -> None:
    done = process("interpret", "--assay", "\udcff", "--json")
    assert done.returncode == 2
    assert done.stderr == "error: the argument '\\udcff' is not text; write it in UTF-8\n"


def test_an_output_that_speaks_no_unicode_still_gets_an_answer() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for arguments in (["interpret", *PLAIN], ["interpret", *PLAIN, "--json"]):
        done = subprocess.run(
            command(*arguments), capture_output=True, check=True, env=environment, timeout=60
        )
        assert done.stdout.isascii()
    assert json.loads(done.stdout)["decisions"]


@pytest.mark.skipif(os.name != "posix", reason="pipes close in another way")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["interpret"], ["interpret", "--help"], ["--version"]])
def test_a_reader_that_leaves_is_met_quietly(arguments: list[str], unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            command(*arguments),
            stdout=pipe,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            timeout=60,
        )
    assert done.returncode == 141
    assert done.stderr == b""


def test_numbers_and_tables_are_loaded_only_when_needed() -> None:
    code = (
        "import sys; from rlsiron import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(*sorted({'numpy', 'pandas', 'pint', 'rich'} & sys.modules.keys()))"
    )
    loaded = {
        name: subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            check=True,
            encoding="utf-8",
            timeout=60,
        ).stdout.splitlines()[-1]
        for name, arguments in {"help": ["--help"], "answer": ["interpret", *PLAIN]}.items()
    }
    assert set(loaded["help"].split()) <= {"rich"}
    assert "pandas" not in loaded["answer"].split()


# what the process of a call does at its ends


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_the_way_to_install_it_is_told(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    assert status(monkeypatch, ["--help"]) == 2
    assert capsys.readouterr().err == (
        "error: the command line is not installed; pip install 'rlsiron[cli]'\n"
    )


def test_main_ends_with_the_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(monkeypatch, ["--version"]) == 0
    assert status(monkeypatch, ["interpret", "--age", "400"]) == 2
    assert status(monkeypatch, ["interpret", "--assay", "\udcff"]) == 2
    assert "'\\udcff' is not text" in capsys.readouterr().err


@pytest.fixture
def _interrupts() -> Iterator[None]:
    """A job of a shell in the background may have been started with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interrupts")
@pytest.mark.parametrize("where", ["in a command", "before it"])
def test_an_interrupt_is_quiet(
    where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> NoReturn:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError

    if where == "in a command":
        wait = Command("wait", "Wait.", interrupted, lambda: iter(()))
        monkeypatch.setattr(cli, "COMMANDS", (wait,))
        monkeypatch.setitem(cli.EXAMPLES, "wait", ())
    else:
        monkeypatch.setattr(cli, "application", interrupted)
    assert status(monkeypatch, ["wait"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(os.name != "posix", reason="pipes close in another way")
@pytest.mark.parametrize("arguments", [["convert", "iron", "60 ug/dL"], ["--help"]], ids=str)
def test_a_closed_pipe_is_told_from_a_success(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert status(monkeypatch, arguments) == 141
        monkeypatch.undo()
        os.dup2(os.open(os.devnull, os.O_WRONLY), pipe.fileno())
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert status(monkeypatch, ["interpret"]) == 2
        monkeypatch.undo()
    assert capsys.readouterr().err.startswith("error: the output cannot be written: ")


def test_a_closed_output_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert status(monkeypatch, ["--version"]) == 0
    sys.stdout.close()


def test_an_output_that_is_no_file_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    with redirect_stdout(StringIO()) as output:
        assert status(monkeypatch, ["convert", "tsat", "29 %", "--to", "ratio"]) == 0
    assert output.getvalue() == "0.29 fraction\n"
