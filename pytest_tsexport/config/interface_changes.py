"""interface, interface -> what breaks callers: one row for each promise that is not kept.

Entries that were written before there was a part `structure` have no `keywords` either, and do not mark the arguments
that are passed by position only. They are compared by what they say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from pytest_tsexport.config.baseline import BY_POSITION, OPTIONAL, PARTS, WHOLE, InterfaceLines
from pytest_tsexport.verdict import Row

EARLIER = ("forward", "inputs", "outputs", "labels")
"""The parts of an entry that says nothing of structure."""


def changes(was: InterfaceLines, now: InterfaceLines) -> tuple[Row, ...]:
    """What breaks callers: one row for each line of `was` that `now` does not keep."""
    dicts = dicts_of(was if "structure" in was else now)
    if "structure" not in was:
        now = {part: [_without_mark(line) for line in now.get(part, ())] for part in EARLIER}
    was, now = ({**lines, "outputs": sorted_outputs(lines.get("outputs", ()), dicts)} for lines in (was, now))
    special = {"keywords": _keyword_changes, "structure": _structure_changes}
    return tuple(
        row for part in PARTS for row in (special[part](was, now) if part in special else _line_changes(part, was, now))
    )


def _line_changes(part: str, was: InterfaceLines, now: InterfaceLines) -> Iterator[Row]:
    """Changes of lines whose order is promised. Labels are counted from 0, as their ids are; all else from 1."""
    named = set(map(_name, was.get("keywords", ())))
    both = zip_longest(was.get(part, ()), now.get(part, ()))
    for number, (one, other) in enumerate(both, part != "labels"):
        # One that had to be named is told among the keywords, if it may no longer be left out.
        had_to_be_named = part == "forward" and one is None and other is not None and _name(other) in named
        if not _keeps(part, one, other) and not had_to_be_named:
            yield f"{PARTS[part]} {number}", _described(one, other)


def _keeps(part: str, was: str | None, now: str | None) -> bool:
    """Whether calls still work. They do if an argument may now be left out, whether it is new or had to be given."""
    if part not in ("forward", "inputs") or now is None:
        return was == now
    if was is None:
        return now.endswith(OPTIONAL)
    if was.endswith(OPTIONAL) and not now.endswith(OPTIONAL):
        return False
    one, other = _without_default(was), _without_default(now)
    # Nobody uses the name of an argument that is passed by position only.
    return one.endswith(BY_POSITION) or one == other


def _keyword_changes(was: InterfaceLines, now: InterfaceLines) -> Iterator[Row]:
    """Arguments that are passed by name have no order. One that can now be passed by position too is kept."""
    before, after, positional = (
        {_without_default(line): line for line in lines}
        for lines in (was.get("keywords", ()), now.get("keywords", ()), now.get("forward", ()))
    )
    known = {*before, *map(_without_default, was.get("forward", ()))}
    fresh = [name for name, line in after.items() if name not in known and line.endswith(OPTIONAL)]
    for name, line in before.items():
        other = after.get(name, positional.get(name))
        if not _keeps("forward", line, other):
            renamed = f"; new, and perhaps its name now: {', '.join(fresh)}" if fresh and other is None else ""
            yield "keyword", _described(line, other) + renamed
    for name, line in after.items():
        if name not in known and not line.startswith("*") and not _keeps("forward", None, line):
            yield "keyword", _described(None, line)


def _structure_changes(was: InterfaceLines, now: InterfaceLines) -> Iterator[Row]:
    """Changes of what the output is made of besides its tensors, by place."""
    before, after = _kinds(was), _kinds(now)
    for place in dict.fromkeys((*before, *after)):
        one, other = before.get(place), after.get(place)
        if one == other:
            continue
        if one is None:
            tensor = "tensor" if place in _places(was) else None
            yield "structure", f"{place} was {tensor}, is {other}" if tensor else f"is new: {place}: {other}"
        else:
            yield "structure", f"{place} was {one}, is {other or ('tensor' if place in _places(now) else 'gone')}"


def _kinds(lines: InterfaceLines) -> dict[str, str]:
    """What the lines of `structure` say, by place."""
    return {place: kind for place, _, kind in (line.rpartition(": ") for line in lines.get("structure", ()))}


def _places(lines: InterfaceLines) -> list[str]:
    return [_place(line) for line in lines.get("outputs", ())]


def _place(line: str) -> str:
    """Where a leaf is in the output of the file: `0.a` of `0.a = logits: float32 of rank 2`."""
    return line.rpartition(": ")[0].partition(" = ")[0]


def dicts_of(lines: InterfaceLines) -> frozenset[str]:
    """The places of containers that are read by name, whose order means nothing."""
    return frozenset(place for place, kind in _kinds(lines).items() if kind.startswith(("dict", "dataclass")))


def sorted_outputs(lines: Sequence[str], dicts: frozenset[str]) -> list[str]:
    """Lines of `outputs`: those of one of the `dicts` sorted by name, at any depth, and the others as they are."""
    seen: dict[str, int] = {}

    def key(line: str) -> list[tuple[int, str]]:
        parts = _place(line).split(".")
        above = [".".join(parts[:depth]) for depth in range(len(parts) + 1)]
        return [
            (0, part) if (above[depth] or WHOLE) in dicts else (seen.setdefault(above[depth + 1], len(seen)), "")
            for depth, part in enumerate(parts)
        ]

    return sorted(lines, key=key)


def _described(was: str | None, now: str | None) -> str:
    """`was head_mask, is inputs_embeds`; `input_ids was int64 of rank 2, is int32 of rank 2`."""
    if was is None or now is None:
        return f"is new: {now}" if was is None else f"was {_without_default(was)}, is gone"
    if _without_default(was) == _without_default(now):
        return f"{_without_default(now)} can no longer be left out"
    (name, _, one), (other_name, _, other) = (
        _without_default(was).partition(": "),
        _without_default(now).partition(": "),
    )
    if name == other_name:
        return f"{name} was {one}, is {other}"
    return f"was {_without_default(was)}, is {_without_default(now)}"


def _name(line: str) -> str:
    """The name of an argument of `forward`, however it is passed."""
    return _without_default(line).removesuffix(BY_POSITION)


def _without_default(line: str) -> str:
    return line.removesuffix(OPTIONAL)


def _without_mark(line: str) -> str:
    """The line without the mark of an argument that is passed by position only."""
    end = OPTIONAL if line.endswith(OPTIONAL) else ""
    return _without_default(line).removesuffix(BY_POSITION) + end
