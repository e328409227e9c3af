"""Runs the conformance pack against a command that reads JSON lines and writes JSON lines.

``python run.py COMMAND [ARGUMENT ...]`` feeds each case of the files beside it to the command, one
JSON object to a line, and compares what comes back. It needs Python and nothing else: copy this
folder. The forms of a line in and out: conformance.md in the documentation of rlsiron.

Exit status: 0 every case passed, 1 some failed or were not answered, 2 the command could not be
run or did not answer in the form that is asked for.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).resolve().parent
ALWAYS = ("criterion", "disposition", "possible", "iron", "needs")  # the rest where it is answered
SETS = ("criterion_possible", "possible", "needs")
PASSED, FAILED, SILENT = "passed", "failed", "not answered"


class FormError(Exception):
    """The command did not answer in the form that is asked for."""


class Case(NamedTuple):
    """One case, with the file that it stands in."""

    file: str
    content: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its name, which no other case has."""
        return f"{self.file}: {self.content['id']}"

    @property
    def line(self) -> str:
        """What the command is given."""
        return json.dumps({"id": self.id, "input": self.content["input"]}, ensure_ascii=False)


def cases(folder: Path = FOLDER) -> list[Case]:
    """Return every case of the pack, in the order of the files."""
    files = sorted(path for path in folder.glob("*.json") if path.stem != "schema")
    return [
        Case(path.stem, each)
        for path in files
        for each in json.loads(path.read_text(encoding="utf-8"))["cases"]
    ]


def answers(command: Sequence[str], given: Sequence[Case], seconds: float) -> dict[str, Any]:
    """Return what a command answers, by the id of the case."""
    lines = "".join(f"{case.line}\n" for case in given)
    try:
        ended = subprocess.run(
            command, input=lines.encode(), capture_output=True, check=False, timeout=seconds
        )
    except OSError as fault:
        raise FormError(f"cannot run {command[0]!r}: {fault.strerror}") from None
    except subprocess.TimeoutExpired:
        message = f"the command did not end within {seconds:g} seconds; --seconds gives it more"
        raise FormError(message) from None
    said = ended.stdout.decode(errors="replace")
    if ended.returncode:
        last = ended.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
        count = said.count("\n")
        raise FormError(
            f"the command ended with status {ended.returncode} after {count} lines; "
            f"its last words on stderr: {last[0]}"
        )
    return in_order(said, [case.id for case in given])


def in_order(said: str, ids: Sequence[str]) -> dict[str, Any]:
    """Return the answers by id; each must come once, and in the order of the cases."""
    place = {id_: at for at, id_ in enumerate(ids)}
    found: dict[str, Any] = {}
    last = -1
    for number, line in enumerate(filter(str.strip, said.split("\n")), 1):
        try:
            answer = json.loads(line)
        except ValueError:
            raise FormError(f"line {number} of the answers is not JSON: {line[:80]!r}") from None
        id_ = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(id_, str):
            message = f'line {number} of the answers is not an object with an "id": {line[:80]!r}'
            raise FormError(message)
        if id_ not in place:
            raise FormError(f"line {number} answers {id_!r}, which was not asked")
        if id_ in found:
            raise FormError(f"line {number} answers {id_!r} a second time")
        if place[id_] < last:
            message = f"line {number} answers {id_!r} out of order; answer as you are asked"
            raise FormError(message)
        last = place[id_]
        found[id_] = answer
    return found


def faults(case: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield each way in which an answer is not as the case expects."""
    if "refused" in case:
        if not answer.get("refused"):
            yield 'is answered; it must be refused, with "refused" and a reason'
        return
    if "refused" in answer:
        yield f"is refused ({answer['refused']}); it must be answered"
        return
    decisions = answer.get("decisions")
    for guideline, expected in case["expected"].items():
        said = decisions.get(guideline) if isinstance(decisions, dict) else None
        if not isinstance(said, dict):
            yield f"{guideline} has no decision"
            continue
        for field, wanted in expected.items():
            if (field in said or field in ALWAYS) and not alike(field, said.get(field), wanted):
                yield f"{guideline} {field}: {shown(said.get(field))}, not {shown(wanted)}"
    yield from beside(case, answer)


def beside(case: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield faults of what need not be answered: notes, agreement, assumptions, the TSAT."""
    notes = answer.get("notes")
    if isinstance(notes, list):
        yield from (
            f"note {code} is missing" for code in case.get("notes", []) if code not in notes
        )
        yield from (
            f"note {code} must not be" for code in case.get("no_notes", []) if code in notes
        )
    for field in ("agreement", "assumptions", "tsat"):
        if field in case and field in answer and not alike(field, answer[field], case[field]):
            yield f"{field}: {shown(answer[field])}, not {shown(case[field])}"


def alike(field: str, said: object, wanted: object) -> bool:
    """Whether two values are the same; of a set, in any order."""
    if field in (*SETS, "assumptions") and isinstance(said, list) and isinstance(wanted, list):
        return sorted(map(str, said)) == sorted(map(str, wanted))
    return said == wanted


def shown(value: object) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def table(results: Mapping[str, Counter[str]]) -> str:
    """Return the counts of each file, and of all."""
    total = sum(results.values(), Counter[str]())
    rows: list[tuple[str, ...]] = [("file", "cases", PASSED, FAILED, SILENT)]
    rows += [
        (name, *(str(count) for count in (of.total(), of[PASSED], of[FAILED], of[SILENT])))
        for name, of in [*results.items(), ("all", total)]
    ]
    first = max(len(row[0]) for row in rows)
    return "\n".join(
        row[0].ljust(first) + "".join(cell.rjust(14) for cell in row[1:]) for row in rows
    )


def judge(given: Sequence[Case], found: Mapping[str, Any], *, most: int) -> int:
    """Print the table and the first failures, and return the exit status."""
    results: dict[str, Counter[str]] = {}
    told: list[str] = []
    for case in given:
        answer = found.get(case.id)
        wrong = [] if answer is None else list(faults(case.content, answer))
        outcome = SILENT if answer is None else FAILED if wrong else PASSED
        results.setdefault(case.file, Counter())[outcome] += 1
        if wrong:
            tests = ", ".join(case.content["tests"])
            told.append("\n  ".join([f"{case.id}  (tests {tests})", *wrong]))
    print(table(results))  # noqa: T201
    if told:
        print(f"\nThe first {len(told[:most])} of {len(told)} failures:")  # noqa: T201
        print("\n".join(told[:most]))  # noqa: T201
    return int(any(counts[PASSED] < counts.total() for counts in results.values()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the pack against the command that is given, and return the exit status."""
    parser = argparse.ArgumentParser(description="Run the conformance pack against a command.")
    parser.add_argument("--failures", type=int, default=10, metavar="N", help="how many to print")
    parser.add_argument(
        "--seconds", type=float, default=600, metavar="N", help="how long it may run"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help="the command and its arguments")
    given = parser.parse_args(arguments)
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if not command:
        parser.error("name the command to run, such as: run.py ./my-implementation --json")
    asked = cases()
    try:
        found = answers(command, asked, given.seconds)
    except FormError as fault:
        print(f"error: {fault}", file=sys.stderr)  # noqa: T201
        return 2
    return judge(asked, found, most=given.failures)


if __name__ == "__main__":
    sys.exit(main())
