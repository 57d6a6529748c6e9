"""nothing -> models: tiny ones of common architectures that read pictures, clips, sound or time series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import transformers
from torch import nn

SMALL: Mapping[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}

HALVES: Mapping[str, Any] = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
}

STAGES: Mapping[str, Any] = {"embedding_size": 8, "hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1]}


def vit(**settings: Any) -> nn.Module:
    """Patches, and a table of their positions."""
    return _model("ViT", **{**SMALL, "image_size": 16, "patch_size": 4, **settings})


def dinov2() -> nn.Module:
    """Patches, whose positions are interpolated."""
    small = {name: value for name, value in SMALL.items() if name != "intermediate_size"}
    return _model("Dinov2", **small, mlp_ratio=1, image_size=16, patch_size=4)


def resnet() -> nn.Module:
    """Convolutions."""
    return _model("ResNet", **STAGES)


def detr() -> nn.Module:
    """Convolutions, and a mask of the pixels."""
    backbone = transformers.ResNetConfig(**STAGES, out_features=["stage4"])
    return _model("Detr", **HALVES, num_queries=5, **NO_TIMM, backbone_config=backbone)


def clip() -> nn.Module:
    """Text and pictures."""
    text = {**SMALL, "vocab_size": 99, "max_position_embeddings": 16}
    return _model("CLIP", text_config=text, vision_config={**SMALL, "image_size": 16, "patch_size": 4})


def videomae() -> nn.Module:
    """Clips of four frames."""
    return _model("VideoMAE", **SMALL, image_size=16, patch_size=4, num_frames=4)


def sam() -> nn.Module:
    """Pictures, and points on them."""
    sides = {"image_size": 32, "patch_size": 8}
    eyes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_dim": 32, "num_pos_feats": 8}
    return _model(
        "Sam",
        vision_config={**eyes, **sides, "output_channels": 16, "global_attn_indexes": [1], "window_size": 2},
        prompt_encoder_config={**sides, "hidden_size": 16, "mask_input_channels": 4},
        mask_decoder_config={"hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16},
    )


def whisper() -> nn.Module:
    """Features of exactly forty frames, and text."""
    ids = {"vocab_size": 99, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    return _model("Whisper", **HALVES, **ids, num_mel_bins=8, max_source_positions=20, max_target_positions=20)


def wav2vec2() -> nn.Module:
    """Raw samples, and a mask of them."""
    layers = {"conv_dim": [16] * 3, "conv_stride": [5, 2, 2], "conv_kernel": [10, 3, 2], "num_feat_extract_layers": 3}
    return _model("Wav2Vec2", **SMALL, **layers, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2)


def patchtst() -> nn.Module:
    """Series of three channels."""
    series = {"num_input_channels": 3, "context_length": 16, "patch_length": 4, "patch_stride": 4}
    return _model("PatchTST", d_model=16, num_hidden_layers=2, num_attention_heads=2, ffn_dim=16, **series)


def autoformer() -> nn.Module:
    """Series, and no features of time: an input without a value."""
    series = {"prediction_length": 4, "context_length": 8, "lags_sequence": [1, 2, 3], "num_time_features": 0}
    return _model("Autoformer", **HALVES, **series)


NO_TIMM: Mapping[str, Any] = {"use_timm_backbone": False, "use_pretrained_backbone": False, "backbone": None}

MODELS: Mapping[str, Callable[[], nn.Module]] = {
    made.__name__: made
    for made in (vit, dinov2, resnet, detr, clip, videomae, sam, whisper, wav2vec2, patchtst, autoformer)
}
"""Every model of this module by its name."""


def _model(name: str, **settings: Any) -> nn.Module:
    config = getattr(transformers, f"{name}Config")(**settings)
    model: nn.Module = getattr(transformers, f"{name}Model")(config)
    return model.eval()
