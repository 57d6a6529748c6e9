"""Proves the rules that make a config small, on configs with the attributes that each rule is about."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from pytest_tsexport.suite.tiny.levels import Level
from pytest_tsexport.suite.tiny.shrink import shrink

ONE, RATIO, KEPT = Level("one"), Level("ratio"), Level("kept")


class Config:
    """A config as Transformers has them, as far as the rules look."""

    model_type = "specimen"
    attribute_map: ClassVar[dict[str, str]] = {}

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)

    def to_dict(self) -> dict[str, Any]:
        return dict(vars(self))


def shrunk(level: Level = ONE, **attributes: Any) -> dict[str, Any]:
    config = Config(**attributes)
    shrink(config, level)
    assert vars(config).pop("initializer_range") == 0.1
    return {name: vars(config)[name] for name in attributes if name != "initializer_range"}


@pytest.mark.parametrize(
    ("large", "small"),
    [
        # widths and heads
        ({"hidden_size": 768, "intermediate_size": 3072}, {"hidden_size": 64, "intermediate_size": 64}),
        ({"num_attention_heads": 12, "num_key_value_heads": 12}, {"num_attention_heads": 4, "num_key_value_heads": 4}),
        ({"num_attention_heads": 12, "num_key_value_heads": 3}, {"num_attention_heads": 4, "num_key_value_heads": 2}),
        ({"num_attention_heads": 12, "num_key_value_heads": 1}, {"num_attention_heads": 4, "num_key_value_heads": 1}),
        ({"head_dim": 128, "q_lora_rank": 1536}, {"head_dim": 16, "q_lora_rank": 32}),
        (
            {"qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "qk_head_dim": 192, "head_dim": 64, "v_head_dim": 128},
            {"qk_rope_head_dim": 8, "qk_nope_head_dim": 16, "qk_head_dim": 24, "head_dim": 8, "v_head_dim": 16},
        ),
        (
            {"qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "head_dim": 256},
            {"qk_rope_head_dim": 8, "qk_nope_head_dim": 16, "head_dim": 32},
        ),
        (
            {"num_attention_heads": 12, "use_rotary_embedding": True},
            {"num_attention_heads": 2, "use_rotary_embedding": True},
        ),
        (
            {"linear_num_key_heads": 16, "linear_num_value_heads": 32},
            {"linear_num_key_heads": 2, "linear_num_value_heads": 4},
        ),
        (
            {"hidden_size": 2048, "mamba_expand": 2, "mamba_n_heads": 128, "mamba_d_head": 64},
            {"hidden_size": 64, "mamba_expand": 2, "mamba_n_heads": 8, "mamba_d_head": 16},
        ),
        # what is no width
        ({"vocab_size": 30522, "max_position_embeddings": 512}, {"vocab_size": 128, "max_position_embeddings": 128}),
        ({"num_position_embeddings": 2304, "num_patches": 257}, {"num_position_embeddings": 64, "num_patches": 65}),
        ({"patch_size": 16, "image_size": 224}, {"patch_size": 16, "image_size": 64}),
        ({"patch_size": 16, "input_size": 224}, {"patch_size": 16, "input_size": 64}),
        ({"input_size": 5}, {"input_size": 5}),
        ({"patch_size": 16, "image_size": (896, 448)}, {"patch_size": 16, "image_size": (128, 64)}),
        (
            {"patch_size": 16, "image_size": 1024, "image_embedding_size": 64},
            {"patch_size": 16, "image_size": 64, "image_embedding_size": 4},
        ),
        ({"backbone_feature_sizes": [[256, 256], [128, 128]]}, {"backbone_feature_sizes": [[16, 16], [8, 8]]}),
        ({"num_pos_feats": 128, "hidden_size": 768}, {"num_pos_feats": 32, "hidden_size": 64}),
        (
            {"dim_bbox_projection": 64, "dim_bbox_sinusoid_emb_2d": 192},
            {"dim_bbox_projection": 16, "dim_bbox_sinusoid_emb_2d": 192},
        ),
        ({"patch_dim": 768, "model_in_dim": 80}, {"patch_dim": 768, "model_in_dim": 80}),
        ({"max_xpath_tag_unit_embeddings": 256}, {"max_xpath_tag_unit_embeddings": 256}),
        (
            {"hidden_size": 3712, "attention_hidden_size": 7424, "attention_head_dim": 232, "num_attention_heads": 32},
            {"hidden_size": 64, "attention_hidden_size": 128, "attention_head_dim": 32, "num_attention_heads": 4},
        ),
        ({"max_img_size": 448, "visual_prompt_size": 96}, {"max_img_size": 64, "visual_prompt_size": 8}),
        (
            {"num_hidden_layers": 12, "num_feat_extract_layers": 7},
            {"num_hidden_layers": 2, "num_feat_extract_layers": 7},
        ),
        ({"num_prompts": 128}, {"num_prompts": 128}),
        ({"spec_size": 256, "hop_length": 320}, {"spec_size": 256, "hop_length": 320}),
        ({"patch_size": 4, "image_size": [224, 224]}, {"patch_size": 4, "image_size": [64, 64]}),
        ({"attention_window": 512, "chunk_size": 256}, {"attention_window": 4, "chunk_size": 8}),
        ({"n_routed_experts": 256, "num_experts_per_tok": 8}, {"n_routed_experts": 4, "num_experts_per_tok": 2}),
        ({"conv_kernel_size": 128, "num_mel_bins": 80}, {"conv_kernel_size": 128, "num_mel_bins": 80}),
        # depth
        ({"num_hidden_layers": 12, "decoder_layers": 6}, {"num_hidden_layers": 2, "decoder_layers": 2}),
        (
            {"num_hidden_layers": 6, "layer_types": ["a", "a", "b", "a", "a", "b"]},
            {"num_hidden_layers": 3, "layer_types": ["a", "a", "b"]},
        ),
        (
            {"num_hidden_layers": 12, "layer_types": ["a"] * 10 + ["b", "a"]},
            {"num_hidden_layers": 2, "layer_types": ["a", "b"]},
        ),
        ({"num_hidden_layers": 12, "attn_layer_period": 4}, {"num_hidden_layers": 4, "attn_layer_period": 4}),
        ({"num_hidden_layers": 12, "out_indices": [3, 5, 11]}, {"num_hidden_layers": 2, "out_indices": [0, 1]}),
        ({"depths": [3, 4, 6, 3], "hidden_sizes": [64, 128]}, {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 16]}),
        (
            {
                "num_hidden_layers": 4,
                "stage_names": ["stem", "1", "2", "3", "4"],
                "_out_indices": [4],
                "_out_features": 0,
            },
            {"num_hidden_layers": 2, "stage_names": ["stem", "1", "2"], "_out_indices": [2], "_out_features": ["2"]},
        ),
        # values
        ({"layer_scale_init_value": 1e-6, "init_std": 0.02}, {"layer_scale_init_value": 1.0, "init_std": 0.1}),
        (
            {"head_dim": 128, "rope_parameters": {"mrope_section": [16, 24, 24], "long_factor": [1.0] * 64}},
            {"head_dim": 16, "rope_parameters": {"mrope_section": [2, 3, 3], "long_factor": [1.0] * 8}},
        ),
        (
            {"head_dim": 128, "rope_parameters": {"mrope_section": [22, 22, 20]}},
            {"head_dim": 16, "rope_parameters": {"mrope_section": [3, 3, 2]}},
        ),
        (
            {"max_position_embeddings": 4096, "rope_scaling": {"original_max_position_embeddings": 4096}},
            {"max_position_embeddings": 128, "rope_scaling": {"original_max_position_embeddings": 64}},
        ),
        (
            {"width_coefficient": 2.0, "depth_coefficient": 3.1, "in_channels": [32, 16], "out_channels": [16, 320]},
            {"width_coefficient": 0.25, "depth_coefficient": 0.25, "in_channels": [32, 16], "out_channels": [16, 320]},
        ),
        ({"coordinate_size": 128, "shape_size": 128}, {"coordinate_size": 8, "shape_size": 16}),
        # ids that the vocabulary has no longer
        ({"eos_token_id": 2, "image_token_id": 32000}, {"eos_token_id": 2, "image_token_id": 127}),
        ({"pad_token_id": 127, "sep_token_id": [127, 500]}, {"pad_token_id": 127, "sep_token_id": [127, 126]}),
    ],
    ids=" ".join,
)
def test_each_attribute_becomes_what_its_rule_says(large: dict[str, Any], small: dict[str, Any]) -> None:
    assert shrunk(**large) == small


def test_ratios_are_kept_where_widths_follow_from_one_another() -> None:
    large = {"hidden_sizes": (96, 192, 384, 768), "num_heads": (3, 6, 12, 24), "hidden_size": 768, "head_dim": 32}
    assert shrunk(RATIO, **large) == {
        "hidden_sizes": (12, 24, 48, 96),
        "num_heads": (3, 6, 12, 24),
        "hidden_size": 96,
        "head_dim": 4,
    }


def test_channels_of_the_picture_are_kept_among_widths() -> None:
    widths: dict[str, Any] = {"depths": [3, 4], "stem_channels": (3, 32, 48), "stage_in_channels": (48, 128)}
    assert shrunk(**widths) == {"depths": [1, 1], "stem_channels": (3, 4, 6), "stage_in_channels": (6, 16)}


def test_the_widths_of_single_blocks_keep_their_ratios() -> None:
    blocks: dict[str, Any] = {
        "depths": [1, 1],
        "block_configs": [[[3, 96, 192, [2, 1], False]], [[5, 192, 384, 1, True]]],
    }
    assert shrunk(**blocks)["block_configs"] == [[[3, 12, 24, [2, 1], False]], [[5, 24, 48, 1, True]]]
    channels: dict[str, Any] = {"depths": [1, 1], "stage_block_in_channels": [[1], [64, 128]]}
    assert shrunk(**channels)["stage_block_in_channels"] == [[1], [8, 16]]


def test_the_stem_is_not_given_out_in_place_of_a_stage() -> None:
    names = ["stem", *(f"stage{index}" for index in range(1, 11))]
    small = shrunk(num_hidden_layers=10, stage_names=names, _out_indices=[2, 9], _out_features=["stage2", "stage9"])
    assert small["_out_features"] == ["stage1"]
    small = shrunk(num_hidden_layers=10, stage_names=names, _out_indices=[0, 10], _out_features=["stem", "stage10"])
    assert small["_out_features"] == ["stem", "stage2"]


def test_a_patch_that_a_part_reads_as_a_picture_is_as_large_as_that_picture() -> None:
    vision = Config(image_size=384, patch_size=14, num_hidden_layers=12)
    small = shrunk(patch_model_config=vision, patch_size=384, intermediate_hook_ids=(11, 5))
    assert (small["patch_size"], vars(vision)["image_size"], small["intermediate_hook_ids"]) == (56, 56, (1, 1))


def test_heads_still_divide_a_width_whose_ratio_is_kept() -> None:
    assert shrunk(RATIO, embed_dim=180, num_heads=6) == {"embed_dim": 90, "num_heads": 6}


def test_the_last_level_leaves_widths_and_heads() -> None:
    kept = {"hidden_size": 768, "num_attention_heads": 12}
    assert shrunk(KEPT, **kept, num_hidden_layers=12) == {**kept, "num_hidden_layers": 2}


def test_a_level_may_keep_two_layers_of_each_kind() -> None:
    large = {"num_hidden_layers": 10, "layer_types": ["a"] * 9 + ["b"]}
    assert shrunk(Level("one", each_kind=2), **large)["layer_types"] == ["a", "a", "b"]


def test_a_placeholder_without_an_id_gets_one() -> None:
    assert shrunk(audio_token_id=None, eos_token_id=127) == {"audio_token_id": 126, "eos_token_id": 127}


def test_parts_shrink_alike_and_share_the_new_ids() -> None:
    text = Config(hidden_size=4096, eos_token_id=32000, num_hidden_layers=32)
    vision = Config(hidden_size=1024, num_hidden_layers=24)
    config = Config(text_config=text, parts=[vision], image_token_id=32001, eos_token_id=32000, projection={"a": 512})
    shrink(config, ONE)
    assert (text.hidden_size, vision.hidden_size, vision.num_hidden_layers) == (64, 64, 2)  # type: ignore[attr-defined]
    assert (text.eos_token_id, config.eos_token_id, config.image_token_id) == (127, 127, 126)  # type: ignore[attr-defined]
    assert config.projection == {"a": 512}  # type: ignore[attr-defined]


def test_a_part_that_is_a_plain_dictionary_shrinks_too() -> None:
    assert shrunk(encoder_config={"layers": 4, "linear_units": 1536})["encoder_config"]["linear_units"] == 64


def test_layers_of_a_part_that_a_config_points_at_stay_within_it() -> None:
    config = Config(vision_config=Config(num_hidden_layers=24), vision_feature_layer=(-2, -5, 6))
    shrink(config, ONE)
    assert config.vision_feature_layer == (-2, -2, 1)  # type: ignore[attr-defined]


def test_sides_of_resized_pictures_follow_the_tile() -> None:
    config = Config(image_grid_pinpoints=[[336, 672], [672, 672]], vision_config=Config(image_size=336, patch_size=14))
    shrink(config, ONE)
    assert config.image_grid_pinpoints == [[56, 112], [112, 112]]  # type: ignore[attr-defined]


def test_layers_that_are_given_out_side_by_side_are_as_wide_as_all_of_them() -> None:
    config = Config(
        num_hidden_layers=32, hidden_size=1280, vision_output_dim=5120, intermediate_layers_indices=[3, 7, 31]
    )
    shrink(config, ONE)
    given: int = len(config.intermediate_layers_indices)  # type: ignore[attr-defined]
    assert config.vision_output_dim == (1 + given) * 64  # type: ignore[attr-defined]


@pytest.mark.parametrize(("merge", "width"), [(2, 256), (1, 64)])
def test_merged_patches_are_as_wide_as_all_of_them(merge: int, width: int) -> None:
    vision = Config(hidden_size=1024, spatial_merge_size=merge)
    config = Config(vision_config=vision, merged_hidden_size=1024 * merge**2)
    shrink(config, ONE)
    assert config.merged_hidden_size == width  # type: ignore[attr-defined]


def test_a_model_that_sees_and_hears_has_an_id_that_begins_a_picture() -> None:
    config = Config(image_token_id=5, audio_start_token_id=6)
    shrink(config, ONE)
    assert config.vision_start_token_id == 127  # type: ignore[attr-defined]


def test_queries_are_looked_up_by_the_patches_of_the_picture() -> None:
    table = {"projector_patch_to_query_dict": {1225: 128, 4900: 256}, "max_value_projector_patch_to_query_dict": 256}
    config = Config(vision_config=Config(image_size=980, patch_size=14), **table)
    shrink(config, ONE)
    assert config.projector_patch_to_query_dict == {16: 8}  # type: ignore[attr-defined]
    assert config.max_value_projector_patch_to_query_dict == 8  # type: ignore[attr-defined]


def test_a_neck_gets_a_layer_for_each_of_its_widths() -> None:
    large = {"num_hidden_layers": 12, "neck_hidden_sizes": [96, 192, 384, 768], "backbone_out_indices": [2, 5, 8, 11]}
    small = shrunk(**large)  # type: ignore[arg-type]
    assert small["num_hidden_layers"] == len(set(small["backbone_out_indices"])) == 4
