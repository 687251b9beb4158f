"""The data directory: is it there, can it be written, is there room, and who may look into it?"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from bot.doctor.finding import Finding, fail, good, warn
from storage.database import DATABASE_NAME, LOCK_NAME, PICTURES_NAME

LEAST_FREE, SOON_FULL = 100 * 1024**2, 2 * 1024**3
"""Bytes: below the first a few dozen pictures fill the disk; below the second somebody should know."""
MOUNTS = Path("/proc/self/mounts")
NETWORK_KINDS = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs")
"""File systems that other machines write, too: SQLite's WAL needs the memory of one machine
(https://www.sqlite.org/wal.html)."""
_PROBE = bytes(4096)


def free_bytes(folder: Path) -> int:
    """How much may still be written there."""
    return shutil.disk_usage(folder).free


def place_of(folder: Path) -> Path:
    """Where it is, without links, but for one that leads to itself."""
    try:
        return folder.resolve(strict=True)
    except (OSError, RuntimeError):
        # It is not there, or the links go round in a circle.
        return folder.absolute()


def look_at_directory(
    folder: Path, mounts: Path = MOUNTS, free: Callable[[Path], int] = free_bytes
) -> tuple[bool, list[Finding]]:
    """Whether there are books in *folder* (see ``place_of``), and what is said of the directory around them.
    Blocks for the disk; leaves everything as it was."""
    if (bad := _not_there(folder)) is not None:
        return False, [bad]
    return True, [
        good("data.directory", str(folder)),
        _writable(folder),
        _room(free(folder)),
        _mode(folder),
        _file_system(folder, mounts),
    ]


def _not_there(folder: Path) -> Finding | None:
    check = "data.directory"
    if folder.is_symlink():
        remedy = "Set storage.data_dir to a directory: what is there is a link in a circle."
        return fail(check, f"{folder} leads to itself", remedy)
    if not folder.exists():
        remedy = "Check storage.data_dir (DARKROOM_STORAGE__DATA_DIR), or make it: darkroom init"
        return fail(check, f"there is no {folder}", remedy)
    if not folder.is_dir():
        remedy = "Set storage.data_dir to a directory of Darkroom's own."
        return fail(check, f"{folder} is a file, not a directory", remedy)
    if not _may(folder, os.R_OK | os.X_OK):
        return fail(check, f"{folder} cannot be read by {us()}", own(folder))
    if not (folder / DATABASE_NAME).exists():
        remedy = "Check storage.data_dir; where nothing ever was, make new, empty books: darkroom init"
        return fail(check, f"there is no {DATABASE_NAME} in {folder}", remedy)
    return None


def _may(path: Path, how: int) -> bool:
    # By the account that acts, which sudo and services may have changed, not by the one that logged in.
    return os.access(path, how, effective_ids=os.access in os.supports_effective_ids)


def us() -> str:
    """The account that acts, for who reads that it may not."""
    return f"this account (user id {os.geteuid()})"


def own(folder: Path) -> str:
    """What to do where the account is not the one that the directory belongs to."""
    return f"Run this as Darkroom's own account, or give that the directory: sudo chown -R ACCOUNT {folder}"


def _writable(folder: Path) -> Finding:
    check = "data.writable"
    for name, kind in ((PICTURES_NAME, "directory"), (LOCK_NAME, "file")):
        each = folder / name
        if each.exists() and not (each.is_dir() if kind == "directory" else each.is_file()):
            return fail(check, f"{each} is no {kind}", "Move it away: Darkroom makes its own.")
    for each in (folder, folder / PICTURES_NAME):
        if not each.is_dir():
            continue
        try:
            # Without a name, so that nothing is left of it when the doctor is killed.
            with tempfile.TemporaryFile(dir=each) as probe:
                probe.write(_PROBE)
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as error:
            return fail(check, f"{each}: {error.strerror}", _to_write(error, folder))
    for name in (DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm", LOCK_NAME):
        file = folder / name
        if file.exists() and not _may(file, os.W_OK):
            return fail(check, f"{file} cannot be written by {us()}", own(folder))
    return good(check, "a file was written and removed again")


def _to_write(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            "The disk (or the quota) is full: free some space, or move the data directory to a larger disk."
        )
    if error.errno == errno.EROFS:
        return "It is mounted read-only: mount it writable, or set storage.data_dir to a writable volume."
    return own(folder)


def _room(free: int) -> Finding:
    check = "data.space"
    said = f"{free / 1024**2:,.0f} MB free"
    remedy = "Free some space, set retention.pictures_days, or move the data directory to a larger disk."
    if free < LEAST_FREE:
        return fail(check, f"only {said}: the disk is as good as full", remedy)
    if free < SOON_FULL:
        return warn(check, f"only {said}; a picture takes 1 to 4 MB", remedy)
    return good(check, said)


def _mode(folder: Path) -> Finding:
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & 0o077:
        return good("data.mode", f"its owner's alone (mode {mode:o})")
    said = f"others on this machine may look into it (mode {mode:o}): prompts and pictures are in it"
    return warn("data.mode", said, f"chmod 700 {folder}")


def _file_system(folder: Path, mounts: Path) -> Finding:
    check, kind = "data.filesystem", file_system_of(folder, mounts)
    if kind not in NETWORK_KINDS:
        return good(check, kind or "not known on this system")
    return fail(
        check,
        f"{folder} is on a network file system ({kind}), where SQLite loses data and locks do not hold",
        "Set storage.data_dir to a disk of this machine, and copy backups to the network: darkroom backup",
    )


def file_system_of(folder: Path, mounts: Path = MOUNTS) -> str:
    """The kind of file system that *folder* is on, as the system's table of mounts says; empty where there is
    none."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    longest, kind = 0, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        # The table writes a space in a path as \040; of two mounts on one place the later one counts.
        place = Path(fields[1].replace("\\040", " "))
        if folder.is_relative_to(place) and len(place.parts) >= longest:
            longest, kind = len(place.parts), fields[2]
    return kind
