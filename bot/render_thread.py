"""The thread that pictures are made on, as the settings say; it has not begun yet."""

from __future__ import annotations

from bot.preflight import CannotStart
from bot.settings import Settings
from darkroom.clock import Clock
from darkroom.rendering.address import could_be_key
from darkroom.rendering.job import Blobs
from darkroom.rendering.thread import ClosableRenderer, RenderThread


def render_thread_of(settings: Settings, blobs: Blobs, clock: Clock) -> RenderThread:
    """Made with the settings' key and address. Raises ``CannotStart``."""
    key = settings.openai_api_key
    if key is None:
        raise CannotStart(["OPENAI_API_KEY is missing. Put the key of your OpenAI project into .env."])
    if not could_be_key(key.get_secret_value()):
        raise CannotStart(["OPENAI_API_KEY is empty or has characters that no key has. Copy it again."])

    def make() -> ClosableRenderer:
        # Loading OpenAI's client takes longer than all else of a start: on the other thread, when somebody
        # can be heard already.
        from darkroom.rendering.provider import Provider
        from darkroom.rendering.renderer import EndpointRenderer

        provider = Provider(settings.openai_base_url, key.get_secret_value())
        return EndpointRenderer(provider, blobs, clock)

    return RenderThread(make)
