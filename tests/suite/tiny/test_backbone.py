"""Proves that a ResNet takes the place of a backbone of timm, and that what reads it has its widths."""

from __future__ import annotations

import pytest
import transformers
from transformers import CONFIG_MAPPING

from pytest_tsexport.suite.tiny.shrink import shrink
from tests.suite.tiny.test_shrink import ONE


@pytest.mark.skipif(
    transformers.__version__.startswith("4."), reason="Transformers 4 keeps a backbone of timm as a name"
)
def test_what_reads_the_stages_has_their_widths_and_no_norm_of_other_ones() -> None:
    config = CONFIG_MAPPING["omdet-turbo"]()
    shrink(config, ONE)
    widths = config.backbone_config.hidden_sizes
    assert list(config.encoder_in_channels) == widths[: len(config.encoder_in_channels)]
    assert config.apply_layernorm_after_vision_backbone is False
