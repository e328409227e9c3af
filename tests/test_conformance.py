"""The runner of the conformance pack, by the commands that it runs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vectors import run

ADAPTER = Path(__file__).with_name("answer_vectors.py")
RUNNER = Path(run.__file__ or "")

ECHO = """
import json, sys
asked = [json.loads(line) for line in sys.stdin]
answers = [{"id": one["id"], "decisions": {}} for one in asked]
"""
PRINT = "\nfor answer in answers: print(json.dumps(answer))"


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_rlsiron_passes_the_pack() -> None:
    ended = subprocess.run(
        [sys.executable, str(RUNNER), sys.executable, str(ADAPTER)],
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=300,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    cases = len(run.cases())
    assert cases >= 2_000
    assert ended.stdout.splitlines()[-1].split() == ["all", str(cases), str(cases), "0", "0"]


def test_the_runner_imports_the_standard_library_only() -> None:
    loaded = "import sys, runpy; runpy.run_path(sys.argv[1]); print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-S", "-c", loaded, str(RUNNER)],
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    modules = {name.partition(".")[0] for name in ended.stdout.split()}
    assert modules - {"__main__", "__mp_main__"} <= sys.stdlib_module_names


def test_a_failure_is_told_with_its_paragraph(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--failures", "2", *python(ECHO + PRINT)]) == 1
    said = capsys.readouterr().out
    first = run.cases()[0]
    assert f"{first.id}  (tests {', '.join(first.content['tests'])})" in said
    assert "  aasm-2025 has no decision\n" in said
    assert said.count("(tests ") == 2


def test_what_is_not_answered_is_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(python("import sys; sys.stdin.read()")) == 1
    cases = str(len(run.cases()))
    assert capsys.readouterr().out.splitlines()[-1].split() == ["all", cases, "0", "0", cases]


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("import sys; sys.exit('out of memory')", "ended with status 1 after 0 lines; its last"),
        ("import os; os.abort()", "ended with status"),
        (ECHO + "answers.reverse()" + PRINT, "out of order; answer as you are asked"),
        (ECHO + "answers.insert(1, answers[0])" + PRINT, "a second time"),
        (ECHO + "answers[0]['id'] = 'mine'" + PRINT, "line 1 answers 'mine', which was not asked"),
        ("print('starting up')", "line 1 of the answers is not JSON: 'starting up'"),
        ("print('[]')", """line 1 of the answers is not an object with an "id": '[]'"""),
        ("print('{}')", """line 1 of the answers is not an object with an "id": '{}'"""),
        ("import sys; sys.stdout.buffer.write(bytes([255]))", "line 1 of the answers is not JSON"),
    ],
    ids=["dies", "aborts", "order", "twice", "unasked", "text", "array", "no id", "no UTF-8"],
)
def test_a_command_that_does_not_answer_in_the_form_is_told_so(
    script: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(python(script)) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert sentence in captured.err
    assert captured.out == ""


def test_a_command_that_is_not_there_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--", "no-such-command"]) == 2
    assert "cannot run 'no-such-command': No such file" in capsys.readouterr().err


def test_a_command_that_hangs_is_ended(capsys: pytest.CaptureFixture[str]) -> None:
    call = ["--seconds", "0.5", *python("import time; time.sleep(60)")]
    assert run.main(call) == 2
    assert "did not end within 0.5 seconds" in capsys.readouterr().err


def test_no_command_is_a_wrong_call() -> None:
    with pytest.raises(SystemExit) as end:
        run.main([])
    assert end.value.code == 2


EXPECTED = {
    "criterion": "indeterminate",
    "criterion_possible": ["iv-iron", "no-iron"],
    "disposition": "indeterminate",
    "possible": ["iv-iron", "no-iron"],
    "iron": "open",
    "needs": ["ferritin", "tsat"],
}
CASE = {
    "expected": {"mayo-2021": EXPECTED},
    "notes": ["SL1"],
    "no_notes": ["SL5"],
    "agreement": "open",
    "assumptions": ["rls=confirmed", "kidney=none"],
}
BARE = {name: EXPECTED[name] for name in run.ALWAYS}


def line(said: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"decisions": {"mayo-2021": said}, **more}


@pytest.mark.parametrize(
    "answer",
    [
        line(BARE),
        line({**BARE, "possible": ["no-iron", "iv-iron"], "needs": ["tsat", "ferritin"]}),
        line(EXPECTED, notes=["SL1", "G2"], agreement="open"),
        line(BARE, assumptions=["kidney=none", "rls=confirmed"]),
    ],
    ids=["what is asked for", "sets in any order", "with notes", "with assumptions"],
)
def test_an_answer_as_expected_has_no_fault(answer: dict[str, Any]) -> None:
    assert list(run.faults(CASE, answer)) == []


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (line({**BARE, "criterion": "iv-iron"}), 'criterion: "iv-iron", not "indeterminate"'),
        (line({**BARE, "iron": "give"}), 'iron: "give", not "open"'),
        (line({**BARE, "disposition": "no-iron"}), 'disposition: "no-iron", not'),
        (line({**BARE, "possible": ["iv-iron"]}), 'possible: ["iv-iron"], not'),
        (line({**BARE, "needs": ["tsat", "tsat"]}), 'needs: ["tsat", "tsat"], not'),
        (line({k: v for k, v in BARE.items() if k != "needs"}), "needs: null, not"),
        (line({**BARE, "criterion_possible": ["iv-iron"]}), "criterion_possible: "),
        (line(BARE, notes=[]), "note SL1 is missing"),
        (line(BARE, notes=["SL1", "SL5"]), "note SL5 must not be"),
        (line(BARE, agreement="agree"), 'agreement: "agree", not "open"'),
        ({"decisions": {"aasm-2025": BARE}}, "mayo-2021 has no decision"),
        ({"decisions": ["mayo-2021"]}, "mayo-2021 has no decision"),
        ({"refused": "no unit"}, "is refused (no unit); it must be answered"),
    ],
    ids=[
        "criterion",
        "iron",
        "disposition",
        "possible",
        "a need twice",
        "no needs",
        "criterion_possible",
        "a note is missing",
        "a note too many",
        "agreement",
        "no guideline",
        "no object",
        "refused",
    ],
)
def test_another_answer_has_one_fault(answer: dict[str, Any], fault: str) -> None:
    (said,) = run.faults(CASE, answer)
    assert fault in said


def test_what_must_be_refused_is_not_answered() -> None:
    case = {"refused": "UnitError"}
    assert list(run.faults(case, {"refused": "no unit"})) == []
    (said,) = run.faults(case, line(BARE))
    assert said.startswith("is answered; it must be refused")


def test_a_line_in_has_the_name_and_the_input_of_a_case() -> None:
    case = run.cases()[0]
    given = json.loads(case.line)
    assert given == {"id": f"cells: {case.content['id']}", "input": case.content["input"]}
