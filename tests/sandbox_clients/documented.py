"""docs/sandbox.md as these tests read it: its examples, and the requests that its curl lines make."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = (DOCS / "sandbox.md").read_text()


@dataclass(frozen=True)
class Request:
    """What a curl line sends: `body` is as it stands there, `@name` the file of that name."""

    method: str
    path: str
    body: str | None

    def filled_in(self, names: dict[str, str]) -> Request:
        """The same with what stands in capitals replaced."""
        path, body = self.path, self.body
        for name, value in names.items():
            path = path.replace(name, value)
            body = None if body is None else body.replace(name, value)
        return Request(self.method, path, body)


def blocks(language: str) -> list[str]:
    """The page's examples in one language; "" are those without any."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def requests() -> list[Request]:
    """Every curl line, in the page's order."""
    lines = [line for block in blocks("") for line in block.splitlines() if line.startswith("curl ")]
    return [_read(line) for line in lines]


def _read(line: str) -> Request:
    words = iter(shlex.split(line)[1:])
    method, path, body = "GET", "", None
    for word in words:
        if word == "-X":
            method = next(words)
        elif word in {"-d", "--data-binary"}:
            body = next(words)
            method = "POST"
        else:
            assert word.startswith("$SANDBOX"), f"{word} in {line}"
            path = word.removeprefix("$SANDBOX")
    return Request(method, path, body)
