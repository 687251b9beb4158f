"""What is logged, and what never is: no prompt, token or key reaches a log at any level.

Our own loggers say ids, states, timings and costs. Other packages' loggers print whole payloads at DEBUG and
sometimes parts of them in errors, so that of their records only the place and the kind of trouble are kept.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from types import TracebackType
from typing import TextIO

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


class _WithoutWords(logging.Formatter):
    """Tracebacks with their places and types, but not the messages: those can quote what they choked on."""

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        error = ei[1]
        lines: list[str] = []
        while error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
            sayable = isinstance(error, OSError) or type(error).__module__ in _SAYABLE_MODULES
            words = f": {error}" if sayable else ""
            lines.append(f"{type(error).__module__}.{type(error).__qualname__}{words}")
            error = error.__cause__ or error.__context__
        return "\n".join(lines)


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send records from *level* ("debug" … "error") on to *stream* (standard error), UTC, one line each."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(_OthersKeepQuiet())
    formatter = _WithoutWords("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
