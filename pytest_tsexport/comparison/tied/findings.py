"""tied group, evidence -> finding: what is wrong with the copies of one group of weights, or what is to be noted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_tsexport.comparison.tied.evidence import TiedEvidence
from pytest_tsexport.comparison.tied.name_findings import dead, uncovered
from pytest_tsexport.comparison.tied.part_findings import partly_read
from pytest_tsexport.comparison.tied.readers import Reader, reader
from pytest_tsexport.comparison.tied.value_findings import Finding, changed_in_sets, listed, summed

SHARED = "tied weights are still shared in the file"
READS = "let forward read each of the copies where the model reads its name"


def group_finding(names: Sequence[str], tied: TiedEvidence) -> Finding:
    """The first thing that is wrong with a group, or what its verdict has to say besides."""
    copies = tied.values.copies(names)
    unasked = _why_not_changed(names, len(copies), tied)
    live = _live(names, tied) if unasked is None else ()
    changed = list(changed_in_sets(names, tied))
    wrong = next((one for one in changed if one.headline), None)
    if unasked is not None:
        return wrong or summed(changed, not_covered=(unasked,))
    readers = [reader(copy, live, tied.responses) for copy in copies]
    failure = _shared(readers, names, tied) or _dead_in_sets(names, live, readers, tied)
    failure = failure or wrong or partly_read(names, live, readers, tied)
    rest = failure or uncovered(names, live, readers, tied)
    if rest.headline:
        return rest
    still = [name for name in names if tied.responses.numbers(_basis(name, names, tied)) is None]
    unchanged = (f"{listed(still)}: there are no other values to change to",) if still else ()
    return summed([*changed, rest], not_covered=(*unchanged, *_too_little(names, live, readers, tied)))


def _too_little(
    names: Sequence[str], live: Sequence[str], readers: Sequence[Reader], tied: TiedEvidence
) -> Iterator[str]:
    """The clones that may be dead: the model's answer moves with their names, but by no more than rounding explains."""
    dead = {one.copy.key for one in readers if not one.is_live}
    for prefix in tied.values.own_sets(names):
        for name in names:
            asked = name not in live and prefix + name in dead
            if asked and not tied.responses.of_names(_basis(name, names, tied), (name,)).is_dead:
                yield f"{prefix}{name}: the model's answer moves with it too little to tell whether the file reads it"


def _why_not_changed(names: Sequence[str], copies: int, tied: TiedEvidence) -> str | None:
    if not tied.answers_alike:
        return f"{listed(names)}: the file answers the example inputs with other outputs, so no weight was changed"
    if len(names) + copies > tied.responses.calls_left:
        return f"{listed(names)}: not changed one by one, because that would take too long"
    return None


def all_changed_at_once(tied: TiedEvidence) -> bool:
    """Whether the file still equals the model after every tied weight was changed in both, each in another way.

    If so, each clone is a separate one, and is read where the model reads it. It is asked only where the file has all
    names; a file that fails it is not wrong for that, but looked at name by name.
    """
    places = [place for group in tied.groups for place in _places(group.names, tied)]
    if not tied.answers_alike or len(places) != sum(len(group.names) for group in tied.groups):
        return False
    return tied.responses.move_alike(places)


def _places(names: Sequence[str], tied: TiedEvidence) -> list[tuple[str, str]]:
    """Each name with the tensor of the file that has its name and its value; empty if one has none."""
    for prefix in tied.values.sets(names):
        if all(tied.values.how(name, prefix + name) == "equal" for name in names):
            return [(name, prefix + name) for name in names]
    return []


def _basis(name: str, names: Sequence[str], tied: TiedEvidence) -> str:
    return tied.values.alike(name, names)[0]


def _live(names: Sequence[str], tied: TiedEvidence) -> tuple[str, ...]:
    """The names of a group on which the model's answer depends."""
    bases = dict.fromkeys(_basis(name, names, tied) for name in names)
    found = {name for basis in bases for name in tied.responses.live_names(basis, tied.values.alike(basis, names))}
    return tuple(name for name in names if name in found)


def _shared(readers: Sequence[Reader], names: Sequence[str], tied: TiedEvidence) -> Finding | None:
    """A tensor that is used for two names; if the file has all names, it was untied, and reads the wrong one."""
    fix = f"{READS}; they are separate in the file already" if tied.values.own_sets(names) else ""
    for one in readers:
        if one.together:
            every = "both" if len(one.together) == 2 else "all"
            text = f"{one.copy.key} is used for {listed(one.together, ' and ')}: changing it has the effect of changing"
            return Finding(headline=SHARED, text=f"{text} {every} in the model", fix=fix)
    return None


def _dead_in_sets(
    names: Sequence[str], live: Sequence[str], readers: Sequence[Reader], tied: TiedEvidence
) -> Finding | None:
    """A set of all names belongs together: where one of it is read, all are that the model reads.

    Unless another tensor of the file, which belongs to no set, takes the place of a dead one.
    """
    sets = tied.values.own_sets(names)
    known = {one.copy.key: one for one in readers}
    inside = {prefix + name for prefix in sets for name in names}
    for prefix in sets:
        members = {name: known[prefix + name] for name in names if prefix + name in known}
        if not any(one.is_live for one in members.values()):
            continue
        for name in live:
            spare = any(
                one.is_live and one.copy.key not in inside and name in (one.names or one.copy.names) for one in readers
            )
            if name in members and not members[name].is_live and not spare:
                return dead(prefix + name, name)
    return None
