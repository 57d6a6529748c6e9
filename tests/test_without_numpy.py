"""Proves that the plugin needs no NumPy: neither torch nor the plugin declares it, so a plain install has none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # it runs pytest in a separate process

ROOT = Path(__file__).parents[1]

RUN = """
import sys
sys.modules["numpy"] = None  # importing it raises ImportError
import pytest
code = pytest.main(["-q", "-p", "no:randomly", "-p", "no:cacheprovider", *sys.argv[1:]])
assert sys.modules["numpy"] is None
sys.exit(code)
"""

TEST = """
import pytest, torch

class Plain(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 3)

    def forward(self, x, ids):
        return self.linear(x).relu() + ids.unsqueeze(-1)

INPUTS = {"x": torch.randn(2, 5, 4), "ids": torch.tensor([[1, 2, 3, 4, 5], [5, 4, 3, 2, 1]])}

@pytest.mark.torchscript(inputs=INPUTS, max_examples=20)
def test_right():
    return Plain()

class Frozen(Plain):
    def forward(self, x, ids):
        return self.linear(x) * int(ids.sum())

@pytest.mark.torchscript(inputs=INPUTS, checks="parity", xfail={"parity": "a frozen sum"}, max_examples=20)
def test_wrong():
    return Frozen()
"""


def test_a_plain_module_is_judged_where_numpy_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TEST, encoding="utf-8")
    command = [sys.executable, "-W", "ignore", "-c", RUN, "test_it.py", "--ts-seed=0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "1 xfailed" in done.stdout
