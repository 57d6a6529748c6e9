"""Proves that settings that an exporter left changed are named and set back, and that imports are nobody's fault."""

from __future__ import annotations

import functools
import importlib
import os
import subprocess
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch.backends import cuda

from pytest_tsexport.exporting.settings import Settings, put_back_note, settings_put_back
from pytest_tsexport.subjects.process_state import SETTINGS, UNTOLD, answers_put_back
from pytest_tsexport.testing.wrong_sources import PROCESS_HARMS


def texts(before: Settings) -> tuple[str, ...]:
    return tuple(change.text for change in before.changes())


@pytest.fixture
def before() -> Iterator[Settings]:
    settings = Settings.now()
    yield settings
    settings.restore()
    assert settings.changes() == ()


def test_nothing_has_changed(before: Settings) -> None:
    with torch.no_grad(), torch.autocast("cpu"), torch.device("meta"):
        torch.zeros(1)
    torch.manual_seed(4)
    torch.set_num_threads(torch.get_num_threads())
    assert before.changes() == ()


@pytest.mark.parametrize("name", PROCESS_HARMS)
def test_what_an_exporter_may_leave_behind_is_named(name: str, before: Settings) -> None:
    harm, text = PROCESS_HARMS[name]
    harm(None)
    assert texts(before) == (text,)


def _nothing(module: object, given: object, answer: object) -> None:
    """A hook that changes nothing."""


CHANGES: dict[str, Callable[[], object]] = {
    "torch's default dtype": lambda: torch.set_default_dtype(torch.float16),
    "torch's default device": lambda: torch.set_default_device("meta"),
    "grad mode": lambda: torch.set_grad_enabled(False),
    "autocast on the CPU": lambda: torch.set_autocast_enabled(*("cpu", True)),
    "the debug mode of deterministic algorithms": lambda: torch.use_deterministic_algorithms(True),
    "torch's float32 precision": lambda: torch.set_float32_matmul_precision("medium"),
    "flushing of denormal numbers": lambda: torch.set_flush_denormal(True),
    "anomaly detection of autograd": lambda: torch.autograd.set_detect_anomaly(True),
    "the number of global hooks of modules": lambda: torch.nn.modules.module.register_module_forward_hook(_nothing),
    "torch.backends.mkldnn.enabled": lambda: setattr(torch.backends.mkldnn, "enabled", False),
    "torch.backends.cudnn.enabled": lambda: setattr(torch.backends.cudnn, "enabled", False),
    "flash attention": lambda: cuda.enable_flash_sdp(False),
    "memory-efficient attention": lambda: cuda.enable_mem_efficient_sdp(False),
    "math attention": lambda: cuda.enable_math_sdp(False),
    "the number of torch's threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "the working directory": lambda: os.chdir("/"),
    "sys.argv": lambda: sys.argv.append("--fast"),
}


def test_every_setting_is_tried() -> None:
    assert CHANGES.keys() == SETTINGS.keys()


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_seen_and_set_back(name: str) -> None:
    before = Settings.now()
    CHANGES[name]()
    try:
        (text,) = texts(before)
    finally:
        before.restore()
    told = f"{name} was changed" if name in UNTOLD else f"{name}: {before.state.values[name]} became "
    assert text.startswith(told)
    assert Settings.now().state.values == before.state.values
    assert before.changes() == ()


def test_a_global_hook_that_is_gone_is_added_again(before: Settings) -> None:
    handle = torch.nn.modules.module.register_module_forward_hook(_nothing)
    try:
        settings = Settings.now()
        torch.nn.modules.module._global_forward_hooks.clear()
        assert texts(settings) == ("the number of global hooks of modules: 1 became 0",)
        settings.restore()
        assert list(torch.nn.modules.module._global_forward_hooks.values()) == [_nothing]
    finally:
        handle.remove()


def test_new_tensors_are_on_the_cpu_once_the_default_device_is_set_back(before: Settings) -> None:
    torch.set_default_device("meta")
    before.restore()
    assert torch.zeros(1).device.type == "cpu"
    assert torch.utils._device.CURRENT_DEVICE is None


@pytest.mark.parametrize(
    ("owner", "name", "called"),
    [
        (torch, "softmax", "torch.softmax"),
        (F, "gelu", "torch.nn.functional.gelu"),
        (F, "layer_norm", "torch.nn.functional.layer_norm"),
        (torch.Tensor, "softmax", "torch.Tensor.softmax"),
        (torch.nn.Module, "_call_impl", "torch.nn.Module._call_impl"),
    ],
)
def test_a_function_of_torch_that_was_replaced(owner: object, name: str, called: str, before: Settings) -> None:
    old = getattr(owner, name)

    @functools.wraps(old)
    def wrapped(*given: object, **named: object) -> object:
        return old(*given, **named)

    setattr(owner, name, wrapped)
    assert texts(before) == (f"{called} was replaced",)
    before.restore()
    assert getattr(owner, name) is old


def test_a_function_that_is_gone_was_replaced(before: Settings) -> None:
    old = F.gelu
    del F.gelu
    assert texts(before) == ("torch.nn.functional.gelu was replaced",)
    before.restore()
    assert F.gelu is old


def test_a_package_may_put_its_functions_there_when_it_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """As packages for devices do it; the same function of a package that was there before is an exporter's."""
    package = types.ModuleType("faster_gelu")
    exec("def gelu(x): return x", vars(package))
    monkeypatch.setattr(F, "gelu", F.gelu)
    before = Settings.now()
    monkeypatch.setitem(sys.modules, "faster_gelu", package)
    monkeypatch.setattr(F, "gelu", package.gelu)
    assert before.changes() == ()
    before.restore()
    assert F.gelu is package.gelu
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "faster_gelu", package)
    later = Settings.now()
    monkeypatch.setattr(F, "gelu", package.gelu)
    assert texts(later) == ("torch.nn.functional.gelu was replaced",)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_torch_puts_there_itself_is_not_an_exporters_doing() -> None:
    """In a process of its own, because torch does it once, when it compiles for the first time."""
    program = """
import torch
from pytest_tsexport.exporting.settings import Settings

before = Settings.now()
old = vars(torch.nn.Module)["__init__"]
torch.use_deterministic_algorithms(True)
torch.use_deterministic_algorithms(False)
torch.compile(torch.nn.Linear(3, 3), backend="eager")(torch.ones(1, 3))
assert vars(torch.nn.Module)["__init__"] is not old
assert before.changes() == (), before.changes()
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_environment_variable_is_named_without_its_value_and_put_back(
    before: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TSEXPORT_CHANGED", "old")
    monkeypatch.setenv("TSEXPORT_REMOVED", "old")
    state = Settings.now()
    os.environ.update(TSEXPORT_CHANGED="secret", TSEXPORT_SET="secret")
    del os.environ["TSEXPORT_REMOVED"]
    assert texts(state) == (
        "the environment variable TSEXPORT_CHANGED was changed",
        "the environment variable TSEXPORT_REMOVED was removed",
        "the environment variable TSEXPORT_SET was set",
    )
    assert not any(change.decides for change in state.changes())
    state.restore()
    assert [os.environ.get(f"TSEXPORT_{name}") for name in ("CHANGED", "REMOVED", "SET")] == ["old", "old", None]


def test_a_variable_that_an_imported_package_sets_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package for a device reads it again later, and is imported once in a process."""
    tmp_path.joinpath("tsexport_sets_a_variable.py").write_text(
        "import os\n\nos.environ['TSEXPORT_OF_PACKAGE'] = '1'\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "tsexport_sets_a_variable", types.ModuleType("known to monkeypatch"))
    del sys.modules["tsexport_sets_a_variable"]
    monkeypatch.delenv("TSEXPORT_OF_PACKAGE", raising=False)
    state = Settings.now()
    importlib.import_module("tsexport_sets_a_variable")
    os.environ["TSEXPORT_OF_NOBODY"] = "1"
    assert texts(state) == ("the environment variable TSEXPORT_OF_NOBODY was set",)
    state.restore()
    assert os.environ.pop("TSEXPORT_OF_PACKAGE") == "1"
    assert "TSEXPORT_OF_NOBODY" not in os.environ


def test_warning_filters_are_named_and_put_back() -> None:
    with warnings.catch_warnings():
        state, filters = Settings.now(), list(warnings.filters)
        warnings.simplefilter("ignore")
        assert texts(state) == ("the warning filters were changed",)
        state.restore()
        assert list(warnings.filters) == filters


def test_a_warning_that_was_given_under_other_filters_is_given_again() -> None:
    def warn() -> None:
        warnings.warn("it is old", UserWarning, stacklevel=1)

    with warnings.catch_warnings(record=True):
        warnings.simplefilter("error")
        with settings_put_back():
            warnings.simplefilter("default")
            warn()
        with pytest.raises(UserWarning, match="it is old"):
            warn()


def test_filters_that_came_with_an_import_are_put_back_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        state, filters = Settings.now(), list(warnings.filters)
        monkeypatch.setitem(sys.modules, "tsexport_new", types.ModuleType("tsexport_new"))
        warnings.simplefilter("ignore")
        assert texts(state) == ()
        state.restore()
        assert list(warnings.filters) == filters


def test_a_setting_that_has_changed_again_is_somebody_elses(before: Settings) -> None:
    torch.set_default_dtype(torch.float64)
    (change,) = before.changes()
    torch.set_default_dtype(torch.float16)
    change.undo()
    assert torch.get_default_dtype() is torch.float16


def test_a_block_puts_back_what_it_changes_even_if_it_raises(tmp_path: Path) -> None:
    here = Path.cwd()
    with pytest.raises(RuntimeError, match="after the change"), settings_put_back() as changes:
        os.chdir(tmp_path)
        raise RuntimeError("after the change")
    assert [change.text for change in changes] == ["the working directory was changed"]
    assert Path.cwd() == here


def test_a_working_directory_that_was_removed_is_left(tmp_path: Path) -> None:
    removed = tmp_path / "removed"
    removed.mkdir()
    with settings_put_back() as changes:
        os.chdir(removed)
        removed.rmdir()
    assert [change.text for change in changes] == ["the working directory was changed"]


def test_no_value_that_may_be_secret_is_told(tmp_path: Path, before: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in a report nor in the local variables of a traceback."""
    monkeypatch.setattr(sys, "argv", ["pytest", "--token=secret-1"])
    monkeypatch.setenv("TSEXPORT_TOKEN", "secret-2")
    state = Settings.now()
    monkeypatch.setenv("TSEXPORT_TOKEN", "secret-3")
    monkeypatch.setattr(sys, "argv", ["pytest", "--token=secret-4"])
    monkeypatch.chdir(tmp_path)
    changes = state.changes()
    assert [change.text for change in changes] == [
        "the working directory was changed",
        "sys.argv was changed",
        "the environment variable TSEXPORT_TOKEN was changed",
    ]
    shown = f"{state!r} {changes!r} {state.state!r}"
    assert not [word for word in ("secret-", str(tmp_path), str(Path.cwd())) if word in shown]


def test_a_call_puts_back_what_answers_depend_on() -> None:
    with answers_put_back() as changes:
        torch.set_default_dtype(torch.float64)
    assert [change.text for change in changes] == ["torch's default dtype: torch.float32 became torch.float64"]
    assert torch.get_default_dtype() is torch.float32


def test_a_note_names_four_changes() -> None:
    assert put_back_note(["a"]) == "changed in the process, and put back: a"
    assert put_back_note(list("abcdef")) == "changed in the process, and put back: a; b; c; d; and 2 more"
