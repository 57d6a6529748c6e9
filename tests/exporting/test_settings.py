"""Proves that settings that an exporter left changed are named and set back, and that imports are nobody's fault."""

from __future__ import annotations

import functools
import subprocess
import sys
import types
from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from torch.backends import cuda

from pytest_tsexport.exporting.settings import SETTINGS, Settings
from pytest_tsexport.testing.wrong_sources import PROCESS_HARMS


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
    assert before.changes() == (text,)


def _nothing(module: object, given: object, answer: object) -> None:
    """A hook that changes nothing."""


CHANGES: dict[str, Callable[[], object]] = {
    "torch's default dtype": lambda: torch.set_default_dtype(torch.float16),
    "torch's default device": lambda: torch.set_default_device("meta"),
    "grad mode": lambda: torch.set_grad_enabled(False),
    "autocast on the CPU": lambda: torch.set_autocast_enabled(*("cpu", True)),
    "the debug mode of deterministic algorithms": lambda: torch.use_deterministic_algorithms(True),
    "torch's float32 matmul precision": lambda: torch.set_float32_matmul_precision("medium"),
    "torch's number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "flushing of denormal numbers": lambda: torch.set_flush_denormal(True),
    "anomaly detection of autograd": lambda: torch.autograd.set_detect_anomaly(True),
    "the number of global hooks of modules": lambda: torch.nn.modules.module.register_module_forward_hook(_nothing),
    "torch.backends.mkldnn.enabled": lambda: setattr(torch.backends.mkldnn, "enabled", False),
    "torch.backends.cudnn.enabled": lambda: setattr(torch.backends.cudnn, "enabled", False),
    "flash attention": lambda: cuda.enable_flash_sdp(False),
    "memory-efficient attention": lambda: cuda.enable_mem_efficient_sdp(False),
    "math attention": lambda: cuda.enable_math_sdp(False),
}


def test_every_setting_is_tried() -> None:
    assert CHANGES.keys() == SETTINGS.keys()


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_seen_and_set_back(name: str) -> None:
    before = Settings.now()
    CHANGES[name]()
    try:
        (text,) = before.changes()
    finally:
        before.restore()
    assert text.startswith(f"{name}: {before.values[name]} became ")
    assert Settings.now().values == before.values
    assert before.changes() == ()


def test_a_global_hook_that_is_gone_is_added_again(before: Settings) -> None:
    handle = torch.nn.modules.module.register_module_forward_hook(_nothing)
    try:
        settings = Settings.now()
        torch.nn.modules.module._global_forward_hooks.clear()
        assert settings.changes() == ("the number of global hooks of modules: 1 became 0",)
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
    assert before.changes() == (f"{called} was replaced",)
    before.restore()
    assert getattr(owner, name) is old


def test_a_function_that_is_gone_was_replaced(before: Settings) -> None:
    old = F.gelu
    del F.gelu
    assert before.changes() == ("torch.nn.functional.gelu was replaced",)
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
    assert later.changes() == ("torch.nn.functional.gelu was replaced",)


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
