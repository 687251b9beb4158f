"""What a person is told of the files they attached: why one cannot go along, and the way out."""

from __future__ import annotations

from collections.abc import Mapping

from darkroom.turns.endings import FileProblem
from darkroom.turns.model import REFERENCES_MAX

KINDS = "PNG, JPEG, WebP or GIF"

_PROBLEMS: Mapping[FileProblem, str] = {
    FileProblem.NOT_A_PICTURE: f"it is not a picture. Attach a {KINDS}, or leave it out.",
    FileProblem.HEIC: (
        "it is a HEIC photo, which the image models do not read. Send it as JPEG: on an iPhone, Settings → "
        "Camera → Formats → Most Compatible takes photos as JPEG; for one that exists, send a screenshot of "
        "it, or export it as JPEG."
    ),
    FileProblem.SVG: "it is an SVG drawing, which the image models do not read. Export it as PNG.",
    FileProblem.UNKNOWN_KIND: f"it is a kind that the image models do not read. Save it as {KINDS}.",
    FileProblem.BROKEN: "it cannot be read to its end. Open it, save it anew and attach that.",
    FileProblem.EMPTY: "it is empty. Attach it again.",
    FileProblem.TOO_MANY_BYTES: "it is larger than 50 MB. Save it smaller, for example as JPEG.",
    FileProblem.TOO_MANY_PIXELS: "it has too many pixels. Scale it down; 4,000 pixels a side are plenty.",
    FileProblem.ELSEWHERE: (
        "it is not kept by Slack, and I fetch from nowhere else. Download it and attach the file itself."
    ),
    FileProblem.NO_ACCESS: (
        "Slack does not let me read it. Invite {us} to where it is, or send it to me in our direct message "
        "together with your words."
    ),
    FileProblem.UNREACHABLE: "Slack did not give it out in time. Try again in a minute.",
}

ABOVE_UNSEEN = (
    "I did not see the pictures above in this thread: here Slack shows me only messages that mention me. To "
    "change one of them, open the menu of its message and choose “Edit with Darkroom”."
)
"""To who mentioned us in a thread whose messages we have no scope to read."""


def why(problem: str, us: str) -> str:
    """The clause behind "because" for a ``FileProblem``, with what to do; *us* is our name as a mention."""
    known = problem in set(FileProblem)
    return _PROBLEMS[FileProblem(problem) if known else FileProblem.BROKEN].format(us=us)


def bad_file(name: str, problem: str, us: str) -> str:
    """A file, by its *name* (escaped already; may be empty), cannot go along."""
    which = f"“{name}”" if name else "an attached file"
    return f"Nothing was made and nothing was charged, because {which} cannot go along: {why(problem, us)}"


def too_many(files: int, allowed: int) -> str:
    """More pictures than may go along."""
    there = f"{files:,} pictures are" if files else "too many pictures are"
    return (
        f"Nothing was made and nothing was charged: {there} attached, and at most "
        f"{allowed or REFERENCES_MAX} may go along, with the picture that is changed and a mask among them. "
        "Attach fewer."
    )
