"""A program in a real terminal, which echoes what is typed unless the program forbids it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

WAIT_S = 30


def type_into(
    program: Sequence[str], where: Path, environment: Mapping[str, str], answers: Sequence[tuple[str, str]]
) -> str:
    """Start *program*, wait for the words of each question and type its answer with Enter; everything that
    stood on the screen. The program must end by itself, and well."""
    parent, child = pty.openpty()
    try:
        with subprocess.Popen(
            program,
            cwd=where,
            env=environment,
            stdin=child,
            stdout=child,
            stderr=child,
            start_new_session=True,
        ) as process:
            os.close(child)
            try:
                shown = ""
                for question, answer in answers:
                    shown += _until(parent, question)
                    os.write(parent, answer.encode() + b"\n")
                shown += _until(parent, None)
                assert process.wait(WAIT_S) == 0, shown
            finally:
                process.kill()
        return shown
    finally:
        os.close(parent)


def _until(terminal: int, words: str | None) -> str:
    """What is shown up to these words, or to the end."""
    shown = b""
    while words is None or words.encode() not in shown:
        ready, _, _ = select.select([terminal], [], [], WAIT_S)
        assert ready, f"{words!r} was never shown: {shown.decode(errors='replace')}"
        try:
            more = os.read(terminal, 4_096)
        except OSError:  # Linux says EIO where the other end is closed.
            more = b""
        if not more:
            assert words is None, f"{words!r} was never shown: {shown.decode(errors='replace')}"
            break
        shown += more
    return shown.decode(errors="replace")
