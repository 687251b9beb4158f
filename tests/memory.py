"""What a process has in memory and has had at most, as Linux tells it (proc(5))."""

from __future__ import annotations

from pathlib import Path


def has_kb(pid: int | str = "self") -> int:
    """What the process has in memory now, kB."""
    return _kb(pid, "VmRSS")


def peak_kb(pid: int | str = "self") -> int:
    """The most that the process has had since it began, or since `forget_peak`, kB.

    ``ru_maxrss`` is not that: a process that was begun by a larger one starts with the other's.
    """
    return _kb(pid, "VmHWM")


def forget_peak() -> None:
    """Let the peak of this process be what it has now: other tests may have needed more."""
    Path("/proc/self/clear_refs").write_text("5")


def _kb(pid: int | str, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
