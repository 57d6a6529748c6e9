"""Carries log records from the process of a subject to the one whose report pytest shows."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

MOST = 1000
"""Records of one item that are carried; the last ones are more likely to tell why it failed."""

Record = Mapping[str, Any]
"""What `logging.makeLogRecord` takes, as builtin types: the text is made where its arguments exist."""


@contextmanager
def logged() -> Iterator[list[Record]]:
    """The records that reach the root logger while this is open."""
    kept = _Keeps()
    logging.getLogger().addHandler(kept)
    try:
        yield kept.records
    finally:
        logging.getLogger().removeHandler(kept)


def log_again(records: Sequence[Record]) -> None:
    """Hand them to the loggers of this process: their handlers, and those of pytest."""
    for fields in records:
        logging.getLogger(fields["name"]).handle(logging.makeLogRecord(dict(fields)))


class _Keeps(logging.Handler):
    """Keeps each record as builtin types."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # formatting calls `__str__` of any object; logging itself only prints such an error
            return
        names = ("name", "levelno", "levelname", "pathname", "filename", "module", "lineno", "funcName", "created")
        self.records.append({**{name: getattr(record, name) for name in names}, "msg": text})
        del self.records[:-MOST]
