"""The Web API: who may call what, how often, and what goes wrong on purpose; the methods themselves are
registered by the `methods_*` modules."""

import copy
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.reading import read_json
from sandbox.slack import limits, methods_chat, methods_files, methods_looking, methods_rest, methods_views
from sandbox.slack.called import recorded
from sandbox.slack.happenings import pointless
from sandbox.slack.model import ApiAnswer, ApiError, CallRecord, Dropped, Fault, Json
from sandbox.slack.named_faults import fault_of

if TYPE_CHECKING:
    from sandbox.slack.state import State

Method = Callable[["State", Json], Awaitable[Json]]

METHODS: Final[Mapping[str, Method]] = {
    **methods_chat.METHODS,
    **methods_files.METHODS,
    **methods_looking.METHODS,
    **methods_rest.METHODS,
    **methods_views.METHODS,
}
SCOPES: Final[Mapping[str, str]] = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "chat.postEphemeral": "chat:write",
    "assistant.threads.setStatus": "chat:write",
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "files.delete": "files:write",
    "files.info": "files:read",
    "users.info": "users:read",
    "team.info": "team:read",
    "conversations.open": "im:write",
    "conversations.join": "channels:join",
    "users.list": "users:read",
    "bots.info": "users:read",
    "reactions.get": "reactions:read",
}
_BY_KIND: Final = {
    "conversations.history": limits.HISTORY,
    "conversations.replies": limits.HISTORY,
    "conversations.info": methods_looking.READ,
    "conversations.members": methods_looking.READ,
}
_JSON_PARAMS: Final = frozenset({"blocks", "metadata", "files", "attachments", "view"})


async def answer(state: "State", method: str, params: Mapping[str, Any], token: str | None) -> ApiAnswer:
    """One call, from the token to the record in `calls`. Raises Dropped when a fault cuts the connection."""
    given = dict(params)
    token = given.pop("token", None) or token
    fault = take_fault(state, method, given)
    if fault is None:
        return _record(state, method, given, await _answer(state, method, given, token))
    if fault.delay_s:
        await state.sleep(fault.delay_s)
    if fault.drop == "before":
        _record(state, method, given, ApiAnswer(0, {"ok": False, "error": "dropped_before"}))
        raise Dropped(method)
    if fault.first is not None:
        await fault.first(state, given)
    if not fault.answers or fault.done:
        made = await _answer(state, method, given, token)
    if fault.drop == "after":
        _record(state, method, given, ApiAnswer(0, {"ok": False, "error": "dropped_after"}))
        raise Dropped(method)
    return _record(state, method, given, _spoken(fault) if fault.answers else made)


def _spoken(fault: Fault) -> ApiAnswer:
    """What a fault answers in place of the method."""
    body = fault.body if fault.body is not None else {"ok": False, "error": fault.error or "fatal_error"}
    return ApiAnswer(fault.status, body, fault.headers, fault.page)


def take_fault(state: "State", method: str, params: Json) -> Fault | None:
    """The next fault that fits this call, from the list (where it is used up once it has happened `times`
    times) or by the plan."""
    for fault in state.faults:
        if fault.method in (method, "*") and (fault.when is None or fault.when(params)):
            fault.times -= 1
            if fault.times <= 0:
                state.faults.remove(fault)
            return fault
    met = state.fault_plan.take("slack", method, state.now(), pointless=pointless(state, method, params))
    return None if met is None else fault_of(met)


async def _answer(state: "State", method: str, params: Json, token: object) -> ApiAnswer:
    headers = {"x-oauth-scopes": ",".join(sorted(state.scopes))}
    try:
        if method not in METHODS:
            raise ApiError("unknown_method", req_method=method)
        _check_token(state, method, token)
        decoded = _decoded(params)
        _check_scope(state, method, decoded)
        if state.rate_limits and (
            wait := state.limiter.wait_s(method, str(params.get("channel")), state.now())
        ):
            body = {"ok": False, "error": "ratelimited"}
            return ApiAnswer(429, body, {**headers, "Retry-After": str(wait)})
        return ApiAnswer(200, copy.deepcopy({"ok": True, **await METHODS[method](state, decoded)}), headers)
    except ApiError as refusal:
        return ApiAnswer(200, {"ok": False, "error": refusal.code, **refusal.extra}, headers)


def _record(state: "State", method: str, params: Json, made: ApiAnswer) -> ApiAnswer:
    error = None if made.ok else str(made.body.get("error", f"http {made.status}"))
    state.calls.append(CallRecord(method, recorded(params), error, made.status, state.now()))
    state.changed({"kind": "call", "method": method, "error": error})
    return made


def _check_token(state: "State", method: str, token: object) -> None:
    if not token:
        raise ApiError("not_authed")
    wanted = state.app_token if method == "apps.connections.open" else state.bot_token
    if token not in (state.app_token, state.bot_token):
        raise ApiError("invalid_auth")
    if not state.installed and token == state.bot_token:
        raise ApiError("account_inactive")
    if state.token_revoked and token == state.bot_token:
        raise ApiError("token_revoked")
    if token != wanted:
        raise ApiError("not_allowed_token_type")


def _check_scope(state: "State", method: str, params: Json) -> None:
    needed = SCOPES.get(method)
    if method in _BY_KIND:
        room = state.channels.get(str(params.get("channel")))
        needed = _BY_KIND[method][room.kind if room else "channel"]
    if method == "conversations.list":
        wanted = [methods_looking.READ[kind] for kind in methods_looking.kinds_of(params)]
        needed = next((scope for scope in wanted if scope not in state.scopes), wanted[0])
    if needed and needed not in state.scopes:
        raise ApiError("missing_scope", needed=needed, provided=",".join(sorted(state.scopes)))


def _decoded(params: Json) -> Json:
    """Forms carry JSON inside strings; None is as good as absent."""
    made: Json = {}
    for key, value in params.items():
        if value is None:
            continue
        if key in _JSON_PARAMS and isinstance(value, str):
            try:
                value = read_json(value)
            except ValueError:
                code = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format"}
                raise ApiError(code.get(key, "invalid_arguments")) from None
        made[key] = value
    return made
