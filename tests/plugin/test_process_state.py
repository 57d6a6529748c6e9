"""What a model, an exporter or a marked function changes in the process does not reach the next test, and is told."""

from __future__ import annotations

import pytest
import torch

from tests.plugin.conftest import Project, Run

SUBJECTS = """
import os
import random
import sys
import torch.nn.functional as F

HERE = os.getcwd()
GELU = F.gelu

def surroundings():
    return os.getcwd(), os.environ.get("TSEXPORT_SET"), list(sys.argv), torch.get_num_threads()

BEFORE = surroundings()

def as_before():
    assert surroundings() == BEFORE
    assert torch.get_default_dtype() is torch.float32
    assert torch.is_grad_enabled()
    assert F.gelu is GELU
    return Doubles()

def change_surroundings(tmp_path):
    os.chdir(tmp_path)
    os.environ["TSEXPORT_SET"] = "1"
    sys.argv.append("--fast")
    torch.set_num_threads(BEFORE[3] + 1)

class Sets(torch.nn.Module):
    def forward(self, x):
        torch.set_default_dtype(torch.float64)
        os.environ["TSEXPORT_SET"] = "1"
        F.gelu = torch.tanh
        random.seed(3)
        return x * 2

class NeedsFloat64(torch.nn.Module):
    def forward(self, x):
        assert torch.get_default_dtype() is torch.float64
        assert F.gelu is torch.tanh
        return x * 2
"""
MARKED = "@pytest.mark.torchscript(inputs=ROWS, max_examples=5, checks=['trace', 'parity'])\n"
NEXT = f"\n\n{MARKED}def test_next():\n    return as_before()\n\ndef test_plain():\n    as_before()\n"

CHANGES = {
    "function": (
        "def test_x(tmp_path):\n    torch.set_default_dtype(torch.float64)\n    F.gelu = torch.tanh\n"
        "    change_surroundings(tmp_path)\n    return NeedsFloat64()\n",
        "*the marked function changed the process until its last check, unless something else puts it back: "
        "torch's default dtype: torch.float32 became torch.float64; the number of torch's threads: *; "
        "the working directory was changed; "
        "sys.argv was changed; and 2 more*",
    ),
    "forward": (
        "def test_x():\n    return Sets()\n",
        "*changed in the process, and put back: torch's default dtype: torch.float32 became torch.float64; *",
    ),
    "hook": (
        "def test_x():\n    model = Doubles()\n"
        "    model.register_forward_hook(lambda *_: torch.set_grad_enabled(False) and None)\n"
        "    model.register_forward_hook(lambda *_: torch.set_default_dtype(torch.float64))\n    return model\n",
        "*changed in the process, and put back: torch's default dtype: torch.float32 became torch.float64*",
    ),
}


@pytest.mark.parametrize(("body", "told"), CHANGES.values(), ids=CHANGES)
def test_what_was_changed_does_not_reach_the_next_test(project: Project, run: Run, body: str, told: str) -> None:
    project(SUBJECTS + MARKED + body + NEXT)
    result = run("-W", "ignore", "-o", "console_output_style=classic")
    result.assert_outcomes(passed=5)
    text = " ".join(result.stdout.str().split())
    pytest.LineMatcher([text]).fnmatch_lines([told])
    assert text.count(told.strip("*").partition(":")[0]) == 1


def test_what_an_exporter_changes_besides_is_a_note(project: Project, run: Run) -> None:
    exporter = (
        "def ships(model, inputs, path):\n    change_surroundings('/')\n"
        "    torch.jit.save(torch.jit.trace(model, (inputs['x'],)), path)\n\n"
    )
    marked = MARKED.replace("inputs=ROWS", "inputs=ROWS, export=ships")
    project(f"{SUBJECTS}{exporter}{marked}def test_x():\n    return Doubles()\n{NEXT}")
    result = run("-W", "ignore")
    result.assert_outcomes(passed=5)
    told = "changed in the process, and put back: the number of torch's threads: "
    assert " ".join(result.stdout.str().split()).count(told) == 1


def test_a_function_that_raises_leaves_nothing(project: Project, run: Run) -> None:
    project(f"{SUBJECTS}{MARKED}def test_x(tmp_path):\n    change_surroundings(tmp_path)\n    raise ValueError\n{NEXT}")
    run("-W", "ignore").assert_outcomes(passed=3, failed=2)


def test_what_somebody_else_has_set_meanwhile_stays(project: Project, run: Run) -> None:
    """The fixture of the first item sets the variable once more when it ends, before the last item of the subject."""
    project(f"""
import os

ENDED = []

@pytest.fixture(autouse=True, scope="module")
def outer():
    os.environ["TSEXPORT_SET"] = "outer"
    yield
    del os.environ["TSEXPORT_SET"]

@pytest.fixture
def sets_once_more():
    yield
    if not ENDED:
        os.environ["TSEXPORT_SET"] = "third"
    ENDED.append(True)

{MARKED}def test_x(sets_once_more):
    os.environ["TSEXPORT_SET"] = "inner"
    return Doubles()

def test_after():
    assert ENDED
    assert os.environ["TSEXPORT_SET"] == "third"
""")
    run("-W", "ignore").assert_outcomes(passed=3)


def test_warning_filters_of_the_function_are_not_told(project: Project, run: Run) -> None:
    """pytest drops them with the phase of the test in which they are set."""
    body = "    import warnings\n    warnings.simplefilter('ignore')\n    return Doubles()\n"
    project(f"{MARKED}def test_x():\n{body}")
    result = run()
    result.assert_outcomes(passed=2)
    assert "changed the process" not in result.stdout.str()


PACKAGE = "import torch\n\ntorch.set_default_dtype(torch.float64)\n"


def test_what_a_package_sets_at_its_import_is_there_for_every_subject(project: Project, run: Run) -> None:
    subjects = SUBJECTS.replace("        assert F.gelu is torch.tanh\n", "")
    body = "    import tsexport_sets_dtype\n    return NeedsFloat64()\n\n"
    tests = "".join(f"{MARKED}def test_{name}():\n{body}" for name in "ab")
    project(subjects + tests, tsexport_sets_dtype_py=PACKAGE)
    try:
        result = run("-W", "ignore")
    finally:
        torch.set_default_dtype(torch.float32)
    result.assert_outcomes(passed=4)
    assert "changed the process" not in result.stdout.str()


def test_random_numbers_are_those_that_the_function_left(project: Project, run: Run) -> None:
    """A function may seed what a later test draws, as without the plugin; what a model draws is not noticed."""
    project(f"""
import random

class Draws(torch.nn.Module):
    def forward(self, x):
        random.random()
        torch.rand(1)
        return x * 2

{MARKED}def test_x():
    torch.manual_seed(5)
    random.seed(5)
    return Draws()

def test_after():
    drawn = (torch.rand(1).item(), random.random())
    torch.manual_seed(5)
    random.seed(5)
    assert drawn == (torch.rand(1).item(), random.random())
""")
    run("-W", "ignore").assert_outcomes(passed=3)
