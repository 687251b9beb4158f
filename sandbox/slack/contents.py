"""What is in a workspace: the team, the app in it, its people and what they wrote, and the records of it."""

from collections import deque
from collections.abc import Callable

from sandbox.slack import limits
from sandbox.slack.bad_downloads import BadDownload, DownloadRecord
from sandbox.slack.called import Calls
from sandbox.slack.held import ByteStore
from sandbox.slack.model import (
    Channel,
    Ephemeral,
    Fault,
    File,
    Json,
    Notification,
    ResponseUrl,
    Trigger,
    User,
)
from sandbox.slack.suggested import Menu


class Contents:
    """Plain collections, empty at first, and how Slack behaves towards the app."""

    def __init__(self, team_id: str, app_name: str) -> None:
        self.team_id, self.team_name, self.team_domain = team_id, "Sandbox", "sandbox"
        self.outside_team_id = "T0OUTSIDE1"
        self.app_id, self.bot_user_id, self.bot_id = "A0DARKROOM", "U0DARKROOM", "B0DARKROOM"
        self.app_name = app_name
        self.installed = True
        self.token_revoked = False
        self.echo_bot_messages = True
        self.mention_events: tuple[str, ...] = ("message", "app_mention")
        self.mention_files = False
        self.subscriptions = frozenset(
            {"message", "app_mention", "app_home_opened", "app_uninstalled", "tokens_revoked"}
        )
        self._fill()
        self._begin_records()

    def _fill(self) -> None:
        """What people and the app put there."""
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.ephemerals: list[Ephemeral] = []
        self.files: dict[str, File] = {}
        self.held = ByteStore()
        self.uploads: dict[str, str] = {}
        self.statuses: dict[tuple[str, str], tuple[str, float]] = {}
        self.lapsing: set[tuple[str, str]] = set()
        self.views: dict[str, Json] = {}
        self.homes: dict[str, Json] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.triggers: dict[str, Trigger] = {}
        self.tickets: dict[str, None] = {}
        self.suggested: dict[Menu, dict[str, Json]] = {}

    def _begin_records(self) -> None:
        """What was seen, what will go wrong, and who wants to hear of changes."""
        self.notifications: deque[Notification] = deque(maxlen=limits.RECORDS_MAX)
        self.downloads: deque[DownloadRecord] = deque(maxlen=limits.RECORDS_MAX)
        self.calls = Calls()
        self.limiter = limits.RateLimiter()
        self.faults: list[Fault] = []
        self.bad_downloads: list[BadDownload] = []
        self.on_change: list[Callable[[Json], None]] = []
