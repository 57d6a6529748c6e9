"""Proves that a ResNet takes the place of a backbone of timm, and that what reads it has its widths."""

from __future__ import annotations

import pytest
from transformers import CONFIG_MAPPING

from pytest_tsexport.suite.tiny.shrink import shrink
from tests.suite.tiny.test_shrink import ONE


@pytest.mark.skipif("omdet-turbo" not in CONFIG_MAPPING, reason="this transformers does not have it")
def test_what_reads_the_stages_has_their_widths_and_no_norm_of_other_ones() -> None:
    config = CONFIG_MAPPING["omdet-turbo"]()
    shrink(config, ONE)
    widths = config.backbone_config.hidden_sizes
    assert list(config.encoder_in_channels) == widths[: len(config.encoder_in_channels)]
    assert config.apply_layernorm_after_vision_backbone is False
