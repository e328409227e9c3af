"""How long `import rlsiron` and the first answer take, beside pydantic and one model.

Each is a fresh process, timed from inside it; medians of many, taken in turn.
"""

import statistics
import subprocess
import sys

ROUNDS = 15
START = "import time; start = time.perf_counter()\n"
END = "\nprint(time.perf_counter() - start)"
PYDANTIC = """
from pydantic import BaseModel
class Result(BaseModel):
    analyte: str
    value: float
Result(analyte="ferritin", value=62)
"""
IMPORT = "import rlsiron"
ANSWER = """
import rlsiron
rlsiron.interpret(ferritin="62 ng/mL", tsat="18 %", patient={"age": 44, "sex": "female"})
"""


def seconds(code: str) -> float:
    """Run code in a fresh process and return how long it says that it took."""
    command = [sys.executable, "-c", START + code + END]
    done = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603 - ours
    return float(done.stdout)


def main() -> None:
    """Print the medians, and their ratios to pydantic and one model."""
    cases = {
        "import pydantic, one model": PYDANTIC,
        "import rlsiron": IMPORT,
        "the first answer": ANSWER,
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for code in cases.values():
        seconds(code)
    for _ in range(ROUNDS):
        for name, code in cases.items():
            times[name].append(seconds(code))
    one = statistics.median(times["import pydantic, one model"])
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:28} {median * 1000:7.1f} ms  {median / one:5.2f} times")


if __name__ == "__main__":
    main()
