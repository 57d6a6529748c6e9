"""Transformers model -> labels: the names of its classes, in the order of their ids."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn


def labels_of(model: nn.Module) -> tuple[str, ...]:
    """`config.id2label` of the outermost module that has one; an id without a name becomes an empty string.

    Empty for a model without labels, and for the default names of a config (`LABEL_0`), which promise nothing.
    Source: PreTrainedConfig of Transformers 4.57 and 5.
    """
    named = (getattr(getattr(module, "config", None), "id2label", None) for module in model.modules())
    labels = next((found for found in named if isinstance(found, Mapping)), {})
    by_id = {int(key): str(label) for key, label in labels.items()}
    if all(label == f"LABEL_{key}" for key, label in by_id.items()):
        return ()
    return tuple(by_id.get(place, "") for place in range(max(by_id) + 1))
