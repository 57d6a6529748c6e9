"""config attributes -> family: the smallest sizes at which each kind of model still does all that it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LAYERS = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 32, "intermediate_size": 64}
ENCODER = {**LAYERS, "vocab_size": 99, "max_position_embeddings": 48, "type_vocab_size": 2}
ROBERTA = {**ENCODER, "max_position_embeddings": 50, "type_vocab_size": 1}
ROTARY = {**LAYERS, "vocab_size": 99, "max_position_embeddings": 48, "pad_token_id": 0}
GROUPED = {**ROTARY, "num_key_value_heads": 2}
GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99, "n_positions": 48}
ENDS = {"bos_token_id": 97, "eos_token_id": 98}
T5 = {
    "vocab_size": 99,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 64,
    "num_layers": 2,
    "num_heads": 4,
    "decoder_start_token_id": 0,
}
BART = {
    "vocab_size": 99,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 48,
}
MARIAN = {**BART, "pad_token_id": 98, "eos_token_id": 0, "decoder_start_token_id": 98, "forced_eos_token_id": 0}
T5GEMMA = {**GROUPED, "head_dim": 8, "sliding_window": 8}
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}


@dataclass(frozen=True, slots=True)
class Family:
    """The stem of a family's classes (`Bert`), its usual head and its tiny config."""

    stem: str
    head: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    """Heads whose class exists, and wants another config."""

    def class_name(self, head: str) -> str:
        """The name of the class with this head."""
        return self.stem + head
