"""What a process opens for writing, wherever that is, noted by itself: ``sitecustomize``, which every
Python runs first."""

from __future__ import annotations

NOTES = """
import os, sys

def note(event, arguments):
    if event == "sqlite3.connect":
        path = os.path.abspath(os.fsdecode(arguments[0]).removeprefix("file:").partition("?")[0])
    elif event == "open" and isinstance(arguments[0], (str, bytes)):
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        if not flags & (os.O_WRONLY | os.O_RDWR):
            return
        path = os.path.abspath(os.fsdecode(arguments[0]))
    else:
        return
    descriptor = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, path.encode() + b"\\n")
    os.close(descriptor)

def guarded(event, arguments, busy=[]):
    if not busy:
        busy.append(1)
        try:
            note(event, arguments)
        finally:
            busy.pop()

sys.addaudithook(guarded)
"""
"""The file's text. The notes are lines with whole paths, in the file that the variable ``NOTES`` names."""
