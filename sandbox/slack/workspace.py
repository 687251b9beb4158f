"""`Workspace`: Slack in one process, without a network. The HTTP shell is `sandbox.slack.server`."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sandbox.slack import (
    api,
    bad_downloads,
    dialogs,
    files,
    furniture,
    people,
    presses,
    response_urls,
    suggesting,
    surfaces,
    views,
)
from sandbox.slack.delivery import HangUp, Send, Socket
from sandbox.slack.events import envelope
from sandbox.slack.model import (
    ApiAnswer,
    Dropped,
    Fault,
    File,
    HttpAnswer,
    Json,
    Message,
    Seen,
    User,
)
from sandbox.slack.state import State

__all__ = ["Dropped", "Fault", "Workspace"]


class Workspace(State):
    """A Slack team with a few people, a few channels and one installed app.

    People: alice, bob, carol (admin), gus (guest), and olaf of another team, who is only in #partners.
    Channels with the app in them: #design, #general, #partners (shared); without: #secret (private), #lobby
    (public), #attic (archived, with the app). Everybody of the team has a DM with the app; alice and bob have
    one together.

    `commands` are the app's slash commands ("/imagine") and `shortcuts` its shortcuts; without them every one
    is taken for the app's.

    `now` and `sleep` are the only clock it knows. Web API calls go through `call`, the three other doors of
    Slack through `send_bytes` (upload), `download` and `respond` (response_url); the app's socket is any
    object with an async `send`, handed to `attach`, and its acknowledgements come back through `acknowledge`.
    """

    async def call(self, method: str, params: Mapping[str, Any], token: str | None) -> ApiAnswer:
        """One Web API call. Refusals come as answers with `ok: false`; raises Dropped only for faults."""
        return await api.answer(self, method, params, token)

    async def send_bytes(self, url: str, data: bytes) -> HttpAnswer:
        """The middle step of an upload: POST the bytes to the address that Slack gave."""

        async def work() -> HttpAnswer:
            return files.receive(self, url, data)

        return await self._unless_faulty("upload", {"url": url}, work)

    async def download(self, url: str, token: str | None) -> HttpAnswer:
        """GET a private file. A wrong token gets HTTP 200 and a page to sign in."""

        async def work() -> HttpAnswer:
            answer = files.fetch(self, url, token)
            if (bad := bad_downloads.take(self, url)) is not None:
                answer = bad_downloads.spoil(self, bad, url, answer)
            self.downloads.append(bad_downloads.DownloadRecord(url, token, answer.status))
            return answer

        return await self._unless_faulty("download", {"url": url}, work)

    def break_downloads(self, how: bad_downloads.How, **more: Any) -> None:
        """Let the next download go wrong (`bad_downloads.BadDownload` says how, and what `more` may be)."""
        self.bad_downloads.append(bad_downloads.BadDownload(how, **more))

    async def respond(self, url: str, body: Json) -> HttpAnswer:
        """POST to a response_url."""
        return await self._unless_faulty("response_url", body, lambda: response_urls.respond(self, url, body))

    async def _unless_faulty(
        self, door: str, params: Json, work: Callable[[], Awaitable[HttpAnswer]]
    ) -> HttpAnswer:
        """The work of one of Slack's other doors, with the fault that it meets."""
        fault = api.take_fault(self, door, params)
        if fault is None:
            return await work()
        if fault.delay_s:
            await self.sleep(fault.delay_s)
        if fault.drop == "before":
            raise Dropped(door)
        if fault.first is not None:
            await fault.first(self, params)
        if not fault.answers or fault.done:
            answer = await work()
        if fault.drop == "after":
            raise Dropped(door)
        said = (fault.error or "").encode()
        return HttpAnswer(fault.status, said, headers=fault.headers) if fault.answers else answer

    async def attach(self, send: Send, hang_up: HangUp | None = None, cut: HangUp | None = None) -> Socket:
        """Connect the app: hello, then the events that waited. Raises TooManySockets at ten.

        `hang_up` is awaited to end the connection politely, `cut` (left out: the same) to break it.
        """
        return await self.delivery.attach(send, hang_up, cut)

    def detach(self, socket: Socket) -> None:
        """The app's connection is gone; what it had not acknowledged is sent again."""
        self.delivery.detach(socket)

    def acknowledge(self, envelope_id: str, payload: Json | None = None) -> bool:
        """The app's acknowledgement, with an answer where the envelope accepts one."""
        return self.delivery.acknowledge(envelope_id, payload)

    async def refresh_sockets(self) -> None:
        """Ask the app to reconnect (`disconnect`, `refresh_requested`)."""
        await self.delivery.refresh()

    async def redeliver(self, sent: Json, times: int = 1) -> None:
        """Deliver again what the app was sent before: an envelope (from `delivery.sent`) or a bare payload.

        The payload keeps its event_id or trigger_id; each delivery has a new envelope id. Commands and clicks
        are awaited, events are not.
        """
        payload = sent.get("payload", sent)
        for _ in range(times):
            if payload.get("type") == "event_callback":
                parcel = await self.delivery.event(payload)
                parcel.attempt += 1
            else:
                kind = "slash_commands" if "command" in payload else "interactive"
                await self.delivery.interaction(kind, payload, accepts_response=kind == "slash_commands")

    async def send_event(self, event: Json) -> None:
        """Send any event at all, wrapped as Slack would."""
        await self.delivery.event(envelope(self, event))

    async def type_command(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> Seen:
        """Type `/imagine a fox`. `Seen.error` is Slack's own failure, `Seen.text` what the app answered."""
        return await people.type_command(self, user, channel, text, thread_ts=thread_ts)

    async def post(
        self,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        files: tuple[str, ...] = (),
        broadcast: bool = False,
    ) -> Message:
        """Write a message or, with `thread_ts`, a reply; `files` are ids from `upload`."""
        return await people.post(
            self, user, channel, text, thread_ts=thread_ts, attached=tuple(files), broadcast=broadcast
        )

    async def edit_message(self, user: str, channel: str, ts: str, text: str) -> Message:
        """Change one's own message."""
        return await people.edit_message(self, user, channel, ts, text)

    async def delete_message(self, user: str, channel: str, ts: str) -> None:
        """Take back one's own message."""
        await people.delete_message(self, user, channel, ts)

    async def press(
        self,
        user: str,
        channel: str,
        message_ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: Any = None,
        confirmed: bool = True,
    ) -> Seen:
        """Press a button of a message (or choose `value` in its menu; "positive" or "negative" in feedback
        buttons). What asks first is in `Seen.asked`; not `confirmed`, nothing is sent."""
        return await presses.press(
            self, user, channel, message_ts, action_id, block_id=block_id, value=value, confirmed=confirmed
        )

    async def press_in_view(
        self,
        user: str,
        view_id: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: Any = None,
        confirmed: bool = True,
    ) -> Seen:
        """The same in a modal or in the Home tab (`home_of(user)["id"]`)."""
        return await presses.press_in_view(
            self, user, view_id, action_id, block_id=block_id, value=value, confirmed=confirmed
        )

    async def ask_options(
        self,
        user: str,
        action_id: str,
        typed: str,
        *,
        channel: str | None = None,
        message_ts: str | None = None,
        view_id: str | None = None,
        block_id: str | None = None,
    ) -> Seen:
        """Type in a menu whose choices the app gives (`external_select`), in a message or in a view;
        `Seen.payload` has the `options` or `option_groups`, which then can be chosen by their values."""
        return await suggesting.suggest(
            self,
            user,
            action_id,
            typed,
            channel=channel,
            message_ts=message_ts,
            view_id=view_id,
            block_id=block_id,
        )

    async def use_shortcut(
        self, user: str, callback_id: str, *, channel: str | None = None, message_ts: str | None = None
    ) -> Seen:
        """Use a message shortcut, or without a message a global one (`channel`: where the person is)."""
        return await surfaces.use_shortcut(self, user, callback_id, channel=channel, message_ts=message_ts)

    async def fill_view(self, user: str, view_id: str, values: Json) -> Seen:
        """Type and choose in a modal or the Home tab: `{name: value}` with block or action ids as names and
        texts, options' values, people's and channels' names or file ids as values, or
        `{block_id: {action_id: value}}`. The app hears of what dispatches an action."""
        return await dialogs.fill(self, user, view_id, values)

    async def submit_view(self, user: str, view_id: str, values: Json) -> Seen:
        """Submit an open modal after putting in `values` (as for `fill_view`, but silently); `Seen.payload`
        is the app's `response_action`, if it gave one."""
        return await dialogs.submit(self, user, view_id, values)

    async def close_view(self, user: str, view_id: str, *, whole_stack: bool = False) -> list[Seen]:
        """Close a modal without submitting it; what the app heard of it."""
        return await dialogs.close(self, user, view_id, whole_stack=whole_stack)

    def modal_of(self, user: str) -> Json | None:
        """The modal this person looks at: the newest that nothing lies on."""
        person = self.user_named(user).id
        mine = [v for v in self.views.values() if v["_user"] == person and views.on_top(self, v)]
        return mine[-1] if mine else None

    def home_of(self, user: str) -> Json | None:
        """What the app published as this person's Home tab."""
        return self.homes.get(self.user_named(user).id)

    async def open_home(self, user: str, tab: str = "home") -> None:
        """Open the app's Home tab (or `tab="messages"`)."""
        await surfaces.open_home(self, user, tab)

    async def invite(self, user: str, channel: str, whom: str) -> None:
        """Add somebody, or the app, to a channel; `/invite @Darkroom`, typed, does the same."""
        await people.invite(self, user, channel, whom)

    def add_person(
        self, name: str, channels: tuple[str, ...] = ("#design", "#general"), **flags: bool
    ) -> User:
        """One more person of the team (`is_admin=True`, `is_restricted=True`, …), with a DM with the app."""
        return furniture.move_in(self, name, channels, flags)

    async def post_as_other_app(self, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """A message of another app (`bot_id`) in the workspace."""
        return await surfaces.post_as_other_app(self, channel, text, thread_ts)

    async def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """Put an emoji on a message."""
        await people.react(self, user, channel, ts, name)

    async def uninstall(self) -> None:
        """Remove the app from the workspace."""
        await surfaces.uninstall(self)

    async def revoke_tokens(self, *users: str) -> None:
        """Revoke the tokens of these people, or without any the app's own: it hears `tokens_revoked`, and its
        calls are answered with `token_revoked` from then on."""
        await surfaces.revoke(self, users)

    async def upload(self, user: str, name: str, data: bytes, claimed: str | None = None) -> File:
        """A person's file, to be attached with `post(files=(file.id,))` or put into a modal's file input;
        `claimed` is the media type that Slack believes it to have."""
        return people.upload(self, user, name, data, claimed)

    async def share(
        self, user: str, channel: str, text: str, pictures: Mapping[str, bytes], thread_ts: str | None = None
    ) -> Message:
        """Write a message or a reply with files, by their names."""
        given = [people.upload(self, user, name, data).id for name, data in pictures.items()]
        return await self.post(user, channel, text, thread_ts=thread_ts, files=tuple(given))

    def finish_processing(self, file_id: str) -> None:
        """End the scan of a file now (for `file_processing_s=math.inf`)."""
        files.finish(self, self.files[file_id])
