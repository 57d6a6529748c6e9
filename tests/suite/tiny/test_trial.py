"""Proves that a tiny model is one that eager runs, and that its batch norms let the signal through."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import ViTConfig, ViTModel

from pytest_tsexport.suite import tiny_model
from pytest_tsexport.suite.tiny.trial import inputs_of, measure_statistics


def test_inputs_are_those_that_eager_answers() -> None:
    config = ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=16)
    model = ViTModel(config).eval()
    assert inputs_of(model) is not None
    model.forward = model.get_input_embeddings
    assert inputs_of(model) is None
    assert inputs_of(nn.Linear(2, 2)) is None


def test_text_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("bert")
    assert inputs_of(model) is not None
    monkeypatch.setattr(type(model.encoder), "forward", lambda *_, **__: 1 / 0)
    assert inputs_of(model) is None


@pytest.mark.parametrize("model_type", ["lightglue", "deepseek_v2", pytest.param("blt", marks=pytest.mark.wide)])
def test_a_level_is_taken_that_runs(model_type: str) -> None:
    # Widths do not agree if all of them are the same, or a setting is None that is read only when the model runs.
    assert inputs_of(tiny_model(model_type)) is not None


def test_a_batch_norm_gets_the_statistics_of_what_it_gets() -> None:
    first = nn.Linear(4, 3)
    model = nn.Sequential(first, nn.BatchNorm1d(3), nn.Linear(3, 3), nn.BatchNorm1d(3)).eval()
    given = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first.weight *= 1e-2
        assert float(model(given).std(0).max()) < 0.05
    measure_statistics(model, {"input": given})
    answer = model(given)
    assert torch.allclose(answer.std(0), torch.ones(3), atol=0.05)
    assert not model.training
    assert not model[1]._forward_pre_hooks
