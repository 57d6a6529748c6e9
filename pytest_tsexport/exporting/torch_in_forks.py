"""torch in forked processes: what is loaded before the fork, and whether torch's threads survive it.

They hang if the process that forks has used them. A fork copies one thread. libgomp believes in the child that the
others are there, and waits for them (https://github.com/pytorch/pytorch/issues/17199); with one thread it does not
wait. Nothing tells whether a process has used torch's threads, so it is tried.
"""

from __future__ import annotations

import importlib
from multiprocessing.connection import Connection

import torch

from pytest_tsexport.exporting.forked_process import ForkedProcess, Limits, ProcessEnded

ENOUGH = 1 << 16
"""Elements that torch shares out to threads: more than its `at::internal::GRAIN_SIZE` for each of two."""
PATIENCE = 5.0
"""Seconds for what takes 0.1 s. A machine that is too busy for it loses threads, and no verdict."""


def load_before_fork() -> None:
    """Import what torch imports when it first traces: about a second, which each forked process would take again."""
    importlib.import_module("torch._dynamo")


def threads_survive_a_fork() -> bool:
    """Whether a process that is forked now can use torch's threads."""
    process = ForkedProcess(_use_threads)
    try:
        return bool(process.receive(Limits(PATIENCE)))
    except ProcessEnded:
        return False
    finally:
        process.end()


def keep_one_thread() -> None:
    """Keep torch from using threads in this process, whoever asks for more."""
    torch.set_num_threads(1)
    torch.set_num_threads = _ignored  # type: ignore[assignment]  # it hangs too, if more are asked for


def _use_threads(answer: Connection) -> None:
    torch.set_num_threads(max(torch.get_num_threads(), 2))
    torch.ones(ENOUGH).exp()
    answer.send(True)  # noqa: FBT003  # the connection takes any value


def _ignored(_threads: int) -> None:
    """Replaces `torch.set_num_threads` in a process that keeps one thread."""
