"""A tensor of every dtype and layout that torch has, and those whose memory it does not show."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import torch
from torch.testing._internal.two_tensor import TwoTensor

from pytest_tsexport.tensors.memory import blocks


def _of_each_dtype() -> Iterator[tuple[str, torch.Tensor]]:
    for dtype in sorted({one for one in vars(torch).values() if isinstance(one, torch.dtype)}, key=str):
        name = str(dtype).removeprefix("torch.")
        if name.startswith("q"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # quantised tensors are deprecated; files hold them all the same
                yield name, torch.quantize_per_tensor(torch.linspace(0, 3, 8), 0.1, 0, dtype)
        else:
            tensor = torch.empty(8, dtype=dtype)
            for block in blocks(tensor):
                block.memory.fill_(1)
            yield name, tensor


def _of_each_layout() -> Iterator[tuple[str, torch.Tensor]]:
    eye = torch.eye(4)
    yield from {"coo": eye.to_sparse(), "csr": eye.to_sparse_csr(), "csc": eye.to_sparse_csc()}.items()
    yield from {"bsr": eye.to_sparse_bsr((2, 2)), "bsc": eye.to_sparse_bsc((2, 2))}.items()
    yield "nested", torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    yield "jagged", torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged)
    yield (
        "per channel",
        torch.quantize_per_channel(eye, torch.ones(4), torch.zeros(4, dtype=torch.int64), 0, torch.qint8),
    )


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch calls several of these layouts a prototype
    EVERY = dict(_of_each_dtype()) | dict(_of_each_layout())


def _of_each_other_kind() -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors that differ in another way: a bit that is set, strides, a class."""
    phase = torch.polar(torch.ones(4), torch.linspace(0, 3, 4))
    yield from {"conjugate": phase.conj(), "negative": phase.conj().imag}.items()
    yield from {"expanded": torch.randn(1).expand(10**6), "columns": torch.randn(4, 8)[:, ::2]}.items()
    yield from {"no elements": torch.zeros(0, 3), "no dimension": torch.tensor(3.0)}.items()
    yield "wrapped", TwoTensor(torch.randn(3), torch.randn(3))
    with torch.inference_mode():
        yield "of inference mode", torch.randn(3)


OTHER_KINDS = dict(_of_each_other_kind())


UNREADABLE = {
    "meta": (torch.ones(3, device="meta"), "it is on the meta device, which holds no values"),
    "mkldnn": (
        torch.eye(3).to_mkldnn(),
        "torch shows no memory of a torch._mkldnn tensor (Cannot access storage of OpaqueTensorImpl)",
    ),
}
