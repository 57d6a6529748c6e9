"""Proves that tiny models of the installed Transformers build, small, seeded and alive, or say why not."""

from __future__ import annotations

import re

import pytest
import torch
import transformers
from torch import nn

from pytest_tsexport.errors import InputsError, UnavailableError
from pytest_tsexport.suite import list_heads, list_model_types, tiny_model
from tests.quality.turns import one_in

NOT_BUILT = {
    "pp_ocrv6_medium_det": "its default config has no kernel sizes",
    "voxtral_realtime_text": "AutoModel maps it to a class that is not there",
}
HEADS_NOT_BUILT = {
    ("gemma4", "Decision"): "it takes another config than the one that it is mapped to",
    ("hiera", "PreTraining"): "it needs the width of a decoder, which its default config lacks",
    ("sapiens2", "ImageMatting"): "it needs widths of a decoder, which its default config lacks",
}
PACKAGES = {"PIL", "timm", "natten", "torchaudio", "scipy", "detectron2", "pytorch-quantization"}
LARGEST = 10_000_000


@one_in(25, "model_type", list_model_types(), str, always=["bert", "swin", "qwen2_vl", "whisper", "detr"])
def test_a_tiny_model_builds_or_says_why_not(model_type: str) -> None:
    try:
        model = tiny_model(model_type)
    except UnavailableError as error:
        needed = re.search(r" needs ([\w-]+), which is not installed$", str(error))
        if needed is None or needed[1] not in PACKAGES:
            raise
        return
    except InputsError:
        assert model_type in NOT_BUILT
        return
    assert model_type not in NOT_BUILT
    assert not model.training
    assert 0 < sum(one.numel() for one in model.parameters()) <= LARGEST
    assert all(bool(torch.isfinite(one).all()) for one in model.parameters())


@one_in(
    200,
    "task",
    [(one, head) for one in list_model_types() for head in list_heads(one)][::6],
    "-".join,
    always=["bart-CausalLM"],
)
def test_a_head_builds_or_says_why_not(task: tuple[str, str]) -> None:
    try:
        model = tiny_model(*task)
    except UnavailableError as error:
        needed = re.search(r" needs ([\w-]+), which is not installed$", str(error))
        if needed is None or needed[1] not in PACKAGES:
            raise
        return
    except InputsError:
        assert task in HEADS_NOT_BUILT
        return
    assert task not in HEADS_NOT_BUILT
    assert not model.training


def parameters(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: one.detach().clone() for name, one in model.named_parameters()}


@pytest.mark.parametrize("model_type", ["bert", "vit", "rwkv"])
def test_the_weights_follow_the_seed_alone(model_type: str) -> None:
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = parameters(tiny_model(model_type, seed=5))
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(2)
    second, other = parameters(tiny_model(model_type, seed=5)), parameters(tiny_model(model_type, seed=6))
    assert all(torch.equal(one, second[name]) for name, one in first.items())
    assert not all(torch.equal(one, other[name]) for name, one in first.items())


def test_no_weight_is_all_alike() -> None:
    for name, one in parameters(tiny_model("bert")).items():
        assert len(one.unique()) > 1, name


def test_a_codebook_of_zeros_is_filled() -> None:
    tables = {name: one for name, one in tiny_model("encodec").named_buffers() if name.endswith("codebook.embed")}
    assert tables
    for name, one in tables.items():
        assert bool(one.any()), name


def test_weights_are_large_enough_to_show_in_the_answer() -> None:
    model = tiny_model("bert")
    ids = torch.arange(2, 9)[None]
    with torch.no_grad():
        answer = model(ids)[0]
        changed = model(torch.where(ids == 4, 5, ids))[0]
    assert float((answer - changed)[0, -1].abs().max()) > 1e-2


def test_a_head_is_built_on_request() -> None:
    assert type(tiny_model("bert", "MaskedLM")) is transformers.BertForMaskedLM


def test_the_settings_of_torch_are_left_as_they_were() -> None:
    tiny_model("bert")
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.get_default_device() == torch.device("cpu")


def test_a_model_that_needs_a_package_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ImportError("BertModel requires the timm library but it was not found in your environment.")

    monkeypatch.setattr(type(tiny_model("bert")), "__init__", refuse)
    with pytest.raises(UnavailableError, match=r"^BertModel needs timm, which is not installed$"):
        tiny_model("bert")


def test_a_model_that_does_not_build_says_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("no such width")

    monkeypatch.setattr(type(tiny_model("bert")), "__init__", refuse)
    with pytest.raises(InputsError, match=r"^'bert' cannot be built small: ValueError: no such width$"):
        tiny_model("bert")
