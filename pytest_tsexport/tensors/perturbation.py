"""tensor, seed -> other numbers: what a weight is changed to, to see which answers read it.

The numbers of a tensor are a dense copy of its values, in which a dimension that `expand` made has size 1. Those of a
quantised tensor, and of any dtype that torch has no arithmetic for, are its bytes.
"""

from __future__ import annotations

import torch

from pytest_tsexport.tensors.memory import SPARSE_PARTS, Block, blocks, why_unreadable

NOISY = frozenset(
    kind
    for name in (
        *("float16", "bfloat16", "float32", "float64", "complex32", "complex64", "complex128"),
        *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"),
    )
    if (kind := getattr(torch, name, None)) is not None
)
"""Types to which noise is added; float8_e8m0fnu is not among them, because it has no sign."""

WHOLE = frozenset(
    kind
    for name in ("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
    if (kind := getattr(torch, name, None)) is not None
)
"""Types whose elements are put into another order: each is still an index or a truth value that the model knows."""

LARGEST = 1e9
"""Numbers beyond this mean "never", as in a mask: noise of their scale would drown every other number."""

ROUNDED = 16
"""Noise of fewer ULP than this is lost in rounding: numbers that hardly differ get noise of their own size."""

TRIES = 4
"""Orders that are tried until one differs: a tensor of few elements may come out as it was."""


def numbers_of(tensor: torch.Tensor) -> torch.Tensor | None:
    """A copy of its numbers; None if it has none, or if torch cannot write them one by one."""
    cells = _cells(tensor)
    if cells is None:
        return None
    if cells.dtype in NOISY | WHOLE:
        return cells.resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format)
    return _block(cells).bytes().clone(memory_format=torch.contiguous_format)


def perturbed(numbers: torch.Tensor, generator: torch.Generator, share: float = 1.0) -> torch.Tensor | None:
    """Other numbers of the same kind; None if there are none, as for integers that are all equal.

    Noise has the standard deviation of the numbers, times `share`: a mere rescaling would be hidden by a norm.
    """
    if numbers.dtype in NOISY:
        noisy = _with_noise(numbers, generator, share)
        if noisy is not None:
            return noisy
    return _reordered(numbers, generator)


def put(tensor: torch.Tensor, numbers: torch.Tensor) -> None:
    """Write numbers into a tensor, rounded to its dtype. Where one is larger, only the leading part is written."""
    cells = _cells(tensor)
    if cells is None:
        return
    with torch.inference_mode(tensor.is_inference()):  # only there may such a tensor be written to
        _write(cells, numbers)


def _write(cells: torch.Tensor, numbers: torch.Tensor) -> None:
    if cells.dtype not in NOISY | WHOLE:
        _block(cells).bytes().copy_(numbers)
        return
    sizes = tuple(zip(cells.shape, numbers.shape, strict=True))
    there = tuple(slice(None) if theirs == 1 else slice(0, theirs) for _, theirs in sizes)
    cells[there].copy_(numbers[tuple(slice(0, ours) for ours, _ in sizes)])


def carried(one: torch.Tensor, numbers: torch.Tensor, other: torch.Tensor) -> torch.Tensor | None:
    """The numbers of `other` after `numbers` were written into `one`, with which it shares elements.

    None if the two have different dtypes, or are stored in more than one block.
    """
    cells, others = _cells(one), _cells(other)
    if cells is None or others is None or cells.dtype != others.dtype or cells.device != others.device:
        return None
    written, seen = _block(cells), _block(others)
    if (written.span, written.shape, written.strides) == (seen.span, seen.shape, seen.strides):
        return _as_seen(numbers, cells, others)
    raw = _as_seen(numbers, cells, None).contiguous().reshape(-1).view(torch.uint8).reshape(written.shape)
    first = min(written.span[0], seen.span[0])
    memory = torch.zeros(max(written.span[1], seen.span[1]) - first, dtype=torch.uint8, device=cells.device)
    for block, content in ((seen, seen.bytes()), (written, raw)):
        memory.as_strided(block.shape, block.strides, block.span[0] - first).copy_(content)
    found = memory.as_strided(seen.shape, seen.strides, seen.span[0] - first).contiguous()
    if cells.dtype not in NOISY | WHOLE:
        return found
    return _as_seen(found.reshape(-1).view(others.dtype).reshape(others.shape), None, others)


def _cells(tensor: torch.Tensor) -> torch.Tensor | None:
    """The dense tensor that holds its values, each element of it once."""
    if not tensor.numel() or why_unreadable(tensor) is not None or len(blocks(tensor)) == 0:
        return None
    if tensor.is_nested or hasattr(type(tensor), "__tensor_flatten__"):
        return None
    part = tensor.detach()
    if part.layout in SPARSE_PARTS:
        part = getattr(part, SPARSE_PARTS[part.layout][-1])()
        if not part.numel():
            return None
    for dim, (size, step) in enumerate(zip(part.shape, part.stride(), strict=True)):
        if size > 1 and step == 0:
            part = part.narrow(dim, 0, 1)
    return part


def _block(cells: torch.Tensor) -> Block:
    return blocks(cells)[0]


def _as_seen(numbers: torch.Tensor, one: torch.Tensor | None, other: torch.Tensor | None) -> torch.Tensor:
    """Numbers of the view `one` as the view `other` of the same bytes shows them; None is the bytes themselves."""
    conj = [view is not None and view.is_conj() for view in (one, other)]
    negative = [view is not None and view.is_neg() for view in (one, other)]
    numbers = numbers.conj().resolve_conj() if conj[0] != conj[1] else numbers
    return -numbers if negative[0] != negative[1] else numbers


def _with_noise(numbers: torch.Tensor, generator: torch.Generator, share: float) -> torch.Tensor | None:
    """None if there is no finite number, or if some are so large that noise of their scale would hide all others."""
    wide = torch.float64 if numbers.dtype in (torch.float64, torch.complex128) else torch.float32
    real = (torch.view_as_real(numbers) if numbers.is_complex() else numbers).to("cpu", wide)
    finite = real[real.isfinite()]
    if not finite.numel() or float(finite.abs().max()) > LARGEST:
        return None
    largest, narrow = float(finite.abs().max()), torch.finfo(numbers.dtype)
    deviation = float(finite.std(correction=0))
    lost = deviation <= max(ROUNDED * narrow.eps * largest, narrow.tiny)
    scale = (largest or 1.0) if lost else deviation
    noise = torch.randn(real.shape, generator=generator, dtype=wide) * (scale * share)
    noisy = torch.where(real.isfinite(), (real + noise).clamp(narrow.min, narrow.max), real)
    if numbers.is_complex():
        return torch.view_as_complex(noisy.to(torch.view_as_real(numbers).dtype)).to(numbers.device)
    return noisy.to(numbers.device, numbers.dtype)


def _reordered(numbers: torch.Tensor, generator: torch.Generator) -> torch.Tensor | None:
    rows = numbers.contiguous().reshape(-1).view(torch.uint8).reshape(-1, numbers.element_size())
    for _ in range(TRIES):
        other = rows[torch.randperm(len(rows), generator=generator).to(rows.device)]
        if not torch.equal(other, rows):
            return other.reshape(-1).view(numbers.dtype).reshape(numbers.shape)
    return None
