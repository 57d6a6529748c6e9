"""name -> family: encoder-decoders."""

from __future__ import annotations

from collections.abc import Mapping

from tests.subjects.family import BART, MARIAN, T5, T5GEMMA, Family

ENCODER_DECODERS: Mapping[str, Family] = {
    "t5": Family("T5", "ForConditionalGeneration", {**T5, "relative_attention_num_buckets": 8}),
    "mt5": Family("MT5", "ForConditionalGeneration", T5),
    "t5gemma": Family(
        "T5Gemma",
        "ForConditionalGeneration",
        {"encoder": T5GEMMA, "decoder": {**T5GEMMA, "cross_attention_hidden_size": 32}, "vocab_size": 99},
        lacks=("EncoderModel",),
    ),
    "umt5": Family("UMT5", "ForConditionalGeneration", T5),
    "longt5": Family("LongT5", "ForConditionalGeneration", {**T5, "local_radius": 4}),
    "switch_transformers": Family(
        "SwitchTransformers",
        "ForConditionalGeneration",
        {
            **T5,
            "num_decoder_layers": 2,
            "num_experts": 4,
            "num_sparse_encoder_layers": 1,  # the default of 3 leaves two layers without a router
            "num_sparse_decoder_layers": 1,
        },
    ),
    "bart": Family("Bart", "ForConditionalGeneration", BART),
    "mbart": Family("MBart", "ForConditionalGeneration", BART),
    "plbart": Family("PLBart", "ForConditionalGeneration", BART),
    "mvp": Family("Mvp", "ForConditionalGeneration", BART),
    "marian": Family("Marian", "MTModel", MARIAN),
    "pegasus": Family("Pegasus", "ForConditionalGeneration", BART),
    "pegasus_x": Family("PegasusX", "ForConditionalGeneration", {**BART, "block_size": 8, "num_global_tokens": 4}),
    "blenderbot": Family("Blenderbot", "ForConditionalGeneration", BART),
    "blenderbot_small": Family("BlenderbotSmall", "ForConditionalGeneration", BART),
    "m2m_100": Family("M2M100", "ForConditionalGeneration", BART),
    "led": Family(
        "LED",
        "ForConditionalGeneration",
        {
            **{name: value for name, value in BART.items() if name != "max_position_embeddings"},
            "max_encoder_position_embeddings": 48,
            "max_decoder_position_embeddings": 40,
            "attention_window": 8,
        },
    ),
    "bigbird_pegasus": Family("BigBirdPegasus", "ForConditionalGeneration", {**BART, "block_size": 4}),
    "prophetnet": Family(
        "ProphetNet",
        "ForConditionalGeneration",
        {
            "vocab_size": 99,
            "hidden_size": 32,
            "num_encoder_layers": 2,
            "num_decoder_layers": 2,
            "num_encoder_attention_heads": 4,
            "num_decoder_attention_heads": 4,
            "encoder_ffn_dim": 64,
            "decoder_ffn_dim": 64,
            "max_position_embeddings": 48,
        },
    ),
    "fsmt": Family(
        "FSMT", "ForConditionalGeneration", {**BART, "src_vocab_size": 99, "tgt_vocab_size": 89, "langs": ["en", "de"]}
    ),
}
