"""two examples -> exit code: 0 only where the right export is green and the wrong one is red, as it must be.

Run by `make demo`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
GREEN = EXAMPLES / "test_minilm.py"
RED = EXAMPLES / "red" / "shapes.py"
USUAL_CHECKS = ["trace", "tied_weights", "parity", "shapes", "padding", "round_trip"]


def main() -> int:
    """Both runs, and whether they came out as they must."""
    print("1. all-MiniLM-L6-v2, real weights: its export is right\n", flush=True)
    green = failures(GREEN)
    print("\n2. Longformer, traced at (2, 7): its export runs at other sizes and answers wrongly\n", flush=True)
    red = failures(RED)
    if green == [] and red == ["shapes"]:
        print("\nThe demo came out as it must: MiniLM is green, and Longformer fails `shapes` and nothing else.")
        return 0
    print(f"\nThe demo did NOT come out as it must: MiniLM failed {green}, and Longformer {red} instead of ['shapes'].")
    return 1


def failures(example: Path) -> list[str] | None:
    """The checks that failed in an example; None where pytest judged nothing."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        command = [sys.executable, "-m", "pytest", str(example), "-v", "-p", "no:randomly", f"--junit-xml={report}"]
        print("$ pytest", example.relative_to(EXAMPLES.parents[1]), flush=True)
        subprocess.run([*command, "--ts-backend=jit"], check=False, cwd=EXAMPLES.parents[1])
        return failed_checks(report) if report.exists() else None


def failed_checks(report: Path) -> list[str] | None:
    """The checks that a JUnit report calls failed, in order; None where it does not name every check."""
    items = list(ET.parse(report).getroot().iter("testcase"))
    checks = {_check(item.get("name", "")): item for item in items}
    if not checks.keys() >= set(USUAL_CHECKS):
        return None
    return [
        name for name in checks if checks[name].find("failure") is not None or checks[name].find("error") is not None
    ]


def _check(name: str) -> str:
    """`shapes` from `test_x[jit-shapes]`."""
    return name.rstrip("]").rpartition("-")[2]


if __name__ == "__main__":
    sys.exit(main())
