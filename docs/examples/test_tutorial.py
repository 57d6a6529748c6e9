import pytest
from transformers import BertConfig, BertForMaskedLM


@pytest.mark.torchscript
def test_bert() -> BertForMaskedLM:
    config = BertConfig(vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    return BertForMaskedLM(config)
