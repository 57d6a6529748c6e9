"""Where the elements of a tensor lie in memory, for every dtype and layout that torch has.

Two tensors share elements if one byte belongs to both. Neither names nor address ranges decide that: `fused[:, :7]` and
`fused[:, 7:]` lie in one range and share nothing; `w` and `w.T` share everything. Quantised, complex and float8 tensors
are looked at as bytes, because torch cannot compare them by its operators: a view of a quantised tensor as bytes ends
the process.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.nn.parameter import is_lazy

from pytest_tsexport.config.shown import first_line

SPARSE_PARTS = {
    torch.sparse_coo: ("_indices", "_values"),
    torch.sparse_csr: ("crow_indices", "col_indices", "values"),
    torch.sparse_bsr: ("crow_indices", "col_indices", "values"),
    torch.sparse_csc: ("ccol_indices", "row_indices", "values"),
    torch.sparse_bsc: ("ccol_indices", "row_indices", "values"),
}
"""The methods that return the dense tensors in which a sparse one is stored."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A strided set of bytes: `shape` and `strides` count bytes, the last dimension runs through one element.

    `memory` is the whole storage as bytes, and `start` the place of the first byte in it.
    """

    memory: torch.Tensor
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def span(self) -> tuple[int, int]:
        """The address of the first byte, and the one after the last."""
        first = self.memory.data_ptr() + self.start
        return first, first + 1 + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))

    @property
    def is_dense(self) -> bool:
        """Whether every byte between the first and the last belongs to it."""
        start, stop = self.span
        return self.bytes().numel() == stop - start

    @property
    def device(self) -> torch.device:
        """Where it is: addresses of two devices mean nothing to each other."""
        return self.memory.device

    def bytes(self) -> torch.Tensor:
        """Its bytes as a view; a dimension that repeats the same bytes is there once."""
        return self.memory.as_strided(self.shape, self.strides, self.start)

    def within(self, first: int, stop: int) -> torch.Tensor:
        """For each byte from address `first` to `stop`, which holds the whole block: whether it belongs to it."""
        found = torch.zeros(stop - first, dtype=torch.bool)
        found.as_strided(self.shape, self.strides, self.span[0] - first).fill_(1)
        return found


def why_unreadable(tensor: torch.Tensor) -> str | None:
    """Why the memory of a tensor cannot be read; None if it can."""
    if tensor.is_meta:
        return "it is on the meta device, which holds no values"
    if is_lazy(tensor):
        return "it has no size before the first call"
    try:
        for part in stored_tensors(tensor):
            part.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError) as error:
        return f"torch shows no memory of a {tensor.layout} tensor ({first_line(error)})"
    return None


def stored_tensors(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    """The strided tensors in which a tensor is stored: itself, or those of a sparse, a nested or a wrapped one."""
    if hasattr(type(tensor), "__tensor_flatten__"):
        names, _ = tensor.__tensor_flatten__()  # type: ignore[attr-defined]  # of wrapper subclasses only
        for name in names:
            yield from stored_tensors(getattr(tensor, name))
    elif tensor.is_nested:
        yield from tensor.detach().unbind()
    elif tensor.layout in SPARSE_PARTS:
        yield from (getattr(tensor.detach(), part)() for part in SPARSE_PARTS[tensor.layout])
    else:
        yield tensor.detach()


def blocks(tensor: torch.Tensor) -> tuple[Block, ...]:
    """The memory of a tensor; empty if it has no elements, or if `why_unreadable`.

    A sparse tensor has a block for its values and one for each kind of index, a nested or a wrapped one has those of
    the tensors in it.
    """
    if why_unreadable(tensor) is not None:
        return ()
    return tuple(_block(part) for part in stored_tensors(tensor) if part.numel())


def share_elements(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether some byte belongs to both, whatever their dtypes, shapes and strides are."""
    return any(_overlap(ours, theirs) for ours in blocks(one) for theirs in blocks(other))


def joined(tensors: Sequence[torch.Tensor]) -> list[list[int]]:
    """The connected components of tensors that share elements, as their places.

    Only those are compared whose ranges overlap, and that are not joined already.
    """
    parts = sorted(
        ((str(block.device), *block.span, place) for place, tensor in enumerate(tensors) for block in blocks(tensor))
    )
    component = {place: [place] for place in range(len(tensors))}
    open_parts: list[tuple[str, int, int, int]] = []
    for part in parts:
        device, start, _, place = part
        open_parts = [one for one in open_parts if one[0] == device and one[2] > start]
        for *_, other in open_parts:
            if component[other] is not component[place] and share_elements(tensors[other], tensors[place]):
                joined = component[other] + component[place]
                component.update(dict.fromkeys(joined, joined))
        open_parts.append(part)
    return list({id(places): places for places in component.values()}.values())


def digest(tensor: torch.Tensor) -> str:
    """A hash of dtype, shape, layout and values, in row-major order; strides and storage do not change it.

    Where `why_unreadable`, it is a hash of dtype, shape and layout alone.
    """
    found = hashlib.blake2b(_described(tensor).encode(), digest_size=16)
    for block in blocks(tensor):
        flat = block.bytes().cpu().contiguous()
        found.update((ctypes.c_char * flat.numel()).from_address(flat.data_ptr()))
    return found.hexdigest()


def _block(tensor: torch.Tensor) -> Block:
    storage, size = tensor.untyped_storage(), tensor.element_size()
    memory = torch.empty(0, dtype=torch.uint8, device=tensor.device).set_(storage)
    # A dimension of stride 0 repeats its elements, which `expand` makes: they are there once.
    shape = tuple(1 if step == 0 else n for n, step in zip(tensor.shape, tensor.stride(), strict=True))
    strides = tuple(step * size for step in tensor.stride())
    block = Block(memory, int(tensor.storage_offset()) * size, (*shape, size), (*strides, 1))
    if block.span[1] > memory.data_ptr() + memory.numel():  # several elements a byte, as quint4x2 has them
        return Block(memory, 0, (memory.numel(),), (1,))
    return block


def _overlap(one: Block, other: Block) -> bool:
    spans = (one.span, other.span)
    first, stop = min(start for start, _ in spans), max(stop for _, stop in spans)
    if one.device != other.device or max(start for start, _ in spans) >= min(end for _, end in spans):
        return False
    if (one.is_dense and other.is_dense) or (spans[0] == spans[1] and one.strides == other.strides):
        return True
    return bool((one.within(first, stop) & other.within(first, stop)).any())


def _described(tensor: torch.Tensor) -> str:
    if is_lazy(tensor):
        return repr(type(tensor))
    said = [tensor.dtype, () if tensor.is_nested else tuple(tensor.shape), tensor.layout]
    if tensor.layout == torch.strided and not tensor.is_nested:
        said += [tensor.is_conj(), tensor.is_neg()]
    if tensor.is_quantized:
        said += _scales(tensor)
    return repr(said)


def _scales(tensor: torch.Tensor) -> list[object]:
    """How its codes are turned into numbers."""
    if tensor.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
        return [tensor.q_scale(), tensor.q_zero_point()]
    return [
        tensor.q_per_channel_axis(),
        tensor.q_per_channel_scales().tolist(),
        tensor.q_per_channel_zero_points().tolist(),
    ]
