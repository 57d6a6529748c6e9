"""Failing examples -> pages: the documentation shows the failure reports of real runs.

`python -m docs.red_reports` runs `docs/examples/red` and writes each report into the pages, below its comment:

    <!-- docs/examples/red/shapes.py -->
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
RED = ROOT / "docs" / "examples" / "red"
PAGES = (
    ROOT / "README.md",
    ROOT / "docs" / "reference" / "checks.md",
    ROOT / "docs" / "tutorial" / "first-export.md",
)
SEED = "3141"
BLOCK = re.compile(r"(?P<mark><!-- docs/examples/red/(?P<name>\w+)\.py -->\n```\n)(?P<text>.*?)(?P<end>```)", re.DOTALL)


def reports() -> Mapping[str, Mapping[str, str]]:
    """The failures of every example, by the name of its file and of the failed check."""
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "junit.xml"
        names = [str(path.relative_to(ROOT)) for path in sorted(RED.glob("*.py"))]
        options = [f"--junit-xml={junit}", f"--ts-seed={SEED}", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
        baseline = ["-o", f"ts_baseline={(RED / 'ts-baseline.json').relative_to(ROOT)}"]
        subprocess.run(
            [sys.executable, "-m", "pytest", *names, *options, *baseline],
            cwd=ROOT,
            check=False,
            stdout=subprocess.DEVNULL,
        )
        items = list(ET.parse(junit).getroot().iter("testcase"))
    found: dict[str, dict[str, str]] = {Path(name).stem: {} for name in names}
    for item in items:
        failure = item.find("failure")
        if failure is not None:
            file = item.get("classname", "").rpartition(".")[2]
            found[file][item.get("name", "").rstrip("]").rpartition("-")[2]] = (failure.text or "").strip()
    return found


def shown() -> Mapping[tuple[Path, str], str]:
    """The failures in the pages, by page and name of the example."""
    return {
        (page, block["name"]): block["text"]
        for page in PAGES
        for block in BLOCK.finditer(page.read_text(encoding="utf-8"))
    }


def main() -> int:
    """Write the reports of a run into the pages."""
    found = reports()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        made = BLOCK.sub(lambda block: f"{block['mark']}{found[block['name']][block['name']]}\n{block['end']}", text)
        if made != text:
            page.write_text(made, encoding="utf-8")
            print(f"wrote {page.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
