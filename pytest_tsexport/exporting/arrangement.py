"""subject, arguments of a file -> what each of them is given: by name, in one container, or by position.

A file may take what the model takes in another form: one dict where the model takes several tensors, or the other way
round. Its schema says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch

from pytest_tsexport.backends.file_format import Argument
from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.subjects.arguments import Container, Item, Leaf, identifiers, leaves, numbers
from pytest_tsexport.subjects.axes import forward_arguments
from pytest_tsexport.subjects.subject import Subject

WORDS: Mapping[str, str] = {
    "Tensor": "a tensor",
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "str": "a text",
}
"""What callers give for a type, as TorchScript spells it."""

Arrangement = dict[str, Item]
"""The item for each argument that is passed, in the order of the file's arguments."""


class ArgumentsError(ArtifactError):
    """A file takes other arguments than the model's inputs; `left_out` are the inputs that it does not take."""

    def __init__(self, text: str, left_out: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.left_out = left_out


def arranged(subject: Subject, takes: Sequence[Argument]) -> Arrangement:
    """What each argument of a file is given.

    Raises `ArgumentsError`, one sentence, if an argument has no input, or an input no argument.
    """
    found = _by_name(subject, takes)
    if found is None:
        found = _in_one_container(subject, takes) or _by_position(subject, takes)
    if found is None:
        raise _misfit(subject, takes)
    missing = [one for one in takes if not one.optional and one.name not in found]
    if missing:
        raise ArgumentsError(_missing(subject, missing[0]))
    return {one.name: _typed(found[one.name], one.type) for one in takes if one.name in found}


def _by_name(subject: Subject, takes: Sequence[Argument]) -> Arrangement | None:
    """By the names of the model's arguments, of the tensors, or of the keys under which the model is given them."""
    types = {one.name: one.type for one in takes}
    for named in _names(subject):
        if named.keys() <= types.keys() and all(_fits(item, types[name]) for name, item in named.items()):
            plain = {name: item for name, item in _plain(subject).items() if name in types}
            return {**plain, **named}
    return None


def _names(subject: Subject) -> Iterator[Arrangement]:
    yield _with_tensors(subject)
    names = tuple(subject.inputs)
    for spelt in (identifiers(names), list(map(_key, names))):
        if len(set(spelt)) == len(names):
            yield dict(zip(spelt, map(Leaf, names), strict=True))


def _key(name: str) -> str:
    """`input_ids` of `features.input_ids`."""
    return name.rpartition(".")[2]


def _with_tensors(subject: Subject) -> Arrangement:
    """The arguments of the model that hold a tensor."""
    if not subject.items:
        return {name: Leaf(name) for name in subject.inputs}
    return {name: item for name, item in subject.items.items() if any(leaves(item))}


def _plain(subject: Subject) -> Arrangement:
    """The arguments of the model that hold none."""
    return numbers({**subject.constants, **subject.items})


def _in_one_container(subject: Subject, takes: Sequence[Argument]) -> Arrangement | None:
    """All tensors in the only dict that the file takes."""
    required = [one for one in takes if not one.optional]
    keys = list(map(_key, subject.inputs))
    if len(required) != 1 or _container(required[0].type) is not dict or len(set(keys)) != len(keys):
        return None
    parts = tuple(zip(keys, map(Leaf, subject.inputs), strict=True))
    return {required[0].name: Container(dict, parts)}


def _by_position(subject: Subject, takes: Sequence[Argument]) -> Arrangement | None:
    """In the order of the model: what holds tensors, the same with the numbers that the user gave, or each tensor."""
    tensors = _with_tensors(subject)
    orders: Iterable[list[Item]] = (
        list(tensors.values()),
        list(subject.items.values()),
        list(map(Leaf, subject.inputs)),
    )
    required = [one for one in takes if not one.optional]
    for items in orders:
        for arguments in (takes, required):
            if len(items) == len(arguments) and all(map(_fits, items, (one.type for one in arguments))):
                return {one.name: item for one, item in zip(arguments, items, strict=True)}
    return None


def _fits(item: Item, kind: str) -> bool:
    """Whether an argument of that type may be given the item; a class of the file's own may take anything."""
    wanted = _container(kind)
    if isinstance(item, Container):
        return wanted is not None and (issubclass(item.kind, Mapping) == (wanted is dict))
    return wanted is None


def _container(kind: str) -> type | None:
    """The container that TorchScript spells so: `Dict(str, Tensor)`, `Tensor[]`, `(Tensor, Tensor)`."""
    kind = kind.removesuffix("?")
    if kind.startswith(("Dict(", "Dict[")):
        return dict
    if kind.endswith("[]") or kind.startswith("List["):
        return list
    return tuple if kind.startswith(("(", "Tuple[", "NamedTuple")) else None


def _typed(item: Item, kind: str) -> Item:
    """The item in the container that the type asks for; a number as a tensor, if that is what the file takes."""
    if isinstance(item, Container):
        wanted = _container(kind) or (dict if issubclass(item.kind, Mapping) else list)
        return Container(wanted, tuple((key, _typed(part, "")) for key, part in item.parts))
    if kind == "Tensor" and isinstance(item, (bool, int, float)):
        return torch.tensor(item)
    return item


def _missing(subject: Subject, argument: Argument) -> str:
    """The sentence about an argument of the file that has no input."""
    what = f"the file also takes {argument.name} ({argument.type}), and no input has that name"
    known = forward_arguments(subject.model)
    if known is not None and argument.name not in known:
        model = type(subject.model).__name__
        return f"{what}; {model}.forward does not take it either: return a model that takes what the file takes"
    value = WORDS.get(argument.type, f"a value of type {argument.type}")
    return f"{what}; add {argument.name!r} to inputs=, with {value}"


def _misfit(subject: Subject, takes: Sequence[Argument]) -> ArgumentsError:
    """The error if inputs and arguments are not matched; `left_out` are the inputs that the file does not take."""
    names, arguments = _with_tensors(subject), [one.name for one in takes]
    required = {one.name for one in takes if not one.optional}
    if required and required <= names.keys():
        left_out = tuple(name for name in names if name not in arguments)
        lacks = f"the file takes {', '.join(arguments)}, and no {', '.join(left_out)}"
        return ArgumentsError(f"{lacks}; export a forward that takes it", left_out)
    inputs = ", ".join([*names, *numbers(subject.items)])
    return ArgumentsError(
        f"the file takes {_listed(takes) or 'nothing'}; the model's inputs are {inputs}; "
        "give the inputs= that the file was traced with"
    )


def _listed(takes: Sequence[Argument]) -> str:
    """The names of the arguments; with the type of each that is no tensor."""
    return ", ".join(one.name if one.type == "Tensor" else f"{one.name} ({one.type})" for one in takes)
