"""The probes of ``doctor --live``, one after the other: each finding says what was seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.doctor.finding import Finding, Grade
from bot.doctor.live_calls import Call, Purse, Trials
from bot.doctor.live_tokens import token_finding
from bot.doctor.live_words import TELL, of_background, of_picture, of_shutdown, why
from bot.doctor.probes import LIVE
from darkroom.clock import Clock
from darkroom.rendering.job import Answer, Billed, Blobs, Failure, FailureKind
from darkroom.rendering.probing import Background, Prober
from darkroom.rendering.provider import Provider
from darkroom.rendering.renderer import EndpointRenderer

UNKNOWN_ID = f"resp_{'0' * 48}"
"""The form of an id, and nobody's."""
NO_ROOM = "what is left of the limit does not cover it"
_POINTLESS = frozenset({FailureKind.KEY, FailureKind.QUOTA, FailureKind.REGION, FailureKind.UNREACHABLE})
"""After these every other call would be refused as well."""


class LiveProbes:
    """All of them, by one provider, which stays the caller's. Pictures go to *blobs*."""

    def __init__(self, trials: Trials, purse: Purse, provider: Provider, blobs: Blobs, clock: Clock) -> None:
        self._trials = trials
        self._purse = purse
        self._renderer = EndpointRenderer(provider, blobs, clock)
        self._prober = Prober(provider, clock)
        self._clock = clock
        self._kept: list[str] = []
        """Responses that the API keeps until they are deleted."""
        self._found: list[Finding] = []
        self._ended: Failure | None = None

    async def run(self, say: Callable[[str], None]) -> list[Finding]:
        """Each probe of ``probes.LIVE`` but the last, in its order; what could not be looked at is a
        ``SKIP``."""
        responses = await self._picture("live.responses", self._trials.responses, say)
        images = await self._picture("live.images", self._trials.images, say)
        answers = [(self._trials.responses, responses), (self._trials.images, images)]
        made = [(call, answer) for call, answer in answers if answer is not None and answer.picture]
        self._put(token_finding([(call, answer, self._trials) for call, answer in made]))
        self._headers([answer for _, answer in answers if answer is not None])
        say("Asking what the API keeps of it.")
        await self._kept_response(responses)
        await self._unknown()
        await self._forgotten(responses, say)
        await self._background(say)
        await self._shutdown()
        order = list(LIVE)
        return sorted(self._found, key=lambda finding: order.index(finding.check))

    async def tidy(self) -> list[str]:
        """Have what is stored at the API deleted; gives the ids of what could not be."""
        left = [each for each in self._kept if not await self._renderer.forget(each)]
        self._kept = []
        return left

    async def _picture(self, check: str, call: Call, say: Callable[[str], None]) -> Answer | None:
        """One picture, made as the bot makes it; None if it was not even asked for."""
        if self._ended is not None:
            self._skip(check, f"after {why(self._ended)} nothing else was asked for")
            return None
        if not self._purse.has(call.bound_nano_usd):
            self._skip(check, NO_ROOM)
            return None
        say(f"Asking for {LIVE[check]}.")
        answer, took = await self._made(call)
        self._put(of_picture(check, call, answer, took, self._trials))
        return answer

    async def _made(self, call: Call) -> tuple[Answer, float]:
        """The answer to a call, and after how many seconds. The purse has what it cost."""
        began = self._clock.monotonic()
        self._purse.begin(call)
        answer = await self._renderer.render(call.job, self._seen)
        if answer.response_id is not None:
            self._keep(answer.response_id)
        self._purse.settle(call, self._trials.cost(call, answer))
        failure = answer.failure
        if failure is not None and failure.kind in _POINTLESS and failure.billed is Billed.NOTHING:
            self._ended = failure
        return answer, self._clock.monotonic() - began

    def _headers(self, answers: list[Answer]) -> None:
        check = "live.headers"
        if not answers:
            return self._skip(check, "nothing was answered")
        names = {name: value for answer in answers for name, value in answer.headers.items()}
        if not names:
            said = "no x-ratelimit header came: how fast the API may be called is only learned from refusals"
            return self._put(Finding(check, Grade.WARN, said))
        listed = ", ".join(f"{name}: {value}" for name, value in sorted(names.items()))
        unit = "images" if "x-ratelimit-limit-images" in names else "requests"
        if f"x-ratelimit-limit-{unit}" in names:
            return self._put(Finding(check, Grade.PASS, f"{listed}; the bot counts {unit} by them"))
        said = f"{listed}; none of them says how many pictures or requests a minute may have"
        return self._put(Finding(check, Grade.WARN, said, TELL))

    async def _kept_response(self, answer: Answer | None) -> None:
        """Is the response there afterwards, with all that a bot which died in between would need?"""
        if answer is None or answer.response_id is None or answer.picture is None:
            self._skip("live.identifier", "no picture came by the Responses endpoint")
            return self._skip("live.stored", "no picture came by the Responses endpoint")
        stored = await self._prober.stored(answer.response_id)
        if stored.failure is not None:
            said = f"the picture was made with one; whether it is named is not known: {why(stored.failure)}"
            self._put(Finding("live.identifier", Grade.PASS, said))
        else:
            same = stored.identifier == self._trials.responses.job.safety_identifier
            said = "it is taken, and named in the stored response" if same else "it is taken"
            said += "" if same else f", and named there as {stored.identifier or 'nothing'}"
            self._put(Finding("live.identifier", Grade.PASS, said))
        again = await self._renderer.ask(self._trials.responses.job, answer.response_id)
        if not isinstance(again, Answer):
            said = f"it cannot be asked for afterwards ({again}): a bot that died meanwhile loses the picture"
            return self._put(Finding("live.stored", Grade.WARN, said, TELL))
        same_picture = again.picture is not None and again.picture.sha256 == answer.picture.sha256
        usage = again.host_usage is not None and again.image_usage is not None
        said = f"{'the same' if same_picture else 'not the same'} picture comes back, "
        said += "with its usage" if usage else "without all of its usage"
        good = same_picture and usage
        return self._put(
            Finding("live.stored", Grade.PASS if good else Grade.WARN, said, "" if good else TELL)
        )

    async def _unknown(self) -> None:
        check = "live.unknown"
        if self._ended is not None:
            return self._skip(check, f"after {why(self._ended)} nothing else was asked for")
        stored = await self._prober.stored(UNKNOWN_ID)
        if stored.failure is None:
            said = "a response that never was is answered with one"
            return self._put(Finding(check, Grade.WARN, said, TELL))
        answer = await self._renderer.ask(self._trials.responses.job, UNKNOWN_ID)
        if isinstance(answer, Answer):
            said = f"the API does not know it ({why(stored.failure)}), and the bot understands that"
            return self._put(Finding(check, Grade.PASS, said))
        said = f"it says {why(stored.failure)}, from which the bot cannot tell that there is no such response"
        return self._put(Finding(check, Grade.WARN, said, TELL))

    async def _forgotten(self, first: Answer | None, say: Callable[[str], None]) -> None:
        """Delete the first response and go on from it: the call should be refused, and cost nothing."""
        check = "live.forgotten"
        if first is None or first.response_id is None or self._ended is not None:
            return self._skip(check, "there is no response that could be deleted")
        if not await self._renderer.forget(first.response_id):
            return self._skip(check, f"the response {first.response_id} could not be deleted")
        self._kept.remove(first.response_id)
        planned = self._trials.responses
        if not self._purse.has(planned.bound_nano_usd):
            return self._skip(check, NO_ROOM)
        say("Going on from a response that was just deleted.")
        job = replace(planned.job, attempt_id="doctor-forgotten", previous_response_id=first.response_id)
        answer, _ = await self._made(replace(planned, job=job))
        if answer.failure is None:
            said = "a deleted response can still be gone on from"
            return self._put(Finding(check, Grade.WARN, said, TELL))
        if answer.failure.kind is FailureKind.FORGOTTEN:
            said = f"refused with {why(answer.failure)}; the bot sends the saved picture instead"
            return self._put(Finding(check, Grade.PASS, said))
        said = f"refused with {why(answer.failure)}, which the bot takes for {answer.failure.kind}"
        return self._put(Finding(check, Grade.WARN, said, TELL))

    async def _background(self, say: Callable[[str], None]) -> None:
        planned = self._trials.responses
        room = self._purse.has(planned.bound_nano_usd)
        if self._ended is not None or not room:
            because = f"not tried after {why(self._ended)}" if self._ended else NO_ROOM
            self._skip("live.moderation", because)
            return self._skip("live.background", because)
        say("Trying background mode, with the parameter moderation; this may take two minutes.")
        job = replace(planned.job, attempt_id="doctor-background")
        self._purse.begin(planned)
        found = await self._prober.background(job, self._keep)
        self._purse.settle(planned, self._background_cost(planned, found))
        self._moderation(found)
        return self._put(of_background(found))

    def _background_cost(self, planned: Call, found: Background) -> int | None:
        """Nano-dollars; None where nothing says what it was."""
        end = found.end
        if found.refused is not None:
            return 0 if found.refused.billed is Billed.NOTHING else None
        if end is None or end.host_usage is None or end.image_usage is None:
            return None
        answer = Answer(
            image_model=end.image_model,
            host_model=end.host_model,
            host_usage=end.host_usage,
            image_usage=end.image_usage,
        )
        return self._trials.cost(planned, answer)

    def _moderation(self, found: Background) -> None:
        check = "live.moderation"
        if found.moderation_refused is not None:
            said = f"the tool refuses it: {why(found.moderation_refused)}"
            return self._put(Finding(check, Grade.WARN, said))
        if found.moderation_taken:
            return self._put(Finding(check, Grade.PASS, "the tool takes it; the bot does not send it"))
        return self._skip(check, "the call that would have shown it was refused for something else")

    async def _shutdown(self) -> None:
        check, said, odd = "live.shutdown", [], False
        asked = self._trials.responses.job.candidate
        for name, listed in (
            (asked.image_model, self._trials.model.shutdown_date),
            (asked.host_model, self._trials.catalogue.host(asked.host_model).shutdown_date),
        ):
            seen = await self._prober.shutdown(name)
            odd = odd or seen.failure is not None or seen.day != listed
            said.append(f"{name}: {of_shutdown(seen)}, {listed or 'none'} in the catalogue")
        self._put(Finding(check, Grade.WARN if odd else Grade.PASS, "; ".join(said)))

    async def _seen(self, response_id: str) -> None:
        self._keep(response_id)

    def _keep(self, response_id: str) -> None:
        if response_id not in self._kept:
            self._kept.append(response_id)

    def _put(self, finding: Finding) -> None:
        self._found.append(finding)

    def _skip(self, check: str, why: str) -> None:
        self._put(Finding(check, Grade.SKIP, why))
