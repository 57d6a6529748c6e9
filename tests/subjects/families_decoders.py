"""name -> family: decoders."""

from __future__ import annotations

from collections.abc import Mapping

from tests.subjects.family import ENDS, EXPERTS, GPT, GROUPED, LAYERS, ROTARY, Family

DECODERS: Mapping[str, Family] = {
    "gpt2": Family("GPT2", "LMHeadModel", {**GPT, **ENDS, "pad_token_id": 98}),
    "gpt2_no_pad": Family("GPT2", "ForSequenceClassification", {**GPT, **ENDS}),
    "openai_gpt": Family("OpenAIGPT", "LMHeadModel", GPT),
    "ctrl": Family("CTRL", "LMHeadModel", {**GPT, "dff": 64, "pad_token_id": 0}),
    "gpt_neo": Family(
        "GPTNeo",
        "ForCausalLM",
        {
            "vocab_size": 99,
            "hidden_size": 32,
            "num_layers": 2,
            "num_heads": 4,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 8,
            "max_position_embeddings": 48,
            "pad_token_id": 0,
            **ENDS,
        },
    ),
    "gpt_neox": Family("GPTNeoX", "ForCausalLM", {**ROTARY, **ENDS}),
    "gptj": Family("GPTJ", "ForCausalLM", {**GPT, "rotary_dim": 4, "pad_token_id": 0, **ENDS}),
    "codegen": Family("CodeGen", "ForCausalLM", {**GPT, "rotary_dim": 4, "pad_token_id": 0, **ENDS}),
    "gpt_bigcode": Family("GPTBigCode", "ForCausalLM", {**GPT, "pad_token_id": 0, **ENDS}),
    "bloom": Family("Bloom", "ForCausalLM", {"vocab_size": 99, "hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "mpt": Family(
        "Mpt", "ForCausalLM", {"vocab_size": 99, "d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": 48}
    ),
    "opt": Family(
        "OPT",
        "ForCausalLM",
        {
            "vocab_size": 99,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "ffn_dim": 64,
            "word_embed_proj_dim": 32,
            "max_position_embeddings": 48,
        },
    ),
    "biogpt": Family("BioGpt", "ForCausalLM", {**LAYERS, "vocab_size": 99, "max_position_embeddings": 48}),
    "falcon": Family("Falcon", "ForCausalLM", {**ROTARY, **ENDS}),
    "llama": Family("Llama", "ForCausalLM", {**GROUPED, "tie_word_embeddings": True}),
    "llama_no_pad": Family("Llama", "ForSequenceClassification", {**GROUPED, "pad_token_id": None}),
    "llama_dynamic_rope": Family(
        "Llama",
        "ForCausalLM",
        {
            **GROUPED,
            "max_position_embeddings": 8,
            "rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0},
            "rope_scaling": {"rope_type": "dynamic", "factor": 2.0},
        },
    ),
    "mistral": Family("Mistral", "ForCausalLM", {**GROUPED, "sliding_window": 8}),
    "qwen2": Family("Qwen2", "ForCausalLM", GROUPED),
    "qwen3": Family("Qwen3", "ForCausalLM", {**GROUPED, "head_dim": 8}),
    "gemma": Family("Gemma", "ForCausalLM", {**GROUPED, "head_dim": 8}),
    "gemma2": Family("Gemma2", "ForCausalLM", {**GROUPED, "head_dim": 8, "sliding_window": 8}),
    "gemma3_text": Family("Gemma3Text", "Model", {**GROUPED, "head_dim": 8, "sliding_window": 8}),
    "phi": Family("Phi", "ForCausalLM", ROTARY),
    "phi3": Family("Phi3", "ForCausalLM", GROUPED),
    "stablelm": Family("StableLm", "ForCausalLM", GROUPED),
    "starcoder2": Family("Starcoder2", "ForCausalLM", {**GROUPED, "sliding_window": 8}),
    "olmo2": Family("Olmo2", "ForCausalLM", GROUPED),
    "granite": Family("Granite", "ForCausalLM", GROUPED),
    "mixtral": Family("Mixtral", "ForCausalLM", {**GROUPED, **EXPERTS}),
    "qwen2_moe": Family(
        "Qwen2Moe",
        "ForCausalLM",
        {
            **GROUPED,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 16,
            "shared_expert_intermediate_size": 32,
        },
    ),
    "granitemoe": Family("GraniteMoe", "ForCausalLM", {**GROUPED, **EXPERTS}),
    "mamba": Family(
        "Mamba", "ForCausalLM", {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8}
    ),
    "rwkv": Family(
        "Rwkv",
        "ForCausalLM",
        {
            "vocab_size": 99,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "attention_hidden_size": 32,
            "intermediate_size": 64,
            "context_length": 48,
        },
    ),
}
