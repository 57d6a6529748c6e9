"""Two examples -> exit code: 0 only if the right export passes and the wrong one fails in `shapes` alone.

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
    """Run both, and say whether they ended as expected."""
    print("1. all-MiniLM-L6-v2, real weights: its export is right\n", flush=True)
    green = failures(GREEN)
    print("\n2. Longformer, traced at (2, 7): its export runs at other sizes and gives wrong answers\n", flush=True)
    red = failures(RED)
    if green == [] and red == ["shapes"]:
        print("\nThe demo ended as expected: MiniLM passes, and Longformer fails `shapes` and nothing else.")
        return 0
    print(f"\nThe demo did NOT end as expected: MiniLM failed {green}, and Longformer {red} instead of ['shapes'].")
    return 1


def failures(example: Path) -> list[str] | None:
    """The checks that failed in an example; None if pytest judged nothing."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        command = [sys.executable, "-m", "pytest", str(example), "-v", "-p", "no:randomly", f"--junit-xml={report}"]
        print("$ pytest", example.relative_to(EXAMPLES.parents[1]), flush=True)
        subprocess.run([*command, "--ts-backend=jit"], check=False, cwd=EXAMPLES.parents[1])
        return failed_checks(report) if report.exists() else None


def failed_checks(report: Path) -> list[str] | None:
    """The checks that failed according to a JUnit report, in order; None if the report lacks a check."""
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
