"""two records of a model -> changes: what differs between them, each in a few plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from pytest_tsexport.config.shown import cut_at_end
from pytest_tsexport.tensors.record import (
    HOOKS,
    TENSOR_HOOKS,
    ClassRecord,
    Function,
    ModuleRecord,
    Opened,
    Record,
    TensorRecord,
    Value,
)

NONE = Value(type(None), None)

IN_ANY_ORDER = ("_backward_hooks", "_backward_pre_hooks")
"""Hooks that run one after the other without seeing each other's result."""

_ROLES = {"parameter": "parameters", "buffer": "buffers", "module": "submodules"}

MODE = "(training mode)"
"""The name of that change; no attribute can have it."""

LONGEST_TEXT = 40
"""Characters of a value that are shown."""


Pairs = set[tuple[int, int]]
Path = tuple[str, str]
"""The name of the owner, and the name of what it holds."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One thing that differs: what it was and what it is; None where it did not exist.

    `owner` is the name of the module, object or container that holds it, and `name` its name there. `text` says it in
    words.
    """

    owner: str
    name: str
    text: str
    before: Record | None = None
    after: Record | None = None
    in_container: bool = False

    @property
    def path(self) -> str:
        """Its full name."""
        return _joined(self.owner, self.name)

    @property
    def is_mode(self) -> bool:
        """Whether a module was put in training mode, or in evaluation mode."""
        return self.name == MODE


def changes(before: ModuleRecord, after: ModuleRecord) -> Iterator[Change]:
    """What differs, in the order of the module tree. An object that is met twice is compared once."""
    yield from _between(before, after, ("", ""), set())


def same(one: Record, other: Record) -> bool:
    """Whether nothing differs."""
    return next(_between(one, other, ("", ""), set()), None) is None


def _between(before: Record, after: Record, path: Path, seen: Pairs) -> Iterator[Change]:
    if before is after or (id(before), id(after)) in seen:
        return
    if isinstance(before, Function) and isinstance(after, Function):
        seen.add((id(before), id(after)))
        if not _is_same_function(before, after):
            yield Change(*path, _replaced(path), before, after)
    elif isinstance(before, Opened) and isinstance(after, Opened):
        seen.add((id(before), id(after)))
        yield from _opened(before, after, path, seen)
    elif isinstance(before, TensorRecord) and isinstance(after, TensorRecord):
        seen.add((id(before), id(after)))
        if before != after:
            yield Change(*path, f"{_joined(*path)}: {_difference(before, after)}", before, after)
        name = _joined(*path)
        for kind, called in TENSOR_HOOKS.items():
            yield from _hooks(before.hooks[kind], after.hooks[kind], kind, (name, called))
        yield from _parts(before, after, name, seen)
    elif before != after:
        yield Change(*path, _became(before, after, path), before, after)


def _opened(before: Opened, after: Opened, path: Path, seen: Pairs) -> Iterator[Change]:
    if _name(before.cls) != _name(after.cls):
        yield Change(*path, _became(before, after, path), before, after)
        return
    if before.cut or after.cut:
        return
    name = _joined(*path)
    if isinstance(before, ModuleRecord) and isinstance(after, ModuleRecord):
        yield from _of_module(before, after, name, seen)
    yield from _parts(before, after, name, seen)


def _of_module(before: ModuleRecord, after: ModuleRecord, name: str, seen: Pairs) -> Iterator[Change]:
    """What differs in a module besides what it holds."""
    if before.training != after.training:
        yield Change(name, MODE, f"{_shown(name)}: {before.training} became {after.training}")
    for one, other in zip(before.classes, after.classes, strict=False):
        if _name(one.cls) == _name(other.cls):
            yield from _between(one, other, ("", f"the class {one.cls.__qualname__}"), seen)
    for kind, called in HOOKS.items():
        yield from _hooks(before.hooks.get(kind, ()), after.hooks.get(kind, ()), kind, (name, called))
    for buffer in sorted(before.unsaved ^ after.unsaved):
        if buffer in before.parts and buffer in after.parts:
            saved = "is saved in checkpoints now" if buffer in before.unsaved else "is no longer saved in checkpoints"
            yield Change(name, buffer, f"{_joined(name, buffer)} {saved}")
    for role, listed in _ROLES.items():
        was, now = _listed(before, role), _listed(after, role)
        if [part for part in was if part in now] != [part for part in now if part in was]:
            yield Change(name, f"({listed})", f"the order of the {listed} of {_shown(name)} changed")


def _listed(of: ModuleRecord, role: str) -> list[str]:
    """The names of the parts of one kind, in the order in which torch lists them."""
    return [name for name, part in of.parts.items() if _role(part) == role]


def _role(part: Record) -> str:
    if isinstance(part, TensorRecord):
        return part.role
    return "module" if isinstance(part, ModuleRecord) else ""


def _hooks(before: Sequence[Record], after: Sequence[Record], kind: str, path: Path) -> Iterator[Change]:
    name, called = path
    gone, new = list(before), list(after)
    for hook in before:
        twin = next((one for one in new if same(hook, one)), None)
        if twin is not None:
            gone.remove(hook)
            new.remove(twin)
    for was, now in zip_longest(gone, new):
        done = "added" if was is None else "removed" if now is None else "replaced"
        yield Change(name, kind, f"a {called} of {_shown(name)} was {done}", was, now)
    stays = len(before) == len(after) and not gone and not new and kind not in IN_ANY_ORDER
    if stays and not all(map(same, before, after)):
        yield Change(name, kind, f"the order of the {called}s of {_shown(name)} changed")


def _parts(before: Opened | TensorRecord, after: Opened | TensorRecord, name: str, seen: Pairs) -> Iterator[Change]:
    for part in (*before.parts, *(new for new in after.parts if new not in before.parts)):
        was, now = before.parts.get(part), after.parts.get(part)
        if was is not None and now is not None and not _is_none_and_weight(was, now):
            yield from _between(was, now, (name, part), seen)
            continue
        if _is_value_of_class(before, part, was or now):
            continue
        if callable(getattr(before.cls, part, None)) and not before.is_container:
            text = _replaced((name, part))  # what an instance has in place of a method of its class
        else:
            text = f"{_joined(name, part)} is {'gone' if now in (None, NONE) else 'new'}"
        yield Change(name, part, text, was, now, before.is_container)


def _is_value_of_class(owner: Opened | TensorRecord, name: str, value: Record | None) -> bool:
    """Whether the attribute has the value that the class has: it reads the same with it and without it."""
    if owner.is_container or not isinstance(value, Value):
        return False
    classes = owner.cls.__mro__[1 if isinstance(owner, ClassRecord) else 0 :]  # a class inherits from the others
    found = next((vars(cls)[name] for cls in classes if name in vars(cls)), value)
    return any(name in vars(cls) for cls in classes) and Value.of(found) == value


def _is_none_and_weight(one: Record, other: Record) -> bool:
    """`module.bias = None` leaves the name of the bias there."""
    weights = [part for part in (one, other) if isinstance(part, TensorRecord) and part.role != "tensor"]
    return len(weights) == 1 and NONE in (one, other)


def _is_same_function(one: Function, other: Function) -> bool:
    if one.bound_to != other.bound_to:
        return False
    if one.function is other.function and one.code is other.code:
        return True
    if one.code is None or other.code is None:
        return bool(getattr(one.function, "__qualname__", one) == getattr(other.function, "__qualname__", other))
    return one.code == other.code and _same_parts(one.parts, other.parts)


def _same_parts(one: Mapping[str, Record], other: Mapping[str, Record]) -> bool:
    return one.keys() == other.keys() and all(same(part, other[name]) for name, part in one.items())


def _difference(before: TensorRecord, after: TensorRecord) -> str:
    if before.role != after.role:
        return f"a {before.role} became a {after.role}"
    if _name(before.cls) != _name(after.cls):
        return f"its class {before.cls.__name__} became {after.cls.__name__}"
    if before.is_inference != after.is_inference:
        return "it was made in inference mode" if after.is_inference else "it is no longer of inference mode"
    for what in ("shape", "dtype", "device", "requires_grad"):
        if getattr(before, what) != getattr(after, what):
            return f"{what} {getattr(before, what)} became {getattr(after, what)}"
    return "its values changed"


def _name(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


def _replaced(path: Path) -> str:
    owner, name = path
    return f"{name} of {_shown(owner)} was replaced"


def _became(before: Record, after: Record, path: Path) -> str:
    return f"{_shown(_joined(*path))}: {_text(before)} became {_text(after)}"


def _text(part: Record) -> str:
    if isinstance(part, Value):
        text = part.value if isinstance(part.value, str) and part.kind is not str else repr(part.value)
        return cut_at_end(text, LONGEST_TEXT)
    if isinstance(part, TensorRecord):
        return f"a {part.role} of shape {part.shape}"
    if isinstance(part, Function):
        return "a function"
    return part.cls.__name__


def _joined(owner: str, name: str) -> str:
    return f"{owner}.{name}" if owner and name else owner or name


def _shown(name: str) -> str:
    return name or "the model"
