"""Proves that a moved weight is kept while there is room, and that it is the same whether it was kept or not."""

from __future__ import annotations

import torch
from torch import nn

from pytest_tsexport.comparison.moved_weights import MovedWeights, Room


def drawn(generator: torch.Generator) -> torch.Tensor:
    return torch.rand(3, 4, generator=generator)


def test_a_weight_is_moved_once_while_there_is_room() -> None:
    weight, room = nn.Parameter(torch.ones(3, 4)), Room(48)
    found = MovedWeights([weight], 5, room)
    first = found.moved(weight, drawn)
    assert found.moved(weight.detach(), drawn) is first
    assert room.left == 0


def test_without_room_it_is_moved_again_to_the_same_values() -> None:
    weight = nn.Parameter(torch.ones(3, 4))
    kept, made = MovedWeights([weight], 5, Room(48)), MovedWeights([weight], 5, Room(47))
    assert torch.equal(made.moved(weight, drawn), kept.moved(weight, drawn))
    assert made.moved(weight, drawn) is not made.moved(weight, drawn)


def test_variants_and_weights_are_moved_otherwise() -> None:
    one, other = nn.Parameter(torch.ones(3, 4)), nn.Parameter(torch.ones(3, 4))
    found = MovedWeights([one, other], 5, Room(1000))
    assert not torch.equal(found.moved(one, drawn), found.moved(other, drawn))
    assert not torch.equal(found.moved(one, drawn), MovedWeights([one], 6, Room(1000)).moved(one, drawn))


def test_a_weight_that_was_written_to_is_moved_anew() -> None:
    weight = nn.Parameter(torch.ones(3, 4))
    found = MovedWeights([weight], 5, Room(1000))
    first = found.moved(weight, drawn)
    with torch.no_grad():
        weight.add_(1)
    assert found.moved(weight, drawn) is not first


def test_only_weights_and_their_views_are_held() -> None:
    weight = nn.Parameter(torch.ones(3, 4))
    found = MovedWeights([weight, torch.ones(2)], 5, Room(1000))
    assert found.holds(weight.t())
    assert not found.holds(torch.ones(3, 4))


def test_what_counts_no_writes_is_not_held() -> None:
    with torch.inference_mode():
        weight = nn.Parameter(torch.ones(3, 4))
    assert not MovedWeights([weight], 5, Room(1000)).holds(weight)


def test_a_conjugate_and_another_part_of_the_same_memory_are_moved_otherwise() -> None:
    flat = nn.Parameter(torch.ones(24))
    found = MovedWeights([flat], 5, Room(1000))
    assert not torch.equal(found.moved(flat[:12].view(3, 4), drawn), found.moved(flat[12:].view(3, 4), drawn))
    weight = nn.Parameter(torch.ones(3, 4, dtype=torch.complex64))
    held = MovedWeights([weight], 5, Room(1000))
    assert held.moved(weight, drawn) is not held.moved(weight.conj(), drawn)
