"""Pairs of one computation and another: right ones add in another order, wrong ones compute something else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn import functional as F

Weights = Mapping[str, torch.Tensor]
Compute = Callable[[torch.Tensor, Weights], torch.Tensor]

WIDTH = 32
LENGTH = 24
RIGHT: dict[str, tuple[Compute, Compute]] = {}
WRONG: dict[str, tuple[Compute, Compute]] = {}
COARSER: dict[str, tuple[Compute, Compute]] = {}
"""Right ones that round more often than eager's own operator, which keeps its sums in float32: they lose precision."""


class Pair(nn.Module):
    """Computes in one way or the other with the same weights."""

    def __init__(self, ways: tuple[Compute, Compute], dtype: torch.dtype) -> None:
        super().__init__()
        self.ways = ways
        self.other = False
        generator = torch.Generator().manual_seed(5)
        shapes = {"w": (WIDTH, WIDTH), "v": (WIDTH, 4 * WIDTH), "u": (4 * WIDTH, WIDTH), "b": (WIDTH,), "g": (WIDTH,)}
        for name, shape in shapes.items():
            scale = shape[0] ** -0.5 if len(shape) > 1 else 0.3
            value = torch.randn(shape, generator=generator) * scale + (name == "g")
            setattr(self, name, nn.Parameter(value.to(dtype), requires_grad=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.ways[self.other](x, dict(self.named_parameters()))


def _order(size: int) -> torch.Tensor:
    return torch.randperm(size, generator=torch.Generator().manual_seed(1))


def _linear(x: torch.Tensor, p: Weights) -> torch.Tensor:
    return x @ p["w"] + p["b"]


def _mlp(x: torch.Tensor, p: Weights) -> torch.Tensor:
    return x + F.gelu(x @ p["v"]) @ p["u"]


def _mlp_reordered(x: torch.Tensor, p: Weights) -> torch.Tensor:
    order = _order(4 * WIDTH)
    return x + F.gelu(x @ p["v"][:, order]) @ p["u"][order]


def _norm(x: torch.Tensor, p: Weights) -> torch.Tensor:
    return F.layer_norm(x, (WIDTH,), p["g"], p["b"])


def _norm_by_hand(x: torch.Tensor, p: Weights) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred * torch.rsqrt(centred.square().mean(-1, keepdim=True) + 1e-5) * p["g"] + p["b"]


def _heads(x: torch.Tensor, p: Weights) -> torch.Tensor:
    heads: torch.Tensor = (x @ p["w"]).unflatten(-1, (4, WIDTH // 4))
    return heads.transpose(1, 2)


def _attend(x: torch.Tensor, p: Weights) -> torch.Tensor:
    q = _heads(x, p)
    return F.scaled_dot_product_attention(q, q, q).transpose(1, 2).flatten(2)


def _attend_by_hand(x: torch.Tensor, p: Weights, mask: torch.Tensor | None = None) -> torch.Tensor:
    q = _heads(x, p)
    scores: torch.Tensor = q @ q.transpose(-1, -2) * q.shape[-1] ** -0.5
    scores = scores if mask is None else scores.masked_fill(~mask, float("-inf"))
    return (scores.softmax(-1) @ q).transpose(1, 2).flatten(2)


def _layers(x: torch.Tensor, p: Weights, mlp: Compute = _mlp, attend: Compute = _attend) -> torch.Tensor:
    for _ in range(4):
        x = x + attend(_norm(x, p), p)
        x = mlp(_norm(x, p), p)
    return x


def _in_float(compute: Compute) -> Compute:
    return lambda x, p: compute(x.float(), {name: one.float() for name, one in p.items()}).to(x.dtype)


def _softmax_by_hand(x: torch.Tensor, p: Weights) -> torch.Tensor:
    powers = (_linear(x, p) - _linear(x, p).amax(-1, keepdim=True)).exp()
    return powers / powers.sum(-1, keepdim=True)


RIGHT |= {
    "sum in another order": (_linear, lambda x, p: x[..., _order(WIDTH)] @ p["w"][_order(WIDTH)] + p["b"]),
    "sum of two halves": (_linear, lambda x, p: x[..., :16] @ p["w"][:16] + x[..., 16:] @ p["w"][16:] + p["b"]),
    "bias in the product": (_linear, lambda x, p: F.linear(x, p["w"].T, p["b"])),
    "in float32": (_linear, _in_float(_linear)),
    "rows one by one": (_linear, lambda x, p: torch.stack([_linear(row, p) for row in x])),
    "mlp, hidden units reordered": (_mlp, _mlp_reordered),
    "mlp in float32": (_mlp, _in_float(_mlp)),
    "layer norm, by hand in eager": (_norm_by_hand, _norm),
    "fused attention by hand": (_attend, _attend_by_hand),
    "attention by hand fused": (_attend_by_hand, _attend),
    "attention in float32": (_attend_by_hand, _in_float(_attend_by_hand)),
    "four layers, reordered": (_layers, lambda x, p: _layers(x, p, _mlp_reordered)),
    "four layers, by hand": (_layers, lambda x, p: _layers(x, p, _mlp, _attend_by_hand)),
    "four layers in float32": (_layers, _in_float(_layers)),
    "mean as a product": (lambda x, p: _linear(x, p).mean(1), lambda x, p: _linear(x, p).sum(1) / x.shape[1]),
    "mean of the product": (lambda x, p: _linear(x, p).mean(1), lambda x, p: x.mean(1) @ p["w"] + p["b"]),
    "sigmoid by hand": (lambda x, p: _linear(x, p).sigmoid(), lambda x, p: 1 / (1 + (-_linear(x, p)).exp())),
    "silu by hand": (lambda x, p: F.silu(_linear(x, p)), lambda x, p: _linear(x, p) * _linear(x, p).sigmoid()),
    "variance by squares": (
        lambda x, p: _linear(x, p).square().mean(1),
        lambda x, p: (_linear(x, p) * _linear(x, p)).sum(1) / x.shape[1],
    ),
    "three terms in another order": (
        lambda x, p: (x + _linear(x, p)) + p["g"] * x,
        lambda x, p: x + (_linear(x, p) + p["g"] * x),
    ),
    "running sum backwards": (
        lambda x, p: _linear(x, p).cumsum(1)[:, -1],
        lambda x, p: _linear(x, p).flip(1).cumsum(1)[:, -1],
    ),
    "exp of a score": (lambda x, p: _linear(x, p).exp(), _in_float(lambda x, p: _linear(x, p).exp())),
    "scale before the product": (
        lambda x, p: (x @ p["w"]) * WIDTH**-0.5,
        lambda x, p: (x * WIDTH**-0.5) @ p["w"],
    ),
    "convolution as a product": (
        lambda x, p: F.conv1d(x.transpose(1, 2), p["w"][:, :, None]).transpose(1, 2),
        lambda x, p: x @ p["w"].T,
    ),
}

COARSER |= {
    "layer norm by hand": (_norm, _norm_by_hand),
    "softmax by hand": (lambda x, p: _linear(x, p).softmax(-1), _softmax_by_hand),
    "log softmax by hand": (
        lambda x, p: _linear(x, p).log_softmax(-1),
        lambda x, p: _linear(x, p) - _linear(x, p).logsumexp(-1, keepdim=True),
    ),
}


def _window(x: torch.Tensor, p: Weights, share: float = 0.5, size: int = 12) -> torch.Tensor:
    y = _linear(x, p)
    return y + share * y[:, -size:].mean(1, keepdim=True)


def _causal(length: int, window: int = LENGTH) -> torch.Tensor:
    place = torch.arange(length)
    gap = place[:, None] - place[None]
    return (gap >= 0) & (gap < window)


WRONG |= {
    "window of 12 frozen": (_window, lambda x, p: _window(x, p, size=LENGTH)),
    "window of 12 frozen, a quarter of it": (
        lambda x, p: _window(x, p, 0.25),
        lambda x, p: _window(x, p, 0.25, LENGTH),
    ),
    "window of 22 frozen": (lambda x, p: _window(x, p, size=22), lambda x, p: _window(x, p, size=LENGTH)),
    "softmax over a window": (
        lambda x, p: _window(x, p).softmax(-1),
        lambda x, p: _window(x, p, size=LENGTH).softmax(-1),
    ),
    "mask of padding ignored": (
        lambda x, p: _attend_by_hand(x, p, (torch.arange(LENGTH) < 20).expand(LENGTH, LENGTH)),
        _attend,
    ),
    "one position not masked": (
        lambda x, p: _attend_by_hand(x, p, (torch.arange(LENGTH) < 23).expand(LENGTH, LENGTH)),
        _attend,
    ),
    "causal mask lost": (lambda x, p: _attend_by_hand(x, p, _causal(LENGTH)), _attend),
    "sliding window of 16 lost": (
        lambda x, p: _attend_by_hand(x, p, _causal(LENGTH, 16)),
        lambda x, p: _attend_by_hand(x, p, _causal(LENGTH)),
    ),
    "keys capped at 16": (_attend, lambda x, p: _attend_by_hand(x, p, (torch.arange(LENGTH) < 16).expand(LENGTH, -1))),
    "scale of the traced length": (
        lambda x, p: _linear(x, p) / math.sqrt(LENGTH),
        lambda x, p: _linear(x, p) / math.sqrt(LENGTH + 2),
    ),
    "mean over the traced length": (
        lambda x, p: _linear(x, p).sum(1) / LENGTH,
        lambda x, p: _linear(x, p).sum(1) / (LENGTH + 1),
    ),
    "layer lost": (_layers, lambda x, p: _mlp(_norm(_attend(_norm(x, p), p) + x, p), p)),
    "bias lost": (_linear, lambda x, p: x @ p["w"]),
    "a fifth of the bias more": (_linear, lambda x, p: x @ p["w"] + p["b"] * 1.2),
    "columns swapped": (_linear, lambda x, p: _linear(x, p).roll(1, -1)),
    "rows swapped": (_attend, lambda x, p: _attend(x, p).roll(1, 1)),
    "clipped at the largest of the example": (_linear, lambda x, p: _linear(x, p).clamp(-1.5, 1.5)),
    "variance of a sample": (
        _norm_by_hand,
        lambda x, p: (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True) * p["g"] + p["b"],
    ),
    "mean of the example": (_norm, lambda x, p: _norm(x - 0.1, p) + 0.1 * p["g"]),
    "position off by one": (
        lambda x, p: x + torch.arange(LENGTH)[:, None].to(x.dtype).mul(0.3).sin(),
        lambda x, p: x + torch.arange(1, LENGTH + 1)[:, None].to(x.dtype).mul(0.3).sin(),
    ),
    "last place of the traced length": (lambda x, p: _linear(x, p)[:, -1], lambda x, p: _linear(x, p)[:, 15]),
    "in the middle of four layers": (_layers, lambda x, p: _layers(x, p, _mlp, lambda x, p: _attend(x, p) * 0.95)),
    "exp and a base": (lambda x, p: _linear(x, p).exp() + 1, lambda x, p: _linear(x, p).exp()),
}
