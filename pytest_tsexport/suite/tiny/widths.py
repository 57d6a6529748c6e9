"""The rule of each size in a config, by the name of its attribute: what it becomes when the model is made small."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

WIDTH = 64
HEADS = 4
HEAD_SIZE = 16
VOCABULARY = 128
POSITIONS = 128
LARGEST_DIVISOR = 8


@dataclass(frozen=True, slots=True)
class SizeRule:
    """What a size becomes whose name matches the pattern; the first rule that matches is taken."""

    pattern: re.Pattern[str]
    shrunk: Callable[[int], int]


def _rule(pattern: str, shrunk: Callable[[int], int]) -> SizeRule:
    return SizeRule(re.compile(pattern), shrunk)


def _at_most(limit: int) -> Callable[[int], int]:
    return lambda value: min(value, limit)


def _kept(value: int) -> int:
    return value


def _square_at_most(limit: int) -> Callable[[int], int]:
    # A grid of positions stays a square, and one with a position for the class token keeps it.
    def shrunk(value: int) -> int:
        if value <= limit:
            return value
        return limit + 1 if round((value - 1) ** 0.5) ** 2 == value - 1 else limit

    return shrunk


RULES = (
    # What is no width, whatever its number.
    _rule(
        r".*(kernel|stride|ratio|factor|padding|dilation|theta|temperature|coefficient|cost|loss|seed)(s|_size|_sizes)?",
        _kept,
    ),
    _rule(r".*(_rate|_period|_interval|_step|_steps|_every|_freq|_mult|_offset|_multiple_of|_divisible_by)", _kept),
    _rule(
        r".*(spatial_merge_size|temporal_patch_size|merge_size|patch_temporal|tubelet_size|downsample_rate)",
        _kept,
    ),
    _rule(r"(num_channels|in_channels|in_chans|num_mel_bins|.*mel_bins|num_labels|sampling_rate|sample_rate)", _kept),
    _rule(r".*hop_length|model_in_dim|num_prompts|patch_dim|max_xpath_.*|dim_bbox_sinusoid_.*", _kept),
    _rule(r"dim_bbox_projection", _at_most(HEAD_SIZE)),
    # A spectrogram is folded into a square picture of this side.
    _rule(r"spec_size", _kept),
    _rule(r".*(mask_time|mask_feature|_ignore_index|max_new_tokens|no_repeat).*", _kept),
    # What is looked up.
    _rule(r"num_embeddings", _at_most(32)),
    _rule(
        r".*(vocab_size|vocab_size_per_layer_input|vocab|vocab_sizes|codebook_size|num_codevectors_per_group|_buckets|vocab_size_base)",
        _at_most(VOCABULARY),
    ),
    _rule(r"(num_position_embeddings|max_num_patches|num_patches)", _square_at_most(64)),
    _rule(r"max_source_positions", _at_most(64)),
    _rule(
        r".*(position|positions|position_embeddings|seq_len|seq_length|n_ctx|max_length|context_length|max_pos_emb|context_size)",
        _at_most(POSITIONS),
    ),
    # What is attended to at once.
    _rule(r"(attention_window|local_attention|local_radius)", _at_most(4)),
    _rule(r"(window_size|sliding_window.*|.*chunk_size|.*chunk_length|.*block_size|mem_len)", _at_most(8)),
    _rule(r"n_window", _at_most(4)),
    _rule(r"n_window_infer", _at_most(64)),
    # Experts, queries, groups.
    _rule(r".*(num_experts|n_routed_experts|num_local_experts|moe_num_experts|zero_expert_num)", _at_most(4)),
    _rule(r".*(num_experts_per_tok|num_experts_per_token|moe_topk|moe_k|top_k|experts_top_k)", _at_most(2)),
    _rule(r"(n_group|topk_group|num_expert_group|n_groups|num_groups)", _at_most(2)),
    _rule(
        r".*(num_queries|num_query_tokens|num_latents|two_stage_num_proposals|num_detection_tokens|num_denoising)",
        _at_most(12),
    ),
    # Filters that double with each stage, and the norms of 32 groups beside them.
    _rule(r"(num_filters|n_filters)", _at_most(4)),
    _rule(r"base_channels", _at_most(32)),
    # How many features of a picture the text gets: a square of them.
    _rule(r"mm_tokens_per_image|vision_soft_tokens_per_image", _at_most(4)),
    # Four coordinates and two sides of a box are side by side in one state.
    _rule(r"coordinate_size", _at_most(WIDTH // 8)),
    _rule(r"shape_size", _at_most(WIDTH // 4)),
    # Of one border of a picture.
    _rule(r"visual_prompt_size", _at_most(8)),
    # The attention reads two states of the layers side by side.
    _rule(r"attention_hidden_size", _at_most(2 * WIDTH)),
    # A position has a sine and a cosine of each.
    _rule(r"num_pos_feats", _at_most(WIDTH // 2)),
    _rule(r"num_conv_pos_embeddings", _at_most(16)),
    _rule(r"num_conv_pos_embedding_groups", _at_most(4)),
)


def rule_of(name: str) -> SizeRule | None:
    """The rule of a size that is no width; None if its name says nothing else than that it may be one."""
    return next((rule for rule in RULES if rule.pattern.fullmatch(name)), None)


def divisor_of(values: tuple[int, ...], largest: int = LARGEST_DIVISOR, heads: tuple[int, ...] = ()) -> int:
    """By how much these widths are divided so that their ratios stay: 8, or what divides all of them.

    A width that is a multiple of its number of heads stays one.
    """
    divisor = largest
    while divisor > 1 and not _divides(divisor, values, heads):
        divisor //= 2
    return divisor


def _divides(divisor: int, values: tuple[int, ...], heads: tuple[int, ...]) -> bool:
    heads = heads if len(heads) == len(values) else (heads[0] if heads else 1,) * len(values)
    return all(
        value % divisor == 0 and (value % count != 0 or value // divisor % count == 0)
        for value, count in zip(values, heads, strict=True)
    )
