"""Answers the lines of the conformance pack with rlsiron, as any other implementation would.

``python tests/vectors/run.py python tests/answer_vectors.py``
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

import rlsiron


def answered(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the line out for a line in."""
    try:
        answer = rlsiron.interpret(**asked["input"])
    except rlsiron.RlsironError as fault:
        return {"id": asked["id"], "refused": str(fault)}
    tsat = answer.panel.tsat
    decisions = {name: said.model_dump(mode="json") for name, said in answer.decisions.items()}
    line = {
        "id": asked["id"],
        "decisions": decisions,
        "notes": [note.code for note in answer.notes],
        "agreement": answer.agreement.verdict,
        "assumptions": list(answer.assumptions),
    }
    if tsat is not None:
        line["tsat"] = tsat.model_dump(include={"low", "high", "low_open", "high_open"})
    return line


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    for each in sys.stdin:
        print(json.dumps(answered(json.loads(each)), ensure_ascii=False))  # noqa: T201
