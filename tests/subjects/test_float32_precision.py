"""Proves that every way to set torch's precision in float32 is seen, told and put back, and that none raises here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from pytest_tsexport.subjects.float32_precision import INHERITS, Float32Precision
from pytest_tsexport.subjects.process_state import answers_put_back

pytestmark = pytest.mark.skipif(not hasattr(torch.backends, "fp32_precision"), reason="torch before 2.9")


AT_FIRST = Float32Precision("highest", tuple((key, "none") for key in INHERITS))


@pytest.fixture(autouse=True)
def before() -> Iterator[Float32Precision]:
    """Nothing is set, whatever another test has left."""
    start = Float32Precision.now()
    AT_FIRST.put_back()
    yield AT_FIRST
    AT_FIRST.put_back()
    assert Float32Precision.now() == AT_FIRST
    start.put_back()


def set_all(value: str) -> None:
    torch.backends.fp32_precision = value  # type: ignore[attr-defined]


def set_products(value: str) -> None:
    torch.backends.mkldnn.matmul.fp32_precision = value  # type: ignore[attr-defined]


def set_convolutions(value: str) -> None:
    torch.backends.mkldnn.conv.fp32_precision = value  # type: ignore[attr-defined]


def set_mkldnn() -> None:
    torch._C._set_fp32_precision_setter("mkldnn", "all", "bf16")


WAYS: dict[str, tuple[Callable[[], object], str]] = {
    "all": (lambda: set_all("tf32"), "generic.all tf32"),
    "mkldnn": (set_mkldnn, "mkldnn.all bf16"),
    "products": (lambda: set_products("bf16"), "mkldnn.matmul bf16"),
    "convolutions": (lambda: set_convolutions("bf16"), "highest, mkldnn.conv bf16"),
    "old": (lambda: torch.set_float32_matmul_precision("medium"), "medium, mkldnn.matmul bf16, cuda.matmul tf32"),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_is_told_and_put_back(way: str, before: Float32Precision) -> None:
    change, told = WAYS[way]
    with answers_put_back() as changes:
        change()
    assert [one.text for one in changes] == [f"torch's float32 precision: highest became {told}"]
    assert Float32Precision.now() == before


def test_an_exception_is_not_replaced() -> None:
    with pytest.raises(ValueError, match="its own"), answers_put_back():
        set_all("tf32")
        raise ValueError("its own")


def test_what_torch_does_not_tell_is_left_and_seen() -> None:
    set_all("tf32")
    with pytest.raises(RuntimeError, match="mix of the legacy and new APIs"):
        torch.get_float32_matmul_precision()
    with answers_put_back() as nothing:
        torch.zeros(1)
    assert nothing == []
    with answers_put_back() as changes:
        set_products("bf16")
    assert [one.text for one in changes] == [
        "torch's float32 precision: generic.all tf32 became generic.all tf32, mkldnn.matmul bf16"
    ]
    set_all("none")
    assert torch.backends.mkldnn.matmul.fp32_precision == "none"  # type: ignore[attr-defined]
