"""Pins the inputs that are derived for Transformers models, and for modules that wrap one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.domains.boxes import Boxes
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.integers import Ids, Integers
from pytest_tsexport.subjects.domains.lengths import Lengths
from pytest_tsexport.subjects.domains.masks import Mask
from pytest_tsexport.subjects.fields import Axis, Description, Field
from pytest_tsexport.subjects.transformers import constants_of, describe
from pytest_tsexport.subjects.transformers.facts import facts_of
from pytest_tsexport.subjects.transformers.layouts import SIZES, InputRule, Layout, Setting
from pytest_tsexport.subjects.transformers.rules import RULES
from tests.subjects.families import build

IDS = Ids(dtype=torch.int64, high=99, special=(0,))
MASK = Mask(dtype=torch.int64)
BATCH = Axis(name="batch", size=2)
ROW = ("batch", "sequence")
DECODER_ROW = ("batch", "decoder_sequence")


def described(model: nn.Module, **arguments: Any) -> Description:
    description = describe(model, **arguments)
    assert description is not None
    return description


def names_of(description: Description) -> list[str]:
    return [one.name for one in description.fields]


def field_of(description: Description, name: str) -> Field:
    (field,) = (one for one in description.fields if one.name == name)
    return field


def ids_of(description: Description, name: str) -> Ids:
    domain = field_of(description, name).domain
    assert isinstance(domain, Ids)
    return domain


def sizes_of(description: Description) -> dict[str, int]:
    return {axis.name: axis.size for axis in description.axes}


def test_an_encoder() -> None:
    assert describe(build("bert")) == Description(
        fields=(
            Field("input_ids", ROW, IDS),
            Field("attention_mask", ROW, MASK),
            Field("token_type_ids", ROW, Integers(dtype=torch.int64, high=2)),
        ),
        axes=(BATCH, Axis(name="sequence", size=7, high=48, edges=(48,))),
    )


def test_a_decoder() -> None:
    assert describe(build("llama")) == Description(
        fields=(Field("input_ids", ROW, replace(IDS, special=(0, 1, 2))), Field("attention_mask", ROW, MASK)),
        axes=(BATCH, Axis(name="sequence", size=7, edges=(48,))),
        constants={"use_cache": False},
    )


def test_an_encoder_decoder() -> None:
    ids = Ids(dtype=torch.int64, high=99, pad=98, special=(0, 98))
    assert describe(build("marian")) == Description(
        fields=(
            Field("input_ids", ROW, ids),
            Field("attention_mask", ROW, MASK),
            Field("decoder_input_ids", DECODER_ROW, ids),
            Field("decoder_attention_mask", DECODER_ROW, MASK),
        ),
        axes=(
            BATCH,
            Axis(name="sequence", size=7, high=48, edges=(48,)),
            Axis(name="decoder_sequence", size=5, high=48, edges=(48,)),
        ),
        constants={"use_cache": False},
    )


def test_each_half_is_bounded_by_its_own_table() -> None:
    highs = {axis.name: axis.high for axis in described(build("led")).axes}
    assert highs == {"batch": None, "sequence": 48, "decoder_sequence": 40}


def test_each_half_has_its_own_vocabulary() -> None:
    description = described(build("fsmt"))
    assert ids_of(description, "input_ids").high == 99
    # Transformers 5 gives both halves one vocabulary unless their weights are untied.
    assert ids_of(description, "decoder_input_ids").high == build("fsmt").config.tgt_vocab_size


def test_a_model_of_two_configs() -> None:
    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(
        build("bert").config, transformers.BertConfig(**{**build("bert").config.to_dict(), "vocab_size": 50})
    )
    description = described(transformers.EncoderDecoderModel(config))
    assert ids_of(description, "input_ids").high == 99
    assert ids_of(description, "decoder_input_ids").high == 50


def test_the_choices_are_an_axis() -> None:
    description = described(build("bert", "ForMultipleChoice"))
    assert {one.dims for one in description.fields} == {("batch", "choices", "sequence")}
    assert sizes_of(description) == {"batch": 2, "choices": 3, "sequence": 7}


@pytest.mark.parametrize("name", ["gpt2_no_pad", "llama_no_pad"])
def test_a_head_without_a_padding_id_takes_one_row(name: str) -> None:
    description = described(build(name, "ForSequenceClassification"))
    assert description.axes[0] == Axis(name="batch", size=1, high=1)
    assert described(build(name, "ForTokenClassification")).axes[0] == BATCH


def test_a_head_with_a_padding_id_takes_many() -> None:
    assert described(build("llama", "ForSequenceClassification")).axes[0] == BATCH


@pytest.mark.parametrize(("name", "last"), [("bart", 2), ("t5", 1), ("mbart", 2)])
def test_text_for_a_head_that_reads_its_end_has_one(name: str, last: int) -> None:
    description = described(build(name, "ForSequenceClassification"))
    assert names_of(description) == ["input_ids", "attention_mask"]
    assert ids_of(description, "input_ids").last == last
    assert ids_of(described(build(name)), "input_ids").last is None


def test_a_class_derived_from_a_head_is_that_head() -> None:
    class Classifier(transformers.BartForSequenceClassification):  # type: ignore[misc]
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = super().forward(input_ids=input_ids, attention_mask=attention_mask).logits
            return logits

    description = described(Classifier(build("bart").config))
    assert ids_of(description, "input_ids").last == 2
    assert description.constants == {}


def test_kinds_of_tokens_are_an_input_if_there_are_two() -> None:
    assert "token_type_ids" in names_of(described(build("bert")))
    assert "token_type_ids" not in names_of(described(build("roberta")))
    # GPT-2 takes the argument, and reads it as words.
    assert "token_type_ids" not in names_of(described(build("gpt2")))


def test_longformer_heads_get_the_tokens_of_the_question() -> None:
    assert names_of(described(build("longformer"))) == ["input_ids", "attention_mask"]
    for head in ("ForQuestionAnswering", "ForMultipleChoice"):
        assert "global_attention_mask" in names_of(described(build("longformer", head)))


@pytest.mark.parametrize(
    ("settings", "pad"),
    [
        ({"pad_token_id": 5}, 5),
        ({"pad_token_id": None, "eos_token_id": 7}, 7),
        ({"pad_token_id": None, "eos_token_id": [11, 12]}, 11),
        ({"pad_token_id": None, "eos_token_id": None}, 0),
        ({"pad_token_id": -1, "eos_token_id": 7}, 7),
    ],
)
def test_padding_is_filled_with_the_padding_id_or_the_end(settings: dict[str, Any], pad: int) -> None:
    model = build("llama")
    for name, value in settings.items():
        setattr(model.config, name, value)
    assert ids_of(described(model), "input_ids").pad == pad


@pytest.mark.parametrize(("longest", "size"), [(5, 5), (48, 7)])
def test_no_axis_is_traced_above_its_bound(longest: int, size: int) -> None:
    config = build("bert").config
    config.max_position_embeddings = longest
    assert sizes_of(described(transformers.BertModel(config)))["sequence"] == size


# Wrappers


class Pooled(nn.Module):
    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        state: torch.Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        return state.mean(dim=1)


class Forwarding(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner(*args, **kwargs)


class Adapted(Forwarding):
    """Like PEFT: it names some of the arguments, and passes the others on."""

    def forward(self, input_ids: Any = None, labels: Any = None, return_dict: Any = None, **kwargs: Any) -> Any:
        return self.inner(input_ids=input_ids, labels=labels, return_dict=return_dict, **kwargs)


class Nameless(Pooled):
    def forward(self, *ids: torch.Tensor) -> torch.Tensor:
        return super().forward(*ids)


class TwoTowers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wide = build("bert", "Model")
        config = build("roberta").config
        config.vocab_size, config.max_position_embeddings = 60, 20
        self.narrow = transformers.RobertaModel(config)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return self.wide(input_ids=input_ids)[0] + self.narrow(input_ids=input_ids)[0]  # type: ignore[no-any-return]


class DecoderStep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.decoder = build("bart", "ForCausalLM")

    def forward(
        self,
        decoder_input_ids: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        encoder_attention_mask: torch.Tensor,
        position_ids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        logits: torch.Tensor = self.decoder(
            input_ids=decoder_input_ids,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            use_cache=False,
        ).logits
        return logits


def test_a_wrapper_has_the_arguments_of_its_forward() -> None:
    description = described(Pooled(build("bert", "Model")))
    assert names_of(description) == ["input_ids", "attention_mask"]
    assert description.axes[1].high == 48


def test_a_wrapper_has_no_constant_that_it_does_not_take() -> None:
    assert described(Pooled(build("llama", "Model"))).constants == {}


def test_a_wrapper_that_passes_everything_on_has_the_inputs_of_its_model() -> None:
    assert describe(Forwarding(build("t5"))) == describe(build("t5"))
    assert describe(Forwarding(Pooled(build("bert", "Model")))) == describe(build("bert", "Model"))


@pytest.mark.parametrize("name", ["bert", "llama", "t5"])
def test_a_wrapper_with_the_interface_of_its_model_has_its_inputs(name: str) -> None:
    assert describe(Adapted(build(name))) == describe(build(name))


def test_a_wrapper_of_two_models_has_the_narrower_ranges() -> None:
    description = described(TwoTowers())
    assert ids_of(description, "input_ids").high == 60
    assert description.axes[1].high == 18


def test_a_step_of_a_decoder_takes_states() -> None:
    description = described(DecoderStep())
    assert [(one.name, one.dims, type(one.domain)) for one in description.fields] == [
        ("decoder_input_ids", DECODER_ROW, Ids),
        ("encoder_hidden_states", ("batch", "encoder_sequence", 32), Floats),
        ("encoder_attention_mask", ("batch", "encoder_sequence"), Mask),
    ]
    assert sizes_of(description) == {"batch": 2, "decoder_sequence": 5, "encoder_sequence": 6}


def test_a_wrapper_without_argument_names_is_refused_in_one_sentence() -> None:
    with pytest.raises(InputsError, match=r"^inputs cannot be derived for Nameless: its forward names no argument"):
        describe(Nameless(build("bert", "Model")))


def test_another_module_has_no_description() -> None:
    assert describe(nn.Linear(2, 2)) is None
    assert constants_of(nn.Linear(2, 2)) == {}


# Restricted and sized by a finished file


def test_names_restrict_the_inputs() -> None:
    assert names_of(described(build("bert"), names=["attention_mask", "input_ids"])) == ["input_ids", "attention_mask"]
    assert names_of(described(build("bart"), names={"input_ids"})) == ["input_ids"]


def test_names_add_inputs_that_are_not_there_by_default() -> None:
    description = described(build("bert"), names=["input_ids", "position_ids"])
    assert field_of(description, "position_ids").domain == Integers(dtype=torch.int64, high=48)
    with pytest.raises(InputsError, match="it needs labels; give"):
        describe(build("bert"), names=["labels"])


def test_names_that_forward_lacks_are_an_error() -> None:
    with pytest.raises(InputsError, match=r"^BertForMaskedLM has no argument 'ids'; it takes input_ids, "):
        describe(build("bert"), names=["ids"])


def test_sizes_replace_the_defaults() -> None:
    sizes = {"input_ids": (1, 16), "attention_mask": (1, 16), "decoder_input_ids": (1, 4)}
    assert sizes_of(described(build("t5"), sizes=sizes)) == {"batch": 1, "sequence": 16, "decoder_sequence": 4}


@pytest.mark.parametrize(
    "sizes",
    [
        {"input_ids": (2, 3, 7)},
        {"input_ids": ()},
        {"input_ids": (2, 7), "attention_mask": (2, 9)},
    ],
)
def test_sizes_that_do_not_fit_are_an_error(sizes: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(InputsError, match=r"^\w+ has shape \(.*\), which does not fit \('batch', 'sequence'\)$"):
        describe(build("bert"), sizes=sizes)


# Several dimensions, and values that depend on one another


def test_a_page_has_a_box_for_each_token() -> None:
    description = described(build("layoutlm"))
    assert names_of(description) == ["input_ids", "bbox", "attention_mask", "token_type_ids"]
    assert field_of(description, "bbox") == Field("bbox", (*ROW, 4), Boxes(dtype=torch.int64, high=1024))


def test_boxes_are_not_derived_if_the_config_does_not_say_how_large_a_page_is() -> None:
    class ReadsPages(Pooled):
        def forward(self, input_ids: torch.Tensor, bbox: torch.Tensor) -> torch.Tensor:
            return super().forward(input_ids, bbox[..., 0].clamp(0, 1))

    with pytest.raises(InputsError, match=r"^inputs cannot be derived for ReadsPages: it needs bbox; give"):
        describe(ReadsPages(build("bert", "Model")))


def test_lengths_are_bounded_by_the_sequence_and_only_an_input_if_they_are_named() -> None:
    assert "lengths" not in names_of(described(build("xlm")))
    description = described(build("xlm"), names=["input_ids", "lengths"])
    assert field_of(description, "lengths") == Field("lengths", ("batch",), Lengths(dtype=torch.int64, axis="sequence"))


def mask(_: object) -> Mask:
    return MASK


@pytest.mark.parametrize(
    ("head", "dims", "expected"),
    [
        ("ForMaskedLM", ("batch", "choices", "sequence", 4), ("batch", "sequence", 4)),
        ("ForMultipleChoice", ("batch", "choices", "sequence", 4), ("batch", "choices", "sequence", 4)),
        (
            "ForMaskedLM",
            (Setting(("num_channels", "num_attention_heads")), "sequence", "sequence", Setting(("hidden_size",))),
            (4, "sequence", "sequence", 32),
        ),
        ("ForMaskedLM", ("batch", Setting(("image_size",))), None),
        ("ForMaskedLM", ("batch", Setting(("hidden_act",))), None),
    ],
    ids=["without choices", "with choices", "sizes of the config", "no such setting", "not a number"],
)
def test_a_rule_names_axes_numbers_and_settings(
    head: str, dims: tuple[str | int | Setting, ...], expected: tuple[str | int, ...] | None
) -> None:
    facts = facts_of(build("bert", head))
    assert facts is not None
    laid = InputRule("x", (Layout(dims, mask),)).laid_out(facts)
    assert [one.field.dims for one in laid] == ([] if expected is None else [expected])


def test_every_axis_of_a_rule_has_a_size() -> None:
    dims = {dim for rule in RULES for layout in rule.layouts for dim in layout.dims}
    followed = {"grid_height", "grid_width", "text"}  # dimensions of no input: patches and sequence follow from them
    assert {dim for dim in dims if isinstance(dim, str)} | followed == set(SIZES)


# What cannot be derived


def vision() -> nn.Module:
    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    model: nn.Module = transformers.ViTModel(transformers.ViTConfig(**small, image_size=8, patch_size=4))
    return model


def text_and_vision() -> nn.Module:
    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.CLIPConfig(
        text_config={**small, "vocab_size": 99, "max_position_embeddings": 16},
        vision_config={**small, "image_size": 8, "patch_size": 4},
    )
    model: nn.Module = transformers.CLIPModel(config)
    return model


class Unknown(Pooled):
    def forward(self, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return super().forward(tokens, lengths)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            Unknown(build("bert", "Model")),
            "inputs cannot be derived for Unknown: it needs tokens and lengths; "
            "give inputs={'tokens': tensor, 'lengths': tensor}",
        ),
    ],
    ids=["wrapper"],
)
def test_the_sentence_says_which_inputs_to_give(model: nn.Module, sentence: str) -> None:
    with pytest.raises(InputsError) as caught:
        describe(model)
    assert str(caught.value) == sentence


def test_a_wrapper_that_takes_text_alone_needs_no_picture() -> None:
    class TextSide(Pooled):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features: torch.Tensor = self.encoder.get_text_features(input_ids, attention_mask)  # type: ignore[operator]
            return features

    description = described(TextSide(text_and_vision()))
    assert ids_of(description, "input_ids").high == 99
    assert description.axes[1].high == 16


# Constants


@pytest.mark.parametrize(
    ("name", "constants"),
    [
        ("bert", {}),
        ("gpt2", {"use_cache": False}),
        ("xlnet", {"use_mems": False}),
        # In Transformers 5 it does not name the argument, and hands it on.
        ("granitemoe", {"use_cache": False}),
    ],
)
def test_constants_keep_caches_out(name: str, constants: dict[str, object]) -> None:
    assert constants_of(build(name)) == constants


def test_constants_are_known_even_if_inputs_are_not() -> None:
    assert constants_of(text_and_vision()) == {}
    assert constants_of(vision()) == {}


def test_transformers_is_not_imported_for_another_model() -> None:
    program = (
        "import sys; from torch import nn; from pytest_tsexport.subjects.transformers import describe; "
        "assert describe(nn.Linear(2, 2)) is None; assert 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
