"""Records a model before and after an export, and lists what the export changed in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from pytest_tsexport.tensors.named_tensors import named_weights
from pytest_tsexport.tensors.weights import tied_groups


@dataclass(frozen=True, slots=True)
class _Weight:
    shape: tuple[int, ...]
    dtype: torch.dtype
    device: str
    requires_grad: bool
    checksum: int


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything of a model that an export must not change; the values of weights as checksums."""

    weights: Mapping[str, _Weight]
    tied: tuple[tuple[str, ...], ...]
    training: Mapping[str, bool]

    @classmethod
    def of(cls, model: nn.Module) -> Fingerprint:
        """The fingerprint of `model` now."""
        weights = named_weights(model)
        return cls(
            weights={name: _weight(tensor) for name, tensor in weights.items()},
            tied=tuple(group.names for group in tied_groups(weights)),
            training={name: module.training for name, module in model.named_modules()},
        )

    def changes(self, later: Fingerprint) -> tuple[str, ...]:
        """What differs in `later`, each in a few words."""
        return tuple(self._changes(later))

    def _changes(self, later: Fingerprint) -> Iterator[str]:
        for names in self.tied:
            if names not in later.tied:
                yield f"{' and '.join(names)} are no longer tied"
        yield from (f"{name} is gone" for name in self.weights if name not in later.weights)
        yield from (f"{name} is new" for name in later.weights if name not in self.weights)
        for name, weight in self.weights.items():
            twin = later.weights.get(name)
            if twin is not None and twin != weight:
                yield f"{name}: {_difference(weight, twin)}"
        modes = [name for name, mode in self.training.items() if later.training.get(name, mode) != mode]
        if modes:
            yield f"the training mode of {modes[0] or 'the model'} ({len(modes)} modules)"


def _weight(tensor: torch.Tensor) -> _Weight:
    return _Weight(tuple(tensor.shape), tensor.dtype, str(tensor.device), tensor.requires_grad, _checksum(tensor))


def _checksum(tensor: torch.Tensor) -> int:
    """Weighted by position, so that swapping two values changes it."""
    if tensor.layout != torch.strided or tensor.device.type == "meta" or not tensor.numel():
        return 0
    flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).to(torch.int64)
    places = torch.arange(1, flat.numel() + 1, dtype=torch.int64)  # a sum past 64 bits wraps, the same each time
    return int((flat * places).sum())


def _difference(before: _Weight, after: _Weight) -> str:
    for what in ("shape", "dtype", "device", "requires_grad"):
        if getattr(before, what) != getattr(after, what):
            return f"{what} {getattr(before, what)} became {getattr(after, what)}"
    return "its values changed"
