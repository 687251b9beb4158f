"""Downloads that go wrong on purpose: sent elsewhere, sent in circles, a page instead of bytes, cut, slow."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from sandbox.slack import files
from sandbox.slack.model import HttpAnswer

if TYPE_CHECKING:
    from sandbox.slack.state import State

How = Literal["redirect", "moved", "loop", "login", "garbage", "truncated", "slow", "endless"]


@dataclass
class BadDownload:
    """What happens to the next `times` downloads (of one file, if `file_id` is given).

    redirect: 302 to `target` (left out: another host name of this very machine); moved: 302 to another
    address of Slack's own, which then gives the file; loop: 302 to itself; login: 200 and a page to sign in;
    garbage: a picture's media type, and bytes that are none; truncated: half of the announced bytes, then
    the connection is cut; slow: ten pieces with `pause_s` between them; endless: the bytes again and again,
    with no length announced.
    """

    how: How
    file_id: str | None = None
    target: str | None = None
    pause_s: float = 0.05
    times: int = 1


@dataclass(frozen=True)
class DownloadRecord:
    """One request for a file's bytes: `token` is what it carried, `status` what it was answered; `stranger`
    means that it came to an address outside Slack."""

    path: str
    token: str | None
    status: int
    stranger: bool = False


def elsewhere(state: "State") -> str:
    """An address on another host name than Slack's, which answers every request with a picture's bytes."""
    return f"http://localhost:{urlsplit(state.base_url).port or 80}/elsewhere/picture.png"


def take(state: "State", url: str) -> BadDownload | None:
    """The next mishap that fits this address; it is used up once it has happened `times` times."""
    for bad in state.bad_downloads:
        if bad.file_id is None or f"-{bad.file_id}/" in url:
            bad.times -= 1
            if bad.times <= 0:
                state.bad_downloads.remove(bad)
            return bad
    return None


def spoil(state: "State", bad: BadDownload, url: str, good: HttpAnswer) -> HttpAnswer:
    """The answer that comes instead of `good`."""
    if bad.how == "login":
        return files.sign_in()
    if bad.how == "garbage":
        return HttpAnswer(200, b"\x00no picture\xff" * 100, "image/png")
    if bad.how == "truncated":
        return replace(good, cut_after=len(good.body) // 2)
    if bad.how == "slow":
        return replace(good, pause_s=bad.pause_s)
    if bad.how == "endless":
        return replace(good, endless=True)
    here = urlsplit(url).path
    path = f"{state.base_url}{here}"
    target = {"loop": path, "moved": f"{path}?moved=1", "redirect": bad.target or elsewhere(state)}[bad.how]
    return HttpAnswer(302, b"", headers={"Location": target})
