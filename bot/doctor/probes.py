"""What only the real OpenAI and the real Slack can show: the probes of ``--live`` and ``--live-slack``.

Each is in ``docs/probes.md`` with when it was last run; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping

LIVE: Mapping[str, str] = {
    "live.responses": "a picture by the Responses endpoint, asked for exactly as the bot does",
    "live.images": "a picture by the Images endpoint, asked for exactly as the bot does",
    "live.tokens": "the tokens that the API counted beside those of our formulas",
    "live.headers": "which x-ratelimit headers come, and whether the bot can read them",
    "live.identifier": "whether safety_identifier is taken, and named in the stored response",
    "live.stored": "whether a response can be fetched afterwards, with the same picture and its usage",
    "live.unknown": "what is said of a response that never was",
    "live.forgotten": "what is said to a call that goes on from a response that was deleted",
    "live.moderation": "whether the image tool takes the parameter moderation",
    "live.background": "whether the image tool works in background mode, can be read on and cancelled",
    "live.shutdown": "whether models carry a shutdown_date, and whether it is the catalogue's",
    "live.spent": "what all of it cost, and whether anything of it is left at the API",
}
"""``--live``: each probe's check, and what it looks at."""

LIVE_SLACK: Mapping[str, str] = {
    "live_slack.place": "the bot may post in the channel, and a person's reply can be read",
    "live_slack.sha256": "a picture that was uploaded comes back byte for byte",
    "live_slack.picture": "one message shows an uploaded picture and buttons under it",
    "live_slack.buttons": "the picture stays when the buttons under it are replaced",
    "live_slack.broadcast": "a picture that is broadcast from a thread shows in the channel itself",
    "live_slack.metadata": "a message's metadata can be read back, by which a lost post is found",
    "live_slack.private": "somebody else in a private channel sees the picture",
    "live_slack.table": "a data_table shows in a direct message",
    "live_slack.chart": "a data_visualization shows in a direct message",
    "live_slack.home": "a picture shows in the Home tab",
    "live_slack.deleted": "what remains of a message when its file is deleted",
    "live_slack.cleanup": "everything that was put there is taken away again",
}
"""``--live-slack``: the same."""
