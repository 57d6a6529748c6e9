"""`os._exit` in code of a model: it must not end the test run, green and without a table."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def exits_raised() -> Iterator[None]:
    """While this is open, `os._exit` raises `SystemExit`, which is told as a crash.

    In another thread (pytest-timeout ends a run from one) and in a fork of this process it exits as ever. So does
    native code: for that, a process of its own is needed.
    """
    owner, exits = (os.getpid(), threading.get_ident()), os._exit

    def raises(status: int) -> NoReturn:
        __tracebackhide__ = True  # the line of the model is told
        if (os.getpid(), threading.get_ident()) != owner:
            exits(status)
        raise SystemExit(f"os._exit({status})")

    os._exit = raises
    try:
        yield
    finally:
        os._exit = exits
