"""model -> a copy of it, which shares its parameters or shares nothing; tensor -> a clone with memory of its own."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

from pytest_tsexport.config.shown import first_line, with_article
from pytest_tsexport.errors import InputsError
from pytest_tsexport.tensors.memory import joined
from pytest_tsexport.tensors.named_tensors import Entry, entries, named_modules
from pytest_tsexport.tensors.record import HOOKS
from pytest_tsexport.tensors.references import reachable, redirected, references
from pytest_tsexport.tensors.script_modules import is_script, is_script_function

UNCOPIED_LAYOUTS = {torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc}
UNCOPIED_LAYOUTS |= {torch._mkldnn}  # type: ignore[attr-defined]
"""The layouts that `copy.deepcopy` refuses."""

COPIED_BY_PYTHON = frozenset({FunctionType, MethodType, type, property, CodeType})
"""What `copy.deepcopy` copies, or leaves as it is, without asking the object."""

PICKLING = ("__reduce__", "__reduce_ex__", "__getstate__")
"""The methods by which a class says how its objects are copied."""

UNCOPYABLE = (TypeError, ValueError, RuntimeError, copy.Error, pickle.PickleError)
"""What `copy.deepcopy` raises for an object that cannot be copied."""


def parameter_sharing_copy(model: nn.Module) -> nn.Module:
    """A copy of the module tree that shares every parameter with `model`; its buffers and other state are copied.

    A plain attribute that shares elements with a parameter is shared too: in the copy it must follow the parameter.
    For MiniLM it costs a third of a deep copy. Raises `InputsError` if the model cannot be copied.
    """
    found = entries(model)
    shared = [entry.tensor for entry in found if isinstance(entry.tensor, nn.Parameter) and entry.is_weight]
    return _deep_copied(model, {id(one): one for one in (*shared, *_plain_views(found, shared))}, found)


def deep_copy(model: nn.Module) -> nn.Module:
    """A copy that shares nothing with `model`. Tied weights are still tied in it: `deepcopy` alone would clone them.

    Raises `InputsError` if the model cannot be copied.
    """
    memo: dict[int, Any] = {}
    found = entries(model)
    for tensor in (entry.tensor for entry in found if entry.is_weight):
        if isinstance(tensor, nn.Parameter) and type(tensor).__deepcopy__ is nn.Parameter.__deepcopy__:
            memo[id(tensor)] = _as_parameter(copy.deepcopy(tensor.data, memo), tensor)
    return _deep_copied(model, memo, found)


def evaluation_copy(model: nn.Module) -> nn.Module:
    """`deep_copy` in evaluation mode. What `eval()` of a model returns is not used: it may be nothing."""
    copied = deep_copy(model)
    copied.eval()
    return copied


def converted_copy(model: nn.Module, convert: Callable[[torch.Tensor], torch.Tensor]) -> nn.Module:
    """A copy in evaluation mode in which each tensor is what `convert` makes of it; it may have another dtype.

    Each tensor is converted once, without gradients, so weights with several names still have them. A tensor that
    `convert` returns is shared with `model`. Tensors of another layout, of a class
    of their own, or of a script module are copied as they are. Raises `InputsError` as `deep_copy` does.
    """
    memo: dict[int, Any] = {}
    found = entries(model)
    for tensor in (entry.tensor for entry in found):
        if id(tensor) not in memo and _is_plain(tensor):
            with torch.no_grad():
                made = convert(tensor).detach()
            memo[id(tensor)] = _as_parameter(made, tensor) if isinstance(tensor, nn.Parameter) else made
    copied = _deep_copied(model, memo, found)
    copied.eval()
    return copied


def clone(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor with memory of its own: class, dtype, layout, values, `requires_grad` and attributes are the same.

    A dimension that repeats its elements, as `expand` makes it, repeats them in the clone too.
    """
    if isinstance(tensor, nn.Parameter) and type(tensor).__deepcopy__ is nn.Parameter.__deepcopy__:
        return _as_parameter(_cloned(tensor.data), tensor)
    made: torch.Tensor = copy.deepcopy(tensor, {}) if _is_of_its_own_class(tensor) else _cloned(tensor.detach())
    vars(made).update({name: value for name, value in vars(tensor).items() if name not in vars(made)})
    return made


def _plain_views(found: Sequence[Entry], weights: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    """The plain attributes that are joined to one of these weights by shared elements."""
    known = {id(one) for one in weights}
    for places in joined([entry.tensor for entry in found]):
        members = [found[place] for place in places]
        if any(id(entry.tensor) in known for entry in members):
            yield from (entry.tensor for entry in members if not entry.is_weight)


def _as_parameter(data: torch.Tensor, parameter: nn.Parameter) -> torch.Tensor:
    """`data` as a parameter of the same class, whatever the constructor of that class takes."""
    made = torch.Tensor._make_subclass(type(parameter), data, parameter.requires_grad)
    vars(made).update(vars(parameter))
    return made


def _is_plain(tensor: torch.Tensor) -> bool:
    """Whether it can be replaced by another plain tensor, or by a parameter of the same class."""
    if hasattr(type(tensor), "__tensor_flatten__") or tensor.layout != torch.strided or tensor.is_nested:
        return False
    own = isinstance(tensor, nn.Parameter) and type(tensor).__deepcopy__ is not nn.Parameter.__deepcopy__
    return not (own or tensor.is_quantized or tensor.is_meta or tensor.is_inference())


def _is_of_its_own_class(tensor: torch.Tensor) -> bool:
    """Whether its class knows best how it is copied: it wraps other tensors, or is a parameter of another kind."""
    return hasattr(type(tensor), "__tensor_flatten__") or isinstance(tensor, nn.Parameter)


def _cloned(tensor: torch.Tensor) -> torch.Tensor:
    try:
        if tensor.layout != torch.strided or tensor.is_nested or 0 not in tensor.stride():
            return tensor.clone()
        once = tuple(slice(1) if step == 0 else slice(None) for step in tensor.stride())
        return tensor[once].clone().expand(tensor.shape)
    except RuntimeError:  # torch cannot clone every dtype: uint4 and its like have no operators
        made = copy.deepcopy(tensor, {})
        assert isinstance(made, torch.Tensor)
        return made


def _deep_copied(model: nn.Module, memo: dict[int, Any], found: Sequence[Entry]) -> nn.Module:
    """`copy.deepcopy` of the model; `memo` holds the copies that are made already, or the objects that are shared.

    It does not look into functions: those that refer to a part of the model are made to refer to the copy.
    """
    try:
        for tensor in (entry.tensor for entry in found if id(entry.tensor) not in memo):
            _copy_uncopied(tensor, memo)
        copied, memo = _copied(model, memo)
        replaced = {key: one for key, one in memo.items() if id(one) != key and key != id(memo)}
        _redirect(copied, replaced, kept={id(one) for _, one in named_modules(model)})
    except UNCOPYABLE as error:
        what = f"{type(model).__name__} cannot be copied ({first_line(error)})"
        raise InputsError(
            f"{what}; each case is judged on a fresh copy, so keep what cannot be copied off the module"
        ) from error
    return copied


def _copied(model: nn.Module, memo: dict[int, Any]) -> tuple[nn.Module, dict[int, Any]]:
    """The result of `copy.deepcopy` and its memo. What has no copy (a lock, an open file) is shared with the model."""
    made = dict(memo)
    try:
        copied = copy.deepcopy(model, made)
    except UNCOPYABLE:
        shared = _without_copies(model)
        if not shared:
            raise
        made = memo | shared
        copied = copy.deepcopy(model, made)
    if not isinstance(copied, nn.Module):
        raise TypeError(f"its copy is {with_article(copied)}")
    return copied, made


def _without_copies(model: nn.Module) -> dict[int, Any]:
    """What a model refers to and `copy.deepcopy` refuses, by identity: each object is asked, not those around it.

    Locks, thread-locals, open files, sockets, Python modules, compiled functions. A generator is not shared: it is
    state of the model, which one case would change for the next.
    """
    modules: dict[int, Any] = {}

    def refer(value: object) -> Iterable[object]:
        found = list(references(value))
        modules.update({id(one): one for one in found if isinstance(one, ModuleType)})
        return found

    others = reachable([model], (), refer)
    return modules | {key: one for key, one in others.items() if _has_no_copy(one)}


def _has_no_copy(value: object) -> bool:
    if is_script_function(value):
        return True
    if isinstance(value, (nn.Module, torch.Tensor, torch.Generator)) or hasattr(value, "__deepcopy__"):
        return False
    if isinstance(value, Iterator) and not isinstance(value, io.IOBase):
        return False
    # A class that says in Python how it is copied, and refuses, may hold anything: that is not shared.
    if any(isinstance(vars(one).get(name), FunctionType) for one in type(value).__mro__ for name in PICKLING):
        return False
    try:
        value.__reduce_ex__(4)  # what `deepcopy` asks of an object of an unknown class
    except UNCOPYABLE:
        return type(value) not in COPIED_BY_PYTHON
    return False


def _copy_uncopied(tensor: torch.Tensor, memo: dict[int, Any]) -> None:
    """Copies a tensor into `memo` if `deepcopy` refuses it: for its layout, or because autograd made it.

    The older `weight_norm` keeps such a tensor.
    """
    if tensor.layout in UNCOPIED_LAYOUTS or (tensor.is_nested and tensor.layout == torch.strided):
        memo[id(tensor)] = clone(tensor)
    elif not isinstance(tensor, UninitializedParameter | UninitializedBuffer) and tensor.is_inference():
        with torch.inference_mode():
            memo[id(tensor)] = copy.deepcopy(tensor, memo)
    elif tensor.grad_fn is not None:
        memo[id(tensor)] = copy.deepcopy(tensor.detach(), memo)


def _redirect(model: nn.Module, replacements: Mapping[int, Any], kept: Set[int]) -> None:
    """Makes whatever in a model refers to an old object refer to its replacement.

    Script modules are left alone, and so are modules of the source, which a `__deepcopy__` may have returned.
    """
    modules = {id(one): one for _, one in named_modules(model)}
    plain = [one for one in modules.values() if not is_script(one) and id(one) not in kept]
    values = {(place, name): value for place, one in enumerate(plain) for name, value in vars(one).items()}
    for (place, name), value in redirected(values, replacements, modules).items():
        old = vars(plain[place])[name]
        if name in HOOKS and old is not value:  # the handle of a hook knows the dict itself
            old.clear()
            old.update(value)
        else:
            vars(plain[place])[name] = value
