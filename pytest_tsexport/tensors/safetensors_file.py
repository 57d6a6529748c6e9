"""safetensors file -> tensors, by name."""

from __future__ import annotations

import os

import torch

from pytest_tsexport.errors import InputsError


def tensors_in(file: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """All tensors of the file. Raises `InputsError`, which says what is wrong with the file and does not name it."""
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError:
        raise InputsError("is a safetensors file, but safetensors is not installed") from None
    try:
        return load_file(file)
    except FileNotFoundError:
        raise InputsError("does not exist; give a safetensors file") from None
    except (SafetensorError, OSError) as error:
        raise InputsError(f"is not a safetensors file: {error}") from error
