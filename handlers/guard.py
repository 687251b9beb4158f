"""Who may, and from which workspace."""

from __future__ import annotations

from dataclasses import dataclass

from darkroom.clock import Clock
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Turn
from handlers.clients import SlackClient, SlackRefused, SlackUnclear, UserInfo
from handlers.pacing import ANSWER_PATIENCE_S

LOOK_PAUSES_S = (1.0, 3.0, 10.0)
"""Waits between the tries to learn who somebody is."""

_UNKNOWN = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


@dataclass(frozen=True, slots=True)
class House:
    """The workspace that installed Darkroom (with its organisation, for org-wide installs) and its rules."""

    team_id: str
    enterprise_id: str | None
    admins: tuple[str, ...]
    allow_guests: bool

    def takes(self, team_id: str | None, enterprise_id: str | None = None) -> bool:
        """Whether that team (or organisation) is the one that installed us."""
        if team_id == self.team_id:
            return True
        return self.enterprise_id is not None and enterprise_id == self.enterprise_id


class SlackGuard:
    """Keeps outsiders and guests from spending, by what Slack says of them. Satisfies ``Guard``."""

    def __init__(self, slack: SlackClient, house: House, clock: Clock) -> None:
        self._slack = slack
        self._hurried = slack.within(ANSWER_PATIENCE_S)
        self._house = house
        self._clock = clock

    async def refusal(self, turn: Turn) -> Ending | None:
        """Why this person may not have this turn, or None."""
        return await self.refuses(turn.request.user_id)

    async def refuses(self, user_id: str) -> Ending | None:
        """Why this person may not use Darkroom, or None. Who stays unknown may not.

        An event of a shared channel can name the installing team for an outsider's message, so that the
        person is always looked up (and remembered by the client).
        """
        try:
            user = await self._look(self._slack, user_id)
        except SlackRefused as refused:
            if refused.error in _UNKNOWN:
                return Ending(Outcome.DECLINED, Reason.OUTSIDER)
            return Ending(Outcome.DECLINED, Reason.CANNOT_POST, {"slack_error": refused.error})
        except SlackUnclear as unclear:
            return Ending(Outcome.DECLINED, Reason.CANNOT_POST, {"slack_error": str(unclear)})
        if user.is_stranger or user.is_bot or not self._house.takes(user.team_id, user.enterprise_id):
            return Ending(Outcome.DECLINED, Reason.OUTSIDER)
        if user.is_guest and not self._house.allow_guests:
            return Ending(Outcome.DECLINED, Reason.GUEST)
        return None

    def outsider(self, team_id: str | None, enterprise_id: str | None = None) -> bool:
        """Whether a payload says plainly that its person belongs elsewhere; unknown is not plain.

        With an org-wide install another team's name says nothing without its organisation's.
        """
        unknown = team_id is None or (self._house.enterprise_id is not None and enterprise_id is None)
        return not unknown and not self._house.takes(team_id, enterprise_id)

    def elsewhere(self, team_id: str | None, enterprise_id: str | None) -> bool:
        """Whether a payload is for another installation of the app than ours. Unlike who acted, Slack always
        names the installation: its team, or its organisation, or both; one that names none is not ours."""
        return not self._house.takes(team_id, enterprise_id)

    async def is_admin(self, user_id: str) -> bool:
        """The admins of the settings; only when there are none, the workspace's admins and owners."""
        if self._house.admins:
            return user_id in self._house.admins
        user = await self._look(self._hurried, user_id)
        return user.is_admin and self._house.takes(user.team_id, user.enterprise_id)

    async def _look(self, slack: SlackClient, user_id: str) -> UserInfo:
        for pause_s in LOOK_PAUSES_S:
            try:
                return await slack.user(user_id)
            except SlackUnclear:
                await self._clock.sleep(pause_s)
        return await slack.user(user_id)
