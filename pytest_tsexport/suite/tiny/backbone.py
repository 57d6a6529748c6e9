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
    vars(config)["backbone_config"] = CONFIG_MAPPING["resnet"](out_features=stages)
    if "timm_kwargs" in vars(config):
        vars(config)["timm_kwargs"] = {}
