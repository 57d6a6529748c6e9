"""call -> the same call whose every step rounds otherwise: what another order of additions does to eager.

The result of each operator that computes is moved by a few ULP; of one that adds up, its operands are. What is copied,
chosen or compared is not computed, so it stays what it is: inputs are given bit for bit to eager and to the file, and
a branch on an input itself says something about the file. Results of few digits (counts, halves) stay too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from pytest_tsexport.comparison.moved_weights import MovedWeights
from pytest_tsexport.comparison.nudges import LARGE, is_exact, is_movable, nudged, nudged_alike, times_of
from pytest_tsexport.comparison.packed_rows import is_jagged, is_packed, row_of, with_rows

_ADDS = """
    mm bmm addmm addbmm baddbmm addmv mv dot vdot linear _addmm_activation sum nansum mean var std var_mean
    std_mean cumsum logcumsumexp prod cumprod logsumexp softmax _softmax _log_softmax _safe_softmax
    linalg_vector_norm norm trapz convolution _convolution mkldnn_convolution conv_depthwise3d _embedding_bag
    cdist _cdist_forward native_layer_norm native_group_norm native_batch_norm
    _native_batch_norm_legit_no_training _fused_rms_norm avg_pool2d _adaptive_avg_pool2d _adaptive_avg_pool3d
    avg_pool3d _scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_attention_math_for_mps
    _native_multi_head_attention _transformer_encoder_layer_fwd upsample_bilinear2d upsample_bicubic2d
    linalg_cholesky_ex linalg_solve_triangular triangular_solve _linalg_solve_ex linalg_inv_ex
    linalg_lu_factor_ex _linalg_det _linalg_svd _linalg_eigh linalg_qr _fft_r2c _fft_c2r _fft_c2c
"""

ADDS = frozenset(_ADDS.split())
"""Operators that add up many products or values: their results are near 0 by chance, and their operands are not."""

_COPIES = """
    clone _to_copy copy _unsafe_view _reshape_alias alias detach lift_fresh_copy lift_fresh cat stack index
    index_select gather take embedding where masked_fill masked_select masked_scatter scatter index_put
    _unsafe_index _index_put_impl index_copy index_fill fill slice_scatter select_scatter diagonal_scatter
    as_strided_scatter constant_pad_nd flip roll reflection_pad1d reflection_pad2d replication_pad1d
    replication_pad2d repeat repeat_interleave tril triu diag_embed im2col pixel_shuffle pixel_unshuffle
    channel_shuffle unfold_copy max min amax amin aminmax maximum minimum fmax fmin clamp clamp_min clamp_max
    relu threshold hardtanh abs neg sign sgn round floor ceil trunc nan_to_num sort topk kthvalue median
    nanmedian mode cummax cummin _unique2 unique_dim max_pool2d_with_indices max_pool3d_with_indices
    adaptive_max_pool2d _fake_quantize_learnable_per_tensor_affine fake_quantize_per_tensor_affine_cachemask
    _fake_quantize_per_tensor_affine_cachemask_tensor_qparams fake_quantize_per_channel_affine_cachemask
    dequantize int_repr heaviside copysign nextafter zeros ones full empty empty_like zeros_like ones_like
    full_like new_zeros new_ones new_full new_empty zero scalar_tensor arange eye rand randn rand_like
    randn_like bernoulli uniform normal native_dropout multinomial real imag view_as_real frexp ldexp resize set
    empty_strided new_empty_strided _local_scalar_dense _nested_tensor_from_mask
    _nested_tensor_from_tensor_list to_padded_tensor
"""

COPIES = frozenset(_COPIES.split())
"""Operators that compute nothing: what they answer is a value that was there before, or the nearest of its type."""


FEW_DIGITS = {torch.float32: (torch.int32, 2**13 - 1), torch.float64: (torch.int64, 2**27 - 1)}
"""The whole numbers in whose form a type is read, and the bits that are 0 in a value of at most half of its digits."""

FIRST_VALUES = 64
"""So many values are looked at before all of them: what is computed needs many digits nearly everywhere."""

SMALL = 2**12
"""Operands of so many values or fewer are moved alike where they are equal; in larger ones nobody looks for that."""


class RoundedSteps(TorchDispatchMode):
    """Each step is moved by at most `times` the first nudge of each dimension; the number decides how.

    `half` is the type of a model in half precision. Its steps in float32 are moved by ULP of that type too: eager may
    compute them in float32, and another kernel in half precision.
    """

    def __init__(
        self, number: int, times: int, half: torch.dtype | None = None, weights: MovedWeights | None = None
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._generator = torch.Generator().manual_seed(number)
        self._times = times
        self._half = half
        self._weights = weights

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name, written = _name_of(func)
        if any(map(is_jagged, args)):
            return func(*args, **kwargs)
        if name in COPIES or (not written and _is_view(func)):
            return func(*args, **kwargs)
        if written:
            return self._overwritten(func, args, kwargs)
        if name in ADDS:
            return self._added_up(func, args, kwargs)
        return _each(lambda one: self._moved(one, args), func(*args, **kwargs))

    def _overwritten(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The answer of an operator that writes into its first operand, which is moved afterwards."""
        before = args[0].clone() if isinstance(args[0], torch.Tensor) and is_movable(args[0]) else None
        answer = func(*args, **kwargs)
        if before is not None:
            args[0].copy_(self._moved(args[0], (before, *args[1:])))
        return answer

    def _added_up(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The answer for moved operands; a sum of exact ones is exact where it has few digits."""
        alone = sum(isinstance(one, torch.Tensor) for one in args) == 1
        moved = func(*(self._nudged(one, alike=alone) for one in args), **kwargs)
        return _each(_exact_kept, func(*args, **kwargs), moved) if all(map(_are_exact, args)) else moved

    def _nudged(self, operand: Any, *, alike: bool) -> Any:
        """The operand moved; `alike` says that it is the only one, so that a variance of equal values is still 0."""
        if isinstance(operand, (list, tuple)):
            return type(operand)(self._nudged(one, alike=alike) for one in operand)
        if not isinstance(operand, torch.Tensor):
            return operand
        if is_packed(operand):
            return with_rows(operand, map(self._nudged_tensor, operand.unbind()))
        if not alike or operand.numel() > SMALL or self._half is not None:
            return self._nudged_tensor(operand)
        return nudged_alike(operand, self._times * (operand.dim() + 1), self._generator, exact=False)

    def _nudged_tensor(self, tensor: torch.Tensor) -> torch.Tensor:
        times = self._times * (tensor.dim() + 1)
        if self._half is not None and is_movable(tensor) and torch.finfo(tensor.dtype).bits > 16:
            times *= 2 * times_of(self._half)
        if self._weights is not None and self._weights.holds(tensor):
            return self._weights.moved(tensor, lambda drawing: nudged(tensor, times, drawing, exact=False))
        return nudged(tensor, times, self._generator, exact=False)

    def _moved(self, result: torch.Tensor, args: tuple[Any, ...]) -> torch.Tensor:
        """The result moved, but for values that are those of an operand: `x * 1` computes nothing.

        In half precision a result is near its operand by chance too often to say so.
        """
        if is_packed(result):
            rows = [(row, tuple(row_of(one, place) for one in args)) for place, row in enumerate(result.unbind())]
            return with_rows(result, (self._moved(row, operands) for row, operands in rows))
        moved = _exact_kept(result, self._nudged_tensor(result))
        for one in args if self._half is None else ():
            if isinstance(one, torch.Tensor) and one.shape == result.shape and one.dtype == result.dtype:
                moved = _put(result, result == one, moved)
        return moved


def _are_exact(operand: Any) -> bool:
    """Whether what is added up has few digits, so that a sum of few digits is no chance."""
    if isinstance(operand, (list, tuple)):
        return all(map(_are_exact, operand))
    if not isinstance(operand, torch.Tensor) or not is_movable(operand) or operand.is_complex():
        return not isinstance(operand, torch.Tensor) or not operand.is_complex()
    if is_packed(operand):
        return False
    if operand.numel() > LARGE or not is_exact(_first_values(operand)).all():
        return False
    return bool(is_exact(operand).all())


def _first_values(operand: torch.Tensor) -> torch.Tensor:
    while operand.dim() > 1 and operand.numel():
        operand = operand[0]
    return operand[:FIRST_VALUES] if operand.dim() else operand


@cache
def _name_of(func: Any) -> tuple[str, bool]:
    """The name of an operator without its overload, and whether it writes into its first operand."""
    name: str = func.__name__.partition(".")[0]
    if name.endswith("_") and not name.endswith("__"):
        return name[:-1], True
    return name, func.__name__.endswith(".out")


@cache
def _is_view(func: Any) -> bool:
    return any(one.alias_info is not None for one in func._schema.returns)


def _each(change: Callable[..., torch.Tensor], answer: Any, *others: Any) -> Any:
    """The answer of an operator, with each tensor that may be moved changed, together with its like in `others`."""
    if isinstance(answer, torch.Tensor):
        return change(answer, *others) if is_movable(answer) and answer.numel() else answer
    if isinstance(answer, (list, tuple)):
        return type(answer)(_each(change, *members) for members in zip(answer, *others, strict=True))
    return answer


def _exact_kept(plain: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """`moved`, with the values of `plain` that need at most half of their digits: sums of whole numbers are exact.

    In half precision one value in sixteen needs so few by chance, so only 0 and what is not finite is kept.
    """
    if plain.shape != moved.shape or plain.is_complex():
        return moved
    if plain.dtype in FEW_DIGITS:
        whole, mask = FEW_DIGITS[plain.dtype]
        return _put(plain, plain.resolve_neg().view(whole) & mask == 0, moved)
    return torch.where((plain == 0) | ~plain.isfinite(), plain, moved)


def _put(plain: torch.Tensor, places: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """`moved`, with the values of `plain` at those places, of which there are mostly none."""
    return torch.where(places, plain, moved) if bool(places.any()) else moved
