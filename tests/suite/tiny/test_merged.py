"""Proves that widths which follow from one another do so again when a config was made small."""

from __future__ import annotations

from pytest_tsexport.suite.tiny.shrink import shrink
from tests.suite.tiny.test_shrink import ONE, Config


def test_the_projection_of_a_tower_is_as_wide_as_the_text() -> None:
    vision = Config(depths=[1, 1], embed_dim=[256, 512], projection_dim=1024)
    config = Config(text_config=Config(vocab_size=50_000, d_model=1024), vision_config=vision)
    shrink(config, ONE)
    assert (vision.embed_dim, vision.projection_dim) == ([32, 64], 64)  # type: ignore[attr-defined]


def test_a_projection_of_another_width_is_no_text() -> None:
    vision = Config(depths=[1, 1], embed_dim=[256, 512], projection_dim=512)
    shrink(Config(text_config=Config(vocab_size=50_000, d_model=1024), vision_config=vision), ONE)
    assert vision.projection_dim == 64  # type: ignore[attr-defined]


def test_the_last_block_is_as_wide_as_its_channels() -> None:
    config = Config(hidden_size=1024, base_channels=256, channel_multiplier=[1, 2, 2, 4])
    shrink(config, ONE)
    assert config.hidden_size == 32 * 4  # type: ignore[attr-defined]


def test_shuffled_pixels_are_read_side_by_side() -> None:
    config = Config(hidden_size=768, intermediate_size=5632, pixel_shuffle_ratio=0.5, projector_input_dim=4096)
    shrink(config, ONE)
    assert config.intermediate_size == 4 * 64  # type: ignore[attr-defined]


def test_an_encoder_takes_the_last_channels_of_the_part_beside_it() -> None:
    tower = Config(downsample_channels=[512, 896])
    shrink(Config(sam_config=tower, encoder_config=Config(hidden_size=4096)), ONE)
    assert tower.downsample_channels[-1] == 64  # type: ignore[attr-defined]
