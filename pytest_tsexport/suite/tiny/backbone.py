"""A ResNet of Transformers in place of a backbone that another package would build at its full size."""

from __future__ import annotations

from typing import Any


def replace_backbone(config: Any) -> None:
    """Gives a config whose backbone comes from timm a ResNet that gives out as many stages.

    timm builds a model by its name, so its size cannot be changed. A ResNet is what most of these configs name.
    """
    backbone = getattr(config, "backbone_config", None)
    if backbone is None or backbone.model_type != "timm_backbone":
        return
    from transformers import CONFIG_MAPPING

    stages = [f"stage{index}" for index in backbone.out_indices or (4,)]
    resnet = CONFIG_MAPPING["resnet"](out_features=stages)
    vars(config)["backbone_config"] = resnet
    if "apply_layernorm_after_vision_backbone" in vars(config):
        # What reads the stages of timm's transformer has their widths, and a norm that takes channels last.
        vars(config)["apply_layernorm_after_vision_backbone"] = False
        vars(config)["encoder_in_channels"] = [resnet.hidden_sizes[int(stage[-1]) - 1] for stage in stages]
    if "timm_kwargs" in vars(config):
        vars(config)["timm_kwargs"] = {}
