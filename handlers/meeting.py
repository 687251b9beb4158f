"""Which channel our direct message with a person is: learned from what they do there."""

from __future__ import annotations

from handlers.services import Services


async def meet(services: Services, user_id: str, channel_id: str) -> None:
    """Remember *channel_id* (D…) as our direct message with that person, unless it is known, or they may not
    use Darkroom. Writes only what is new."""
    team_id, known = services.config.team_id, services.conversations
    if await known.private_channel(team_id, user_id) == channel_id:
        return
    if await services.guard.refuses(user_id) is None:
        await known.met(team_id, user_id, channel_id, services.clock.now())
