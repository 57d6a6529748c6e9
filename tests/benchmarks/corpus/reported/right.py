"""nothing -> reports: exports that somebody suspected, or that were wrong with an older torch; they are right."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from pytest_tsexport.testing import Specimen, exporters
from tests.benchmarks.corpus.reported.answers import Reported
from tests.benchmarks.corpus.reported.inputs import floats, ids, masked
from tests.benchmarks.corpus.reported.sizes import ReversesWindows


class WritesColumn(nn.Module):
    """pytorch/pytorch#43548: a column is written in place; the trace kept the length of the slice."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        written = x.clone()
        written[:, :, 2] = torch.arange(x.shape[1]).eq(1).float()[None]
        return written


class DividesByNumel(nn.Module):
    """pytorch/pytorch#74047: `numel` was a constant of the trace."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum() / x.numel()


class AddsPositionsOfSize(nn.Module):
    """pytorch/pytorch#12579: a size that is given to `arange` was a constant of the trace."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.arange(x.size(1))


class HalvesImages(nn.Module):
    """pytorch/pytorch#10654: half the size of an image was 0 in a trace."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)


class AddsAtIndex(nn.Module):
    """pytorch/pytorch#29008: an addition in place at an index left nothing in the trace."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        added = x.clone()
        added[:, torch.tensor([2, 1, 3])] += 1.5
        return added


class SlicesToItsEnd(nn.Module):
    """pytorch/pytorch#11156: a slice that ended where the example ended was left out of the trace."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[0:5, 0]


class RegressesByKernel(nn.Module):
    """cornellius-gp/gpytorch#1803: a Gaussian process, whose traces differ from one another as graphs."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("points", torch.randn(6, 2))
        self.register_buffer("values", torch.randn(6, 1))

    def kernel(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (-(x[:, None] - y[None]).square().sum(-1)).exp()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        points, values = self.get_buffer("points"), self.get_buffer("values")
        factor = torch.linalg.cholesky(self.kernel(points, points) + 0.1 * torch.eye(6))
        answer: torch.Tensor = self.kernel(x, points) @ torch.cholesky_solve(values, factor)
        return answer


class FloorsDistances(nn.Module):
    """pytorch/pytorch#40696: distances are floored to a grid, where the least difference shows."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (torch.sqrt(x[:, 0] ** 2 + x[:, 1] ** 2) / 50 * 288).floor()


class ScalesByHeadSize(nn.Module):
    """huggingface/transformers#3954: the tracer warns of a square root that is a constant; that size never varies."""

    def __init__(self) -> None:
        super().__init__()
        self.key = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = x @ self.key(x).transpose(1, 2) / math.sqrt(x.size(-1))
        answer: torch.Tensor = scores.softmax(-1) @ x
        return answer


class ConvolvesAndNormalises(nn.Module):
    """pytorch/pytorch#18312: a convolution with batch norm, whose bits were said to depend on the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.filter, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.norm(self.filter(x))).mean((2, 3))


class PoolsAndNormalises(nn.Module):
    """pytorch/pytorch#145207: eager was asked in training mode there, and the trace in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.lift, self.pool, self.norm = nn.Linear(1, 43), nn.MaxPool2d((2, 42), 2), nn.BatchNorm2d(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.norm(self.pool(self.lift(x)))
        return answer


class DividesBySizes(nn.Module):
    """pytorch/pytorch#37748: freezing a trace that was never saved folded its sizes into constants."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum((0, 1)) / (x.size(0) * x.size(1))


class TiesHead(nn.Module):
    """huggingface/transformers#18207: tied weights can be traced; nothing has to be cloned for that."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 4), nn.Linear(4, 50, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(self.embed(ids).cumsum(1))
        return answer


class AnswersByName(nn.Module):
    """pytorch/pytorch#27743: outputs in a dict, which torch's own trace refuses."""

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"last": x.sin(), "mean": x.mean(1)}


class StacksInHalf(nn.Module):
    """pytorch/pytorch#104405: bfloat16, in which no trace stays within the tolerance of torch's own check."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 16), nn.GELU(), nn.Linear(16, 16), nn.GELU(), nn.Linear(16, 4))
        self.bfloat16()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.layers(x)
        return answer


class AttendsToReal(nn.Module):
    """huggingface/transformers#11597: a trace of an encoder takes texts of any length, against its documentation."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(50, 8), nn.Embedding(48, 8)
        self.query, self.norm = nn.Linear(8, 8), nn.LayerNorm(8)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.words(ids) + self.places(torch.arange(ids.shape[1]))
        hidden = torch.finfo(torch.float32).min * (1 - mask[:, None].to(torch.float32))
        scores = self.query(states) @ states.transpose(1, 2) + hidden
        answer: torch.Tensor = self.norm(states + scores.softmax(-1) @ states)
        return answer


class RefusesOtherBatches(nn.Module):
    """pytorch/pytorch#62756: chunks of the traced batch, as in LED; any other batch raises, which is safe."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(int(x.shape[0]), 2, 4, 3).mean(2)


class AddsToListOfSizes(nn.Module):
    """huggingface/transformers#14457: `+=` on an element of a list of sizes, as in LayoutLMv2."""

    def forward(self, x: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        sizes = list(x.size())
        sizes[1] = sizes[1] + image.shape[1]
        return torch.cat([x, image], 1) + torch.arange(sizes[1])


class RepeatsByTensor(nn.Module):
    """ming024/FastSpeech2#35: the same repetition by the operator that takes durations as a tensor."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.repeat_interleave(x, (x[:, 0] > 0).to(torch.int64) + 1, dim=0)


class ReversesWindowsByChannels(ReversesWindows):
    """ZhengPeng7/BiRefNet#166: the repaired window_reverse: the number of channels is fixed, not the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(3, 3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        windows = self.windows(self.mix(image))
        channels = int(windows.shape[-1])
        parts = windows.view(-1, 2, 2, 2, 2, channels).permute(0, 1, 3, 2, 4, 5)
        return parts.contiguous().view(-1, 4, 4, channels)


def _row(source: str, build: Any, inputs: Any, shows: Any, **keywords: Any) -> Reported:
    return Reported(source, Specimen(build=build, family="reported", inputs=inputs, keywords=keywords), shows)


def _bfloat16(*shape: int) -> dict[str, torch.Tensor]:
    return {name: tensor.bfloat16() for name, tensor in floats(*shape).items()}


def _page(batch: int, length: int) -> dict[str, torch.Tensor]:
    return {**floats(batch, length), **floats(batch, 3, name="image")}


def reported_right() -> tuple[Reported, ...]:
    """Every report of an export that is right."""
    image = tuple(partial(floats, batch, 4, 4, 3, name="image") for batch in (2, 5))
    frozen: dict[str, Any] = {"export": exporters.frozen}
    return (
        _row("pytorch/pytorch#43548", WritesColumn, partial(floats, 1, 4, 3), partial(floats, 1, 7, 3)),
        _row("pytorch/pytorch#74047", DividesByNumel, partial(floats, 2, 3, 4), partial(floats, 3, 3, 4)),
        _row("pytorch/pytorch#12579", AddsPositionsOfSize, partial(floats, 2, 3), partial(floats, 3, 5)),
        _row("pytorch/pytorch#10654", HalvesImages, partial(floats, 1, 2, 8, 6), partial(floats, 3, 2, 9, 7)),
        _row("pytorch/pytorch#29008", AddsAtIndex, partial(floats, 2, 5), partial(floats, 3, 8)),
        _row("pytorch/pytorch#11156", SlicesToItsEnd, partial(floats, 5, 3), partial(floats, 8, 3)),
        _row("cornellius-gp/gpytorch#1803", RegressesByKernel, partial(floats, 3, 2), partial(floats, 7, 2)),
        _row("pytorch/pytorch#40696", FloorsDistances, partial(floats, 3, 4), partial(floats, 9, 4)),
        _row("huggingface/transformers#3954", ScalesByHeadSize, partial(floats, 2, 7, 4), partial(floats, 3, 9, 4)),
        _row("pytorch/pytorch#18312", ConvolvesAndNormalises, *(partial(floats, n, 3, 8, 8) for n in (3, 1))),
        _row("pytorch/pytorch#145207", PoolsAndNormalises, *(partial(floats, n, 1, 4, 1) for n in (24, 3))),
        _row("pytorch/pytorch#37748", DividesBySizes, *(partial(floats, 2, n, 4) for n in (7, 9)), **frozen),
        _row("pytorch/pytorch#58237", ConvolvesAndNormalises, *(partial(floats, n, 3, 8, 8) for n in (2, 4)), **frozen),
        _row("huggingface/transformers#18207", TiesHead, partial(ids, 2, 7), partial(ids, 3, 9)),
        _row("pytorch/pytorch#27743", AnswersByName, partial(floats, 2, 7), partial(floats, 3, 9)),
        _row("pytorch/pytorch#104405", StacksInHalf, partial(_bfloat16, 2, 4), partial(_bfloat16, 5, 4)),
        _row("huggingface/transformers#11597", AttendsToReal, partial(masked, 7, 7), partial(masked, 4, 9, length=9)),
        _row("pytorch/pytorch#62756", RefusesOtherBatches, partial(floats, 2, 8, 3), partial(floats, 4, 8, 3)),
        _row("huggingface/transformers#14457", AddsToListOfSizes, partial(_page, 2, 7), partial(_page, 3, 9)),
        _row("ming024/FastSpeech2#35", RepeatsByTensor, partial(floats, 5, 2), partial(floats, 8, 2)),
        _row("ZhengPeng7/BiRefNet#166", ReversesWindowsByChannels, *image),
    )
