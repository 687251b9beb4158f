"""What the account behind a key may call, as the API itself says: ``GET /v1/models/{id}``, which costs
nothing."""

from __future__ import annotations

import asyncio
import re
from datetime import date

import httpx2
import openai
from openai.types import Model

from darkroom.rendering.access import Access, ModelSeen
from darkroom.rendering.errors import is_of_what_was_asked_for, of_exception
from darkroom.rendering.job import FailureKind
from darkroom.rendering.provider import Provider

__all__ = ["LOOK_TIMEOUT_S", "Access", "Account", "ModelSeen", "day_of"]

LOOK_TIMEOUT_S = 10.0


class Account:
    """Asks for models by the provider that pictures are made by. It owns *provider*."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.provider = provider.name

    async def aclose(self) -> None:
        """Close the connections."""
        await self._provider.aclose()

    async def look_up(self, model: str) -> ModelSeen:
        """What the API says of *model* to this account; never raises for what the API or the way to it does.
        Waits ``LOOK_TIMEOUT_S`` at most."""
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_S):
                found = await self._provider.client.models.retrieve(model)
        except TimeoutError:
            return ModelSeen(model, Access.UNKNOWN, code="timeout", message="no answer in time")
        except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
            return _troubled(model, error)
        if not isinstance(found, Model):
            # A gateway's page in place of it: the client hands out text as it came.
            return ModelSeen(model, Access.UNKNOWN, code="unreadable", message="no model in the answer")
        if not hasattr(found, "id"):
            # The client gives a page of somebody's, which is no JSON, as the text that it is.
            return ModelSeen(model, Access.UNKNOWN, code="unreadable", message="no answer of the API's")
        return ModelSeen(model, Access.LISTED, day_of(found.shutdown_date))


_MISSING_SCOPE = re.compile(r"\bmissing scopes?\b|\binsufficient permissions\b", re.IGNORECASE)
_REFUSALS = frozenset({FailureKind.ACCESS, FailureKind.MODEL_GONE})


def _troubled(model: str, error: Exception) -> ModelSeen:
    if not isinstance(error, openai.OpenAIError | httpx2.HTTPError):
        return ModelSeen(model, Access.UNKNOWN, code="unreadable", message=type(error).__name__)
    failure = of_exception(error)
    # A gateway's own page, an address that has no such list, or a key that may not look models up: none of
    # them says anything of the model.
    elsewhere = isinstance(error, openai.NotFoundError) and not is_of_what_was_asked_for(error)
    elsewhere |= _MISSING_SCOPE.search(failure.message) is not None
    access = Access.REFUSED if failure.kind in _REFUSALS and not elsewhere else Access.UNKNOWN
    code, kind = failure.code or "", failure.kind.value
    return ModelSeen(model, access, code=code, message=failure.message, kind=kind)


def day_of(text: object) -> date | None:
    """A day as the API writes it; None where it names none, or nothing that is one."""
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
