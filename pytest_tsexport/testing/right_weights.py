"""nothing -> models: right, though their weights look wrong: scaled, wrapped, small, flat, of another dtype."""

from __future__ import annotations

import torch
from torch import nn

from pytest_tsexport.testing.wrong_exports import Plain


class SmallWeights(Plain):
    """Weights of a fresh model of small initialisation: answers of 1e-3 are answers."""

    def __init__(self) -> None:
        super().__init__()
        nn.init.normal_(self.linear.weight, std=1e-3)
        nn.init.zeros_(self.linear.bias)


class LargeWeights(Plain):
    """Answers of 1e4: what one kernel may differ by is more than 1e-4."""

    def __init__(self) -> None:
        super().__init__()
        nn.init.normal_(self.linear.weight, std=1e4)


class OneFlatOutput(Plain):
    """One output never moves; the other does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([super().forward(x), torch.ones_like(x)])


class FlatBeside(Plain):
    """A constant beside the answer: not looked at, and no reason to refuse the rest."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
        return super().forward(x), torch.zeros_like(x)


class SaturatedSoftmax(Plain):
    """Probabilities of 0 and 1, and nothing between."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (super().forward(x) * 1000).softmax(-1)


class TinyProbabilities(Plain):
    """A sigmoid far on its low side."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(super().forward(x) - 30)


class WeightNormed(nn.Module):
    """A weight made anew from two others at each call."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.utils.parametrizations.weight_norm(nn.Linear(7, 7))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.linear(x)
        return answer


class SpectralNormed(nn.Module):
    """A weight divided by its largest singular value, which training alone moves."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.utils.parametrizations.spectral_norm(nn.Linear(7, 7))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.linear(x)
        return answer


class Normalised(nn.Module):
    """Batch statistics in training mode, which it is built in; running ones in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(7)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.drop(self.norm(x))
        return answer


class HalfPlain(nn.Module):
    """A layer in the dtype of its parameters."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 7, dtype=dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.linear(x).tanh()
        return answer


class FrozenParameters(Plain):
    """Requires no gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.requires_grad_(requires_grad=False)


class Hooked(Plain):
    """A forward hook of the user's doubles the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear.register_forward_hook(lambda module, given, answer: answer * 2)
