"""timm has used a bare `torchscript` marker for years: its tests collect and run as without the plugin.

A small file of the same pattern stands in for them everywhere. Where `TIMM_SDIST` names a folder, they are run
themselves; what must be in it:

    pip download --no-deps --no-binary :all: timm -d $TIMM_SDIST && tar xzf $TIMM_SDIST/timm-*.tar.gz -C $TIMM_SDIST
    pip install --no-deps --target $TIMM_SDIST/site torchvision pillow
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

# The shape of timm's tests/test_models.py.
PATTERN = """
import pytest

MODELS = ["resnet10t", "vit_tiny"]


def _create_fwd_test(model_name):
    return lambda x: x


@pytest.mark.base
@pytest.mark.timeout(120)
@pytest.mark.parametrize('model_name', MODELS)
@pytest.mark.parametrize('batch_size', [1])
def test_model_forward(model_name, batch_size):
    assert _create_fwd_test(model_name)(batch_size) == batch_size


@pytest.mark.torchscript
@pytest.mark.timeout(120)
@pytest.mark.parametrize('model_name', MODELS)
@pytest.mark.parametrize('batch_size', [1])
def test_model_forward_torchscript(model_name, batch_size):
    model = _create_fwd_test(model_name)
    outputs = model(batch_size)
    assert outputs == batch_size


@pytest.mark.features
@pytest.mark.torchscript
class TestLayers:
    def test_scripts(self):
        def inner(x):
            return x

        assert inner(1) == 1

    @pytest.mark.parametrize('fails', [True])
    def test_fails(self, fails):
        assert not fails
"""


def run(folder: Path, pytester: pytest.Pytester, *args: str) -> list[str]:
    """The line of each test, and the totals without their time."""
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", *args, str(folder)]
    *lines, totals = pytester.run(*command).outlines
    return [*(line for line in lines if re.match(r"\S+\.py::", line)), totals.partition(" in ")[0].strip("= ")]


@pytest.fixture
def pattern(pytester: pytest.Pytester) -> Path:
    pytester.makeini("[pytest]\nmarkers =\n    base\n    features\n    torchscript\n")
    return pytester.makepyfile(test_models=PATTERN)


@pytest.mark.slow
@pytest.mark.parametrize("args", [("-v",), ("-v", "-m", "torchscript"), ("--collect-only", "-q")], ids=" ".join)
def test_the_pattern_runs_as_without_the_plugin(
    pattern: Path, pytester: pytest.Pytester, args: tuple[str, ...]
) -> None:
    without = run(pattern, pytester, *args, "-p", "no:tsexport")
    assert any("torchscript" in line for line in without)
    assert run(pattern, pytester, *args) == without


# A torchvision that was built for CUDA cannot load its operators beside a CPU build of torch, and then cannot be
# imported at all. timm's models use none of them: it is enough that they are declared.
DECLARE_OPERATORS = """
import re
from importlib.util import find_spec
from pathlib import Path

import torch

LIBRARY = torch.library.Library("torchvision", "DEF")
SOURCE = Path(find_spec("torchvision").origin).with_name("_meta_registrations.py").read_text()
FOUND = re.findall(r'register_meta\\("(\\w+)"|register_fake\\("torchvision::(\\w+)"', SOURCE)
for names in dict.fromkeys(FOUND):
    LIBRARY.define(f"{''.join(names)}(Tensor x) -> Tensor")
"""


@pytest.fixture
def timm_tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """timm's own tests/test_models.py, ready to be imported."""
    root = os.environ.get("TIMM_SDIST")
    found = sorted(Path(root).glob("timm-*/tests/test_models.py")) if root else []
    if not root or not found:
        pytest.skip("TIMM_SDIST names no folder with timm's unpacked source distribution")
    pytester.makepyfile(declare_operators=DECLARE_OPERATORS)
    places = (Path(root, "site"), found[-1].parent.parent, pytester.path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, places)))
    return found[-1]


@pytest.mark.parametrize(
    "args",
    [("--collect-only", "-q"), ("-v", "-m", "torchscript", "-k", "test_model_forward_torchscript and resnet14t")],
    ids=["collect", "run"],
)
def test_timms_own_tests_run_as_without_the_plugin(
    timm_tests: Path, pytester: pytest.Pytester, args: tuple[str, ...]
) -> None:
    args = ("-p", "declare_operators", f"--rootdir={timm_tests.parent.parent}", *args)
    without = run(timm_tests, pytester, *args, "-p", "no:tsexport")
    assert any("test_model_forward_torchscript" in line for line in without)
    assert run(timm_tests, pytester, *args) == without
