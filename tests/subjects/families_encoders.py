"""name -> family: encoders."""

from __future__ import annotations

from collections.abc import Mapping

from tests.subjects.family import ENCODER, ENDS, LAYERS, ROBERTA, ROTARY, Family

ENCODERS: Mapping[str, Family] = {
    "bert": Family("Bert", "ForMaskedLM", ENCODER),
    "roberta": Family("Roberta", "ForMaskedLM", ROBERTA),
    "distilbert": Family(
        "DistilBert",
        "ForMaskedLM",
        {"vocab_size": 99, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64, "max_position_embeddings": 48},
    ),
    "albert": Family("Albert", "ForMaskedLM", {**ENCODER, "embedding_size": 16}),
    "electra": Family("Electra", "ForMaskedLM", {**ENCODER, "embedding_size": 16}),
    "mobilebert": Family(
        "MobileBert",
        "ForMaskedLM",
        {**ENCODER, "embedding_size": 16, "intra_bottleneck_size": 16, "true_hidden_size": 16},
    ),
    "modernbert": Family("ModernBert", "ForMaskedLM", {**ROTARY, "local_attention": 8, **ENDS}),
    "xlm_roberta": Family("XLMRoberta", "ForMaskedLM", ROBERTA),
    "xlm_roberta_xl": Family("XLMRobertaXL", "ForMaskedLM", ROBERTA),
    "camembert": Family("Camembert", "ForMaskedLM", ROBERTA),
    "data2vec_text": Family("Data2VecText", "ForMaskedLM", ROBERTA),
    "roberta_prelayernorm": Family("RobertaPreLayerNorm", "ForMaskedLM", ROBERTA),
    "xmod": Family("Xmod", "ForMaskedLM", {**ROBERTA, "default_language": "en_XX"}),
    "esm": Family("Esm", "ForMaskedLM", {**ROBERTA, "pad_token_id": 1, "mask_token_id": 98}),
    "ibert": Family("IBert", "ForMaskedLM", ROBERTA),
    "luke": Family("Luke", "ForMaskedLM", {**ROBERTA, "entity_vocab_size": 12}),
    "markuplm": Family("MarkupLM", "ForTokenClassification", ENCODER),
    "ernie": Family("Ernie", "ForMaskedLM", ENCODER),
    "megatron_bert": Family("MegatronBert", "ForMaskedLM", ENCODER),
    "rembert": Family(
        "RemBert", "ForMaskedLM", {**ENCODER, "input_embedding_size": 16, "output_embedding_size": 16, **ENDS}
    ),
    "roc_bert": Family("RoCBert", "ForMaskedLM", {**ENCODER, "pronunciation_vocab_size": 20, "shape_vocab_size": 20}),
    "roformer": Family("RoFormer", "ForMaskedLM", ENCODER),
    "squeezebert": Family("SqueezeBert", "ForMaskedLM", {**ENCODER, "embedding_size": 32}),
    "convbert": Family("ConvBert", "ForMaskedLM", {**ENCODER, "embedding_size": 16, "conv_kernel_size": 3}),
    "fnet": Family("FNet", "ForMaskedLM", {**ENCODER, "type_vocab_size": 4}),
    "nystromformer": Family(
        "Nystromformer", "ForMaskedLM", {**ENCODER, "num_landmarks": 8, "segment_means_seq_len": 8}
    ),
    "mpnet": Family("MPNet", "ForMaskedLM", ROBERTA),
    "deberta": Family("Deberta", "ForMaskedLM", {**ENCODER, "type_vocab_size": 0, "relative_attention": True}),
    "deberta_v2": Family(
        "DebertaV2",
        "ForMaskedLM",
        {**ENCODER, "type_vocab_size": 0, "relative_attention": True, "position_buckets": 8},
    ),
    "layoutlm": Family("LayoutLM", "ForMaskedLM", ENCODER),
    "canine": Family("Canine", "ForTokenClassification", {**LAYERS, "max_position_embeddings": 48}),
    "big_bird": Family("BigBird", "ForMaskedLM", {**ENCODER, "block_size": 4, "num_random_blocks": 1}),
    "longformer": Family("Longformer", "ForMaskedLM", {**ROBERTA, "attention_window": 8, "sep_token_id": 2}),
    "funnel": Family(
        "Funnel",
        "ForMaskedLM",
        {
            "vocab_size": 99,
            "d_model": 32,
            "n_head": 4,
            "d_head": 8,
            "d_inner": 64,
            "block_sizes": [1, 1],
            "num_decoder_layers": 1,
        },
    ),
    "perceiver": Family(
        "Perceiver",
        "ForMaskedLM",
        {
            "vocab_size": 99,
            "d_model": 32,
            "d_latents": 32,
            "num_latents": 4,
            "num_self_attends_per_block": 1,
            "num_self_attention_heads": 4,
            "num_cross_attention_heads": 4,
            "max_position_embeddings": 48,
        },
    ),
    "xlm": Family(
        "XLM",
        "WithLMHeadModel",
        {"vocab_size": 99, "emb_dim": 32, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 48, "n_langs": 2},
    ),
    "flaubert": Family(
        "Flaubert",
        "WithLMHeadModel",
        {"vocab_size": 99, "emb_dim": 32, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 48, "n_langs": 2},
    ),
    "xlnet": Family(
        "XLNet", "LMHeadModel", {"vocab_size": 99, "d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64}
    ),
    "reformer": Family(
        "Reformer",
        "ForMaskedLM",
        {
            "vocab_size": 99,
            "hidden_size": 32,
            "num_attention_heads": 2,
            "attention_head_size": 16,
            "feed_forward_size": 64,
            "axial_pos_shape": (8, 6),
            "axial_pos_embds_dim": (16, 16),
            "max_position_embeddings": 48,
            "attn_layers": ["local", "local"],
            "local_attn_chunk_length": 4,
            "lsh_attn_chunk_length": 4,
            "is_decoder": False,
        },
    ),
    "clip_text": Family(
        "CLIPText", "Model", {**LAYERS, "vocab_size": 99, "max_position_embeddings": 48, "eos_token_id": 98}
    ),
    "siglip_text": Family(
        "SiglipText", "Model", {**LAYERS, "vocab_size": 99, "max_position_embeddings": 48, "eos_token_id": 98}
    ),
}
