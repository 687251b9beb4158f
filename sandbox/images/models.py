"""The models the stand-in knows: image models by family, host models, and when each is shut down."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """One model: `family` is 1, 2, 2.5 or 2.6 for image models and empty for hosts.

    `shutdown` is the first day (UTC, `YYYY-MM-DD`) it no longer answers; `hosts` says whether the image tool
    runs on it.
    """

    id: str
    created: str
    family: str = ""
    shutdown: str | None = None
    hosts: bool = False

    @property
    def formats(self) -> tuple[str, ...]:
        """The output formats of the family, in the order the API lists them."""
        return ("png", "webp", "jpeg", "gif", "svg") if self.family == "2.6" else ("png", "webp", "jpeg")

    @property
    def qualities(self) -> tuple[str, ...]:
        """The qualities of the family."""
        plain = ("low", "medium", "high", "auto")
        return ("low", "medium", "high", "xhigh", "max", "auto") if self.family in ("2.5", "2.6") else plain

    def alive(self, now: float) -> bool:
        """Whether it still answers at `now` (unix seconds)."""
        return self.shutdown is None or _day(now) < self.shutdown

    def as_json(self) -> Json:
        """The object of `GET /v1/models/{id}`."""
        return {
            "id": self.id,
            "object": "model",
            "created": int(datetime.fromisoformat(self.created).replace(tzinfo=UTC).timestamp()),
            "owned_by": "system",
            "shutdown_date": self.shutdown,
        }


_IMAGE = (
    Model("gpt-image-2", "2026-04-21", "2"),
    Model("gpt-image-2-2026-04-21", "2026-04-21", "2"),
    Model("gpt-image-2.5-sunburst", "2026-09-08", "2.5"),
    Model("gpt-image-2.5-sunburst-2026-09-08", "2026-09-08", "2.5"),
    Model("gpt-image-2.5-flare", "2026-09-08", "2.5"),
    Model("gpt-image-2.5-flare-2026-09-08", "2026-09-08", "2.5"),
    Model("gpt-image-2.6-sunburst", "2026-11-04", "2.6"),
    Model("gpt-image-2.6-flare", "2026-11-04", "2.6"),
    Model("gpt-image-1.5", "2025-12-16", "1", "2026-12-01"),
    Model("gpt-image-1-mini", "2025-10-06", "1", "2026-12-01"),
    Model("chatgpt-image-latest", "2025-12-16", "1", "2026-12-01"),
)
_HOSTS = (
    Model("gpt-6-luna", "2026-10-01", hosts=True),
    Model("gpt-5.6-luna", "2026-06-01", hosts=True),
    Model("gpt-6.1-terra", "2026-10-20", hosts=True),
    Model("gpt-5", "2025-08-07", shutdown="2026-12-11", hosts=True),
    Model("gpt-5-mini", "2025-08-07", shutdown="2026-12-11", hosts=True),
    Model("o3", "2025-04-16", shutdown="2026-12-11", hosts=True),
    Model("gpt-4o", "2024-05-13", shutdown="2027-01-14", hosts=True),
    Model("gpt-4o-mini", "2024-07-18", shutdown="2027-01-14", hosts=True),
    Model("gpt-4.1", "2025-04-14", shutdown="2027-01-14", hosts=True),
    Model("gpt-4.1-mini", "2025-04-14", shutdown="2027-01-14", hosts=True),
    Model("gpt-3.5-turbo", "2023-03-01"),
)
IMAGE_MODELS = {model.id: model for model in _IMAGE}
HOST_MODELS = {model.id: model for model in _HOSTS}
RETIRED = frozenset({"gpt-image-1", "dall-e-2", "dall-e-3"})
DEFAULT_TOOL_MODEL = "gpt-image-2.6-sunburst"


def listed(now: float) -> list[Model]:
    """Every model that still answers at `now` (unix seconds)."""
    return [model for model in (*_IMAGE, *_HOSTS) if model.alive(now)]


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).date().isoformat()
