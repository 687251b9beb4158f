"""What people read who said too little, or at the wrong place: plain text, with the way out."""

from __future__ import annotations

FILES_ALONE = (
    "Nothing was made and nothing was charged. I have the picture, but not what to do with it: send it again "
    "together with a few words, such as “make the sky of this one green”."
)
PRIVATE_ELSEWHERE = (
    "--private works with {imagine} and in our direct message: a reply or a mention is answered in its own "
    "thread, where everybody reads. Leave it out, or ask there."
)
EDITED_INTO_ANOTHER = (
    "A request cannot become “undo” or “versions”, nor the other way round. Send it as a message of its own."
)


def again_elsewhere(version: int) -> str:
    """Somebody pressed Again under a picture whose parent, or reference pictures, were not shared with it."""
    return (
        f"v{version} was made from other pictures, which were not shared here with it, so nothing was made. "
        "“Variations…” makes others like it, and a reply to it changes it."
    )


def magic_outside(word: str) -> str:
    """Somebody sent a magic word outside a thread of pictures."""
    does = "goes back to the picture before" if word == "undo" else "lists the pictures of a thread"
    return f"“{word}” {does}: send it as a reply in the thread of those pictures. Nothing was made."
