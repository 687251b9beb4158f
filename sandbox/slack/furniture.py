"""Who and what a new workspace begins with."""

from typing import TYPE_CHECKING

from sandbox.slack.model import OTHER_APP, Channel, User

if TYPE_CHECKING:
    from sandbox.slack.state import State


def furnish(state: "State") -> None:
    """Put everybody and every channel in place."""
    home, away = state.team_id, state.outside_team_id
    people_here = [
        User("U0ALICE001", "alice", "Alice Ames", home),
        User("U0BOB00001", "bob", "Bob Brown", home),
        User("U0ADMIN001", "carol", "Carol Clark", home, is_admin=True),
        User("U0GUEST001", "gus", "Gus Guest", home, is_restricted=True),
        User(state.bot_user_id, state.app_name.lower(), state.app_name, home, is_bot=True),
        User(OTHER_APP, "otherbot", "Otherbot", home, is_bot=True),
    ]
    outsider = User("U0OUTSIDE1", "olaf", "Olaf Outside", away)
    for user in [*people_here, outsider]:
        state.users[user.id] = user
    alice, bob, carol, guest, bot, other = (user.id for user in people_here)
    team = {alice, bob, carol, bot, other}
    rooms = [
        Channel("C0DESIGN01", "design", "channel", team | {guest}),
        Channel("C0GENERAL1", "general", "channel", team | {guest}),
        Channel("C0PARTNER1", "partners", "channel", team | {outsider.id}, shared_with=frozenset({away})),
        Channel("C0LOBBY001", "lobby", "channel", {alice, bob, carol}),
        Channel("C0ATTIC001", "attic", "channel", team, archived=True),
        Channel("C0SECRET01", "secret", "group", {alice, bob}),
        Channel("D0ALICE001", "", "im", {alice, bot}),
        Channel("D0BOB00001", "", "im", {bob, bot}),
        Channel("D0CAROL001", "", "im", {carol, bot}),
        Channel("D0GUEST001", "", "im", {guest, bot}),
        Channel("D0ALICEBOB", "", "im", {alice, bob}),
    ]
    state.channels |= {room.id: room for room in rooms}


def move_in(state: "State", name: str, channels: tuple[str, ...], flags: dict[str, bool]) -> User:
    """One more person of the team, in these channels and with a DM with the app."""
    user = User(state.mint("U"), name, name.title(), state.team_id, **flags)
    state.users[user.id] = user
    for channel in channels:
        state.channel_named(channel).members.add(user.id)
    state.dm(state.bot_user_id, user.id)
    return user
