"""model -> another model: wrappers that an exporter puts around a model by mistake."""

from __future__ import annotations

import torch
from torch import nn


class Wrapper(nn.Module):
    """Holds the wrapped model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model


class InDouble(Wrapper):
    """Answers in float64."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return answer.double()


class OverwritesInput(Wrapper):
    """Overwrites its input with zeros."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x) + 0
        x.zero_()
        return answer


class DropsOutput(Wrapper):
    """The second output is gone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)[0]
        return answer


class SwapsOutputs(Wrapper):
    """The two outputs are swapped."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        one, two = self.model(x)
        return two, one


class SwapsInputs(Wrapper):
    """The two inputs are swapped."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(y, x)
        return answer


class AddsInput(Wrapper):
    """Asks for an input that the model does not have."""

    def forward(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x) * scale
        return answer


class IgnoresMask(Wrapper):
    """Passes ones instead of the mask."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(ids, torch.ones_like(mask))
        return answer


class NaNForNegative(Wrapper):
    """A root where the model takes the root of the size."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return torch.where(x < 0, torch.full_like(answer, float("nan")), answer)


class OffByLittle(Wrapper):
    """A hundredth of the outputs' spread: far above any kernel's noise."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return answer + 0.01


class LosesPrecision(Wrapper):
    """Computes in bfloat16, and says float32."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return answer.to(torch.bfloat16).to(answer.dtype)


class SwapsLabels(Wrapper):
    """Two labels are swapped."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)[:, [1, 0, 2, 3, 4, 5, 6]]
        return answer


class SwapsRows(Wrapper):
    """The rows of the output are in another order than the rows of the batch."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x).flip(0)
        return answer
