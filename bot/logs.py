"""What is logged, and what never is: no prompt, token or key reaches a log at any level.

Our own loggers say ids, states, timings and costs. Other packages' loggers print whole payloads at DEBUG and
sometimes parts of them in errors, so that of their records only the place and the kind of trouble are kept.
What is said while a turn is worked on names that turn.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from types import TracebackType
from typing import Literal, TextIO

from darkroom.turn_context import current_turn

OURS = ("darkroom", "bot", "handlers", "storage", "sandbox")
_SAYABLE_MODULES = ("sqlite3",)
"""Where errors come from whose words are the system's, not a payload's; OSError's are too."""


class _OthersKeepQuiet(logging.Filter):
    """Replaces what other packages' loggers say by where they said it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] in OURS:
            return True
        if record.levelno < logging.WARNING:
            return False
        record.msg = f"{record.filename}:{record.lineno} in {record.funcName} (its words are not logged)"
        record.args = None
        record.stack_info = None
        return True


def _note_turn(record: logging.LogRecord) -> bool:
    """Write down whose work it is, where that is known: in the task that says it."""
    record.turn = current_turn()
    return True


class _WithoutWords(logging.Formatter):
    """Tracebacks with their places and types, but not the messages: those can quote what they choked on. UTC,
    to the millisecond."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return f"{seconds}.{int(record.msecs):03d}Z"

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        error = ei[1]
        lines: list[str] = []
        told: set[int] = set()
        # Two may name each other as their cause.
        while error is not None and id(error) not in told:
            told.add(id(error))
            frames = traceback.extract_tb(error.__traceback__)
            lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
            sayable = isinstance(error, OSError) or type(error).__module__ in _SAYABLE_MODULES
            words = f": {error}" if sayable else ""
            lines.append(f"{type(error).__module__}.{type(error).__qualname__}{words}")
            error = error.__cause__ or error.__context__
        return "\n".join(lines)


class _ForPeople(_WithoutWords):
    """A line each, with its turn in brackets; a traceback follows in lines of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        turn = getattr(record, "turn", None)
        about = f" [{turn}]" if turn else ""
        said = "".join(each if each.isprintable() else repr(each)[1:-1] for each in record.message)
        return f"{self.formatTime(record)} {record.levelname} {record.name}{about}: {said}"


class _ForPrograms(_WithoutWords):
    """One JSON object a line: ``time``, ``level``, ``logger``, ``message``, ``turn`` where there is one, and
    ``trace`` where something broke."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, str] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if turn := getattr(record, "turn", None):
            said["turn"] = turn
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        # In ASCII, so that no character of another script or of a terminal's ends or colours a line.
        return json.dumps(said)


def configure_logging(
    level: str, stream: TextIO | None = None, form: Literal["text", "json"] = "text"
) -> None:
    """Send records from *level* ("debug" … "error") on to *stream* (standard error): a line each for people,
    or a JSON object each."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(_OthersKeepQuiet())
    handler.addFilter(_note_turn)
    handler.setFormatter(_ForPrograms() if form == "json" else _ForPeople())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
