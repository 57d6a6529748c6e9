"""Shows what TorchScript exports of Transformers models do wrong, with torch and Transformers alone.

`python show.py qwen3_next` runs the script of one family, `python show.py --script qwen3_next` prints it: it needs no
other file. `python show.py` names the families. Exit status 0 says that the fault is there.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

CHUNKS = (
    "{file} splits the sequence into chunks of 64 tokens and loops over them in Python. The trace unrolls the loop for "
    "the number of chunks that it sees, so the tokens of every further chunk never get an answer."
)
EXPERTS = (
    "{file} loops over the experts that were hit (`expert_hit`) in Python. The trace keeps the loop of the traced "
    "tokens: {what}"
)
UNREACHED = "an expert that only other tokens reach never adds its part."
STRIDES = (
    "`_chunk` of {file} cuts overlapping windows out with `as_strided`. The strides are Python numbers, and that of "
    "the sequence has the batch in it, so the trace keeps those of the traced batch. `unfold`, which `_chunk` uses for "
    "`onnx_export`, needs no strides."
)

GRIDS = (
    "`get_vision_position_ids` of vision_utils.py makes Python numbers of the grid (`grid_thw.tolist()`). The trace "
    "keeps the positions of the traced pictures, and gives them to the patches of pictures with other sides."
)

HEADS = {"num_attention_heads": 4}
LATENT = {"kv_lora_rank": 32, "qk_rope_head_dim": 8, "qk_nope_head_dim": 16, "v_head_dim": 16}
SMALL = {"vocab_size": 128, "hidden_size": 64, "intermediate_size": 64, **HEADS, "initializer_range": 0.1}
QWEN = {**SMALL, "num_hidden_layers": 4, "num_key_value_heads": 2, "linear_num_key_heads": 2} | {
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
}
TOWER = {"depth": 2, "hidden_size": 64, "intermediate_size": 64, "num_heads": 4, "out_hidden_size": 64} | {
    "initializer_range": 0.1
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of a family: how a small model is traced, at which other input it is wrong, and why.

    `config` makes the model small. `arguments` are ids, masks of ones, pictures, or the patches of one picture, of
    `patch` numbers each, with its grid; then the size is that of the grid. `asked_at` is the smallest size that is
    wrong; where it is the traced size, other ids are. `raises`: the export raises there, and eager answers.
    `classes` are those of config and model, for a part of the model type `part_of` that the auto classes do not map.
    """

    config: Mapping[str, Any]
    asked_at: tuple[int, ...]
    cause: str
    arguments: Sequence[str] = ("input_ids",)
    traced_at: tuple[int, ...] = (2, 7)
    output: str = "last_hidden_state"
    call: Mapping[str, Any] = field(default_factory=lambda: {"use_cache": False})
    raises: bool = False
    patch: int = 0
    seed: int = 0
    classes: tuple[str, str] = ("AutoConfig", "AutoModel")
    part_of: str = ""


FAULTS: Mapping[str, Fault] = {
    "aimv2_text_model": Fault(
        config={**SMALL, "num_hidden_layers": 2, "max_position_embeddings": 64, "eos_token_id": 127},
        arguments=("input_ids", "attention_mask"),
        asked_at=(2, 7),
        call={},
        classes=("Aimv2TextConfig", "Aimv2TextModel"),
        part_of="aimv2",
        cause="`create_causal_mask` makes no mask where all of `attention_mask` is 1, and leaves causality to the "
        "attention itself; that of modeling_aimv2.py is not causal. So eager attends to later tokens, and only where "
        "nothing is padded. While a trace is made no mask is left out, so the export is causal.",
    ),
    "bailing_hybrid": Fault(
        config={**SMALL, "num_hidden_layers": 6, "moe_intermediate_size": 64, **LATENT, "num_expert_group": 2}
        | {"topk_group": 2, "num_experts_per_token": 2, "num_experts": 4, "linear_head_dim": 16, "linear_num_heads": 4}
        | {"pad_token_id": 127, "eos_token_id": 126},
        asked_at=(2, 65),
        cause=CHUNKS.format(file="modeling_bailing_hybrid.py"),
    ),
    "dbrx": Fault(
        config={"d_model": 64, "n_heads": 4, "n_layers": 2, "max_seq_len": 128, "vocab_size": 128}
        | {"initializer_range": 0.1, "attn_config": {"kv_n_heads": 1, "rope_theta": 10000.0, "clip_qkv": 8.0}}
        | {"ffn_config": {"hidden_size": 64, "ffn_hidden_size": 64, "moe_num_experts": 4, "moe_top_k": 1}},
        asked_at=(2, 7),
        raises=True,
        cause=EXPERTS.format(file="modeling_dbrx.py", what="where another number of experts is hit, it raises."),
    ),
    "deepseek_v4": Fault(
        config={"vocab_size": 128, "hidden_size": 64, "moe_intermediate_size": 64, "num_hidden_layers": 2, **HEADS}
        | {"head_dim": 16, "q_lora_rank": 32, "num_experts_per_tok": 2, "n_routed_experts": 4, "sliding_window": 8}
        | {"o_lora_rank": 32, "index_n_heads": 4, "index_head_dim": 16, "index_topk": 64, "initializer_range": 0.1}
        | {"qk_rope_head_dim": 16, "mlp_layer_types": ["hash_moe", "moe"]}
        | {"layer_types": ["heavily_compressed_attention", "compressed_sparse_attention"]},
        asked_at=(2, 8),
        cause="The compressor of modeling_deepseek_v4.py takes the number of whole windows as a Python number "
        "(`kv.shape[1] // self.compress_rate`), and leaves its branch out where there is none. The trace keeps the "
        "number and the branch of the traced length.",
    ),
    "fastspeech2_conformer": Fault(
        config={
            "vocab_size": 128,
            "hidden_size": 64,
            "encoder_layers": 2,
            "decoder_layers": 2,
        },
        traced_at=(1, 2),
        asked_at=(1, 2),
        output="spectrogram",
        call={},
        raises=True,
        seed=5,
        cause="`length_regulator` of modeling_fastspeech2_conformer.py gives each token one frame if all predicted "
        "durations are 0, in a Python branch on data. The trace keeps the way that the traced ids took, and so has no "
        "frame at all for ids whose durations are 0.",
    ),
    "focalnet": Fault(
        config={"image_size": 64, "embed_dim": 16, "depths": [1, 1], "focal_levels": [2, 2], "focal_windows": [3, 3]}
        | {"initializer_range": 0.1},
        arguments=("pixel_values",),
        traced_at=(2, 3, 64, 64),
        asked_at=(2, 3, 64, 63),
        output="pooler_output",
        call={},
        cause="`maybe_pad` of modeling_focalnet.py decides in Python whether a side is padded to a multiple of the "
        "patch. The trace keeps the decision, and cuts the last pixels off instead.",
    ),
    "funnel": Fault(
        config={
            "architectures": ["FunnelModel"],
            "vocab_size": 128,
            "d_model": 64,
            "n_head": 4,
            "d_head": 16,
            "d_inner": 64,
        }
        | {"initializer_std": 0.1},
        asked_at=(2, 8),
        call={},
        cause="`relative_pos` of modeling_funnel.py builds `torch.arange` from Python numbers. The trace keeps the "
        "relative positions of the traced length.",
    ),
    "glm4v_vision": Fault(
        config={**TOWER, "image_size": 56},
        arguments=("hidden_states", "grid_thw"),
        traced_at=(4, 6),
        asked_at=(6, 4),
        call={},
        patch=1176,
        cause=GRIDS,
    ),
    "glm5_next_text": Fault(
        config={
            **SMALL,
            "num_hidden_layers": 5,
            "num_key_value_heads": 4,
            "moe_intermediate_size": 64,
            "n_routed_experts": 4,
            "kv_lora_rank": 32,
            "qk_nope_head_dim": 16,
            "v_head_dim": 16,
        }
        | {"q_lora_rank": 32, "num_experts_per_tok": 2, "index_topk": 64, "index_head_dim": 16, "index_n_heads": 4}
        | {"linear_head_dim": 16, "linear_num_heads": 4, "pad_token_id": 127},
        asked_at=(2, 65),
        cause=CHUNKS.format(file="modeling_glm5_next.py"),
    ),
    "glm_ocr_vision": Fault(
        config={**TOWER, "image_size": 56},
        arguments=("hidden_states", "grid_thw"),
        traced_at=(4, 6),
        asked_at=(6, 4),
        call={},
        patch=1176,
        cause=GRIDS,
    ),
    "jetmoe": Fault(
        config={**SMALL, "num_hidden_layers": 2, "num_key_value_heads": 2, "kv_channels": 16, "num_local_experts": 4},
        asked_at=(2, 7),
        cause="The gate of modeling_jetmoe.py turns the number of tokens of each expert into Python numbers "
        "(`expert_size.tolist()`). The trace splits all tokens as it split the traced ones.",
    ),
    "kimi_linear": Fault(
        config={**SMALL, "num_hidden_layers": 5, "moe_intermediate_size": 64, **LATENT, "num_experts_per_token": 2}
        | {"num_experts": 4, "linear_head_dim": 16, "linear_num_heads": 4}
        | {"pad_token_id": 125, "eos_token_id": 126, "bos_token_id": 127},
        asked_at=(2, 65),
        cause=CHUNKS.format(file="modeling_kimi_linear.py"),
    ),
    "led": Fault(
        config={"vocab_size": 128, "d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 64}
        | {"decoder_ffn_dim": 64, "encoder_attention_heads": 4, "decoder_attention_heads": 4, "init_std": 0.1}
        | {"attention_window": [4, 4]},
        arguments=("input_ids", "decoder_input_ids"),
        asked_at=(3, 7),
        cause=STRIDES.format(file="modeling_led.py"),
    ),
    "longcat_flash": Fault(
        config={
            "vocab_size": 128,
            "hidden_size": 64,
            "num_layers": 2,
            **HEADS,
            "num_key_value_heads": 4,
            "head_dim": 8,
            **LATENT,
            "initializer_range": 0.1,
        }
        | {"ffn_hidden_size": 64, "q_lora_rank": 32, "moe_topk": 2, "n_routed_experts": 4, "zero_expert_num": 4}
        | {"expert_ffn_hidden_size": 64},
        asked_at=(2, 7),
        cause=EXPERTS.format(file="modeling_longcat_flash.py", what=UNREACHED),
    ),
    "longformer": Fault(
        config={**SMALL, "num_hidden_layers": 2, "attention_window": [4, 4]},
        asked_at=(3, 7),
        call={},
        cause=STRIDES.format(file="modeling_longformer.py"),
    ),
    "mobilenet_v2": Fault(
        config={"image_size": 64, "depth_multiplier": 0.25, "initializer_range": 0.5},
        arguments=("pixel_values",),
        traced_at=(2, 3, 64, 64),
        asked_at=(2, 3, 63, 64),
        call={},
        cause="`apply_tf_padding` of modeling_mobilenet_v2.py works out the padding from `int(features.shape[-2])`. "
        "The trace keeps the padding of the traced side.",
    ),
    "nllb-moe": Fault(
        config={"vocab_size": 128, "d_model": 64, "encoder_layers": 4, "decoder_layers": 4, "encoder_ffn_dim": 64}
        | {"decoder_ffn_dim": 64, "encoder_attention_heads": 4, "decoder_attention_heads": 4, "init_std": 0.1}
        | {"num_experts": 4},
        arguments=("input_ids", "decoder_input_ids"),
        asked_at=(3, 7),
        cause="The router of modeling_nllb_moe.py takes the capacity of an expert from the number of tokens with "
        "`math.ceil`. The trace keeps the capacity of the traced tokens, and routes further tokens to no expert.",
    ),
    "olmo_hybrid": Fault(
        config={**SMALL, "num_hidden_layers": 4, "linear_num_key_heads": 2, "linear_num_value_heads": 2}
        | {"linear_key_head_dim": 16, "linear_value_head_dim": 16, "pad_token_id": 126, "eos_token_id": 127},
        asked_at=(2, 65),
        cause=CHUNKS.format(file="modeling_olmo_hybrid.py"),
    ),
    "openai_privacy_filter": Fault(
        config={**SMALL, "num_hidden_layers": 2, "num_local_experts": 4, "head_dim": 16, "sliding_window": 8}
        | {"num_key_value_heads": 2, "num_experts_per_tok": 2, "pad_token_id": 127, "eos_token_id": 127},
        asked_at=(2, 7),
        call={},
        raises=True,
        cause=EXPERTS.format(
            file="modeling_openai_privacy_filter.py", what="where another number of experts is hit, it raises."
        ),
    ),
    "qwen3_5_moe_text": Fault(
        config={**QWEN, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
        | {"shared_expert_intermediate_size": 64},
        asked_at=(2, 65),
        cause=CHUNKS.format(file="modeling_qwen3_5_moe.py"),
    ),
    "qwen3_5_moe_vision": Fault(
        config={**TOWER, "num_position_embeddings": 64},
        arguments=("hidden_states", "grid_thw"),
        traced_at=(4, 6),
        asked_at=(6, 4),
        call={},
        patch=1536,
        cause=GRIDS,
    ),
    "qwen3_5_text": Fault(config=QWEN, asked_at=(2, 65), cause=CHUNKS.format(file="modeling_qwen3_5.py")),
    "qwen3_next": Fault(
        config={**QWEN, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64},
        asked_at=(2, 65),
        cause=CHUNKS.format(file="modeling_qwen3_next.py"),
    ),
    "rwkv": Fault(
        config={"vocab_size": 128, "context_length": 128, "hidden_size": 64, "num_hidden_layers": 2}
        | {"attention_hidden_size": 64, "intermediate_size": 64},
        asked_at=(2, 8),
        cause="`rwkv_linear_attention_cpu` of modeling_rwkv.py loops over the tokens in Python. The trace unrolls the "
        "loop for the traced length, and answers nothing for the tokens beyond it.",
    ),
    "swin": Fault(
        config={"image_size": 64, "embed_dim": 16, "depths": [2, 2], "num_heads": [2, 2], "window_size": 4}
        | {"initializer_range": 0.1},
        arguments=("pixel_values",),
        traced_at=(2, 3, 64, 64),
        asked_at=(2, 3, 32, 32),
        call={"interpolate_pos_encoding": True},
        cause="`set_shift_and_window_size` of modeling_swin.py moves no window where one window covers the picture, in "
        "Python. The trace keeps the shift of the traced side.",
    ),
    "switch_transformers": Fault(
        config={"vocab_size": 128, "d_model": 64, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_decoder_layers": 2}
        | {"num_sparse_encoder_layers": 1, "num_sparse_decoder_layers": 1, "num_heads": 4, "num_experts": 16},
        arguments=("input_ids", "decoder_input_ids"),
        traced_at=(1, 1),
        asked_at=(1, 1),
        cause=EXPERTS.format(file="modeling_switch_transformers.py", what=UNREACHED),
    ),
}
"""The faults by model type."""

SCRIPT = """\
# {model_type}: traced at {traced_at}, {what} at {asked_at}{other}
import torch
from transformers import {config_class}, {model_class}


class Exported(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, {parameters}):
        return self.model({passed}).{output}


torch.manual_seed({seed})
config = {config_class}{config}
model = Exported({model_class}{from_config}(config)).eval()
example = [{example}]
other = [{asked}]
with torch.no_grad():
    export = torch.jit.trace(model, example, check_trace=False)
    eager = model(*other)
{comparison}"""

DIFFERS = """\
    answer = export(*other)
difference, largest = (answer - eager).abs().max().item(), eager.abs().max().item()
print(f"{model_type} at {asked_at}: off by up to {{difference:.2g}}, where eager's largest value is {{largest:.2g}}")
raise SystemExit(difference < 1e-3 * largest)
"""

RAISES = """\
    try:
        export(*other)
    except RuntimeError as error:
        print("{model_type} at {asked_at}: eager answers, and the export raises:", str(error).strip().splitlines()[-1])
    else:
        raise SystemExit("the export answers: the fault is gone")
"""


def script_of(model_type: str) -> str:
    """The script of a family: a whole program."""
    fault = FAULTS[model_type]
    is_auto = fault.classes == ("AutoConfig", "AutoModel")
    passed = {**{name: name for name in fault.arguments}, **{name: repr(value) for name, value in fault.call.items()}}
    settings = [repr(model_type)] * is_auto + [f"{name}={value!r}" for name, value in fault.config.items()]
    values = {"model_type": model_type, "traced_at": fault.traced_at, "asked_at": fault.asked_at}
    return SCRIPT.format(
        **values,
        what="raises" if fault.raises else "wrong",
        other=" for other ids" if fault.asked_at == fault.traced_at else "",
        config_class=fault.classes[0],
        model_class=fault.classes[1],
        parameters=", ".join(fault.arguments),
        passed=", ".join(f"{name}={value}" for name, value in passed.items()),
        output=fault.output,
        seed=fault.seed,
        config=f"{'.for_model' * is_auto}({_in_lines(settings)})",
        from_config=".from_config" * is_auto,
        example=", ".join(_drawn(name, fault.traced_at, fault.patch) for name in fault.arguments),
        asked=", ".join(_drawn(name, fault.asked_at, fault.patch) for name in fault.arguments),
        comparison=(RAISES if fault.raises else DIFFERS).format(**values),
    )


def _drawn(argument: str, size: tuple[int, ...], patch: int) -> str:
    """The expression that makes one input."""
    made = {
        "pixel_values": f"torch.randn{size}",
        "hidden_states": f"torch.randn({prod(size)}, {patch})",
        "grid_thw": f"torch.tensor([{[1, *size]}])",
        "attention_mask": f"torch.ones({size}, dtype=torch.int64)",
    }
    return made.get(argument, f"torch.randint(3, 90, {size})")


def _in_lines(settings: Sequence[str]) -> str:
    """Arguments of a call, one a line."""
    return "\n    " + ",\n    ".join(settings) + ",\n"


def main(arguments: Sequence[str]) -> int:
    """Run or print the script of a family, or name the families."""
    names = [name for name in arguments if name != "--script"]
    unknown = [name for name in names if name not in FAULTS]
    if unknown or not names:
        print(f"{unknown[0]!r} is no family here; give one of" if unknown else __doc__, *FAULTS, sep="\n")
        return 2 if unknown else 0
    scripts = [script_of(name) for name in names]
    if "--script" in arguments:
        print(*scripts, sep="\n", end="")
        return 0
    return max(subprocess.run([sys.executable, "-c", script], check=False).returncode for script in scripts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
