"""One renderer for both of OpenAI's ways to a picture."""

from __future__ import annotations

from darkroom.clock import Clock
from darkroom.rendering.access import ModelSeen
from darkroom.rendering.account import Account
from darkroom.rendering.images import ImagesRenderer
from darkroom.rendering.job import Answer, Blobs, Endpoint, NoWord, RenderJob, ResponseIdSeen
from darkroom.rendering.provider import Provider
from darkroom.rendering.responses import ResponsesRenderer


class EndpointRenderer:
    """Sends each attempt to its candidate's endpoint; many may run at once.

    It owns *provider* and closes it. Files of pictures come from *blobs*; time is *clock*'s.
    """

    def __init__(self, provider: Provider, blobs: Blobs, clock: Clock) -> None:
        self._provider = provider
        self._account = Account(provider)
        self._responses = ResponsesRenderer(provider, blobs, clock)
        self._images = ImagesRenderer(provider, blobs, clock)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._provider.aclose()

    def warm(self) -> None:
        """Do now what the first call would wait for."""
        self._responses.warm()
        self._images.warm()

    async def ready(self) -> None:
        """It is, from the beginning."""

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """Make the call and read its answer to the end."""
        way = self._responses if job.candidate.endpoint is Endpoint.RESPONSES else self._images
        return await way.render(job, response_id_seen)

    async def ask(self, job: RenderJob, response_id: str) -> Answer | NoWord:
        """What became of a call that was sent before; the Images endpoint cannot be asked."""
        if job.candidate.endpoint is Endpoint.IMAGES:
            return NoWord.NEVER
        return await self._responses.ask(job, response_id)

    async def forget(self, response_id: str) -> bool:
        """Delete a stored response; the Images endpoint stores none."""
        return await self._responses.forget(response_id)

    async def look_up(self, model: str) -> ModelSeen:
        """What the API says of a model to this account; see ``Account.look_up``."""
        return await self._account.look_up(model)
