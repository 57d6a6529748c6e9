"""Proves that what a package sets while it is imported stays, and that what it sets later does not."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from pytest_tsexport.exporting.settings import settings_put_back
from pytest_tsexport.subjects.new_imports import SET_BY, set_by_imports, variable_set_by_imports
from pytest_tsexport.subjects.process_state import ANSWERS, THREADS, answers_put_back

NAME = "tsexport_new_package"
DTYPE = "torch's default dtype"
HOOKS = "the number of global hooks of modules"

Import = Callable[[str], None]


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Import]:
    """Imports a package with that source."""

    def run(source: str) -> None:
        tmp_path.joinpath(f"{NAME}.py").write_text(source, encoding="utf-8")
        importlib.import_module(NAME)

    monkeypatch.syspath_prepend(str(tmp_path))
    yield run
    sys.modules.pop(NAME, None)
    torch.set_default_dtype(torch.float32)
    torch.nn.modules.module._global_forward_hooks.clear()


def test_every_setting_of_torch_has_its_words() -> None:
    assert SET_BY.keys() == {*ANSWERS, THREADS}


SETS_IT = {
    "statement": "import torch\ntorch.set_default_dtype(torch.float64)\n",
    "if": "import torch\nif torch.version:\n    torch.set_default_dtype(torch.float64)\n",
    "function": "import torch\ndef set_up():\n    torch.set_default_dtype(torch.float64)\nset_up()\n",
}


@pytest.mark.parametrize("source", SETS_IT.values(), ids=SETS_IT)
@pytest.mark.parametrize("block", [settings_put_back, answers_put_back])
def test_what_an_import_sets_stays_and_is_not_told(block: Callable[..., object], source: str, imported: Import) -> None:
    with block() as changes:  # type: ignore[attr-defined]
        imported(source)
    assert changes == []
    assert torch.get_default_dtype() is torch.float64


SETS_IT_LATER = {
    "function": "import torch\ndef set_up():\n    torch.set_default_dtype(torch.float64)\n",
    "lambda": "import torch\nset_up = lambda: torch.set_default_dtype(torch.float64)\n",
    "name": "import torch\nchange = torch.set_default_dtype\ndef set_up():\n    change(torch.float64)\n",
}


@pytest.mark.parametrize("source", SETS_IT_LATER.values(), ids=SETS_IT_LATER)
@pytest.mark.parametrize("block", [settings_put_back, answers_put_back])
def test_what_it_sets_when_it_is_called_does_not(block: Callable[..., object], source: str, imported: Import) -> None:
    """It is called for the next subject too."""
    with block() as changes:  # type: ignore[attr-defined]
        imported(source)
        sys.modules[NAME].set_up()
    assert [change.name for change in changes] == [DTYPE]
    assert torch.get_default_dtype() is torch.float32


def test_an_import_excuses_no_other_setting(imported: Import) -> None:
    with settings_put_back() as changes:
        imported(SETS_IT["statement"])
        torch.set_grad_enabled(False)
    assert [change.name for change in changes] == ["grad mode"]
    assert torch.is_grad_enabled()


def test_a_global_hook_of_a_package_stays(imported: Import) -> None:
    register = "torch.nn.modules.module.register_module_forward_hook(lambda *_: None)"
    with settings_put_back() as changes:
        imported(f"import torch\nhandle = {register}\n")
    assert changes == []
    assert len(torch.nn.modules.module._global_forward_hooks) == 1


def test_an_attribute_that_is_only_read_is_not_set(imported: Import) -> None:
    imported("import torch\nis_on = torch.backends.mkldnn.enabled\n")
    assert not set_by_imports([NAME], "torch.backends.mkldnn.enabled")


def test_an_attribute_that_is_set(imported: Import) -> None:
    imported("import torch\ntorch.backends.mkldnn.enabled = torch.backends.mkldnn.enabled\n")
    assert set_by_imports([NAME], "torch.backends.mkldnn.enabled")


WRITES = (
    "os.environ['TSEXPORT_SET'] = '1'",
    'os.environ.setdefault("TSEXPORT_SET", "1")',
    "os.environ.update(TSEXPORT_SET='1')",
    "os.environ.update({'TSEXPORT_SET': '1'})",
    "os.environ.pop('TSEXPORT_SET', None)",
    "os.environ |= {'TSEXPORT_SET': '1'}",
)
READS = (
    "given = os.environ.get('TSEXPORT_SET')",
    "is_it = os.environ.get('A') and os.environ['TSEXPORT_SET'] == '1'",
    "# It is told of TSEXPORT_SET elsewhere.",
    "os.environ['TSEXPORT_SET_ELSEWHERE'] = '1'",
)


@pytest.mark.parametrize("line", [*WRITES, *READS])
def test_a_variable_is_of_a_module_that_writes_it(line: str, imported: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TSEXPORT_SET", "TSEXPORT_SET_ELSEWHERE"):
        monkeypatch.setenv(name, "0")
    imported(f"import os\n{line}\n")
    assert variable_set_by_imports([NAME], "TSEXPORT_SET") == (line in WRITES)


def test_a_variable_that_a_new_module_only_reads_is_put_back(imported: Import) -> None:
    with settings_put_back() as changes:
        imported("import os\ngiven = os.environ.get('TSEXPORT_SET')\n")
        os.environ["TSEXPORT_SET"] = "1"
    assert [change.text for change in changes] == ["the environment variable TSEXPORT_SET was set"]
    assert "TSEXPORT_SET" not in os.environ
