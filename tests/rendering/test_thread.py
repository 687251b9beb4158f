"""The render thread: calls go there and come back, and none is lost on the way."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading

import pytest

from darkroom.rendering.access import Access, ModelSeen
from darkroom.rendering.job import Answer, Billed, NoWord, RenderJob, ResponseIdSeen
from darkroom.rendering.thread import CannotRender, RenderThread, tune_process
from tests.rendering.support import JOB, nobody


class Slow:
    """A renderer that waits until it is let go; made and used on the other thread."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.ended: list[str] = []
        self.closed = False
        self.warmed_by = ""

    def warm(self) -> None:
        """Remember where."""
        self.warmed_by = threading.current_thread().name

    async def ready(self) -> None:
        """It is, from the beginning."""

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """Report, wait, answer."""
        await response_id_seen("resp_1")
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        self.ended.append("answered")
        return Answer(response_id="resp_1")

    async def ask(self, job: RenderJob, response_id: str) -> Answer | NoWord:
        """Fails as a broken disk would."""
        raise OSError("disk full")

    async def forget(self, response_id: str) -> bool:
        """Says which thread it was asked on."""
        return threading.current_thread().name == "darkroom-render"

    async def look_up(self, model: str) -> ModelSeen:
        """Says which thread it was asked on."""
        return ModelSeen(model, Access.LISTED, message=threading.current_thread().name)

    async def aclose(self) -> None:
        """Remember."""
        self.closed = True

    def let_go(self) -> None:
        """From any thread."""
        self.loop.call_soon_threadsafe(self.go.set)


class Running:
    """A started thread and the renderer on it."""

    def __init__(self) -> None:
        self.made: list[Slow] = []
        self.thread = RenderThread(self.make)

    def make(self) -> Slow:
        """What the thread calls."""
        self.made.append(Slow())
        return self.made[0]

    @property
    def slow(self) -> Slow:
        """The one renderer."""
        return self.made[0]


async def test_the_renderer_is_made_and_warmed_on_the_other_thread() -> None:
    """Its client belongs to that thread's loop."""
    running = Running()
    await running.thread.start()
    assert running.slow.warmed_by == ""
    await running.thread.warm()
    assert running.slow.warmed_by == "darkroom-render"
    assert running.slow.loop is not asyncio.get_running_loop()
    await running.thread.aclose()
    assert running.slow.closed
    assert "darkroom-render" not in [thread.name for thread in threading.enumerate()]


async def test_a_call_waits_until_the_thread_that_has_begun_is_ready_for_it() -> None:
    """Loading the client takes a while, and nobody who wants to be heard waits for that."""
    running, may = Running(), threading.Event()

    def slowly() -> Slow:
        may.wait()
        return running.make()

    thread = RenderThread(slowly)
    thread.begin()
    call, ready = asyncio.create_task(thread.render(JOB, nobody)), asyncio.create_task(thread.ready())
    await asyncio.sleep(0)
    assert not running.made
    assert not ready.done()
    may.set()
    await ready
    assert running.made
    await thread.warm()
    running.slow.let_go()
    assert (await call).response_id == "resp_1"
    await thread.aclose()


async def test_a_call_before_the_thread_has_begun_waits_for_it() -> None:
    """Slack is heard some moments earlier, and somebody may be quick."""
    running = Running()
    call = asyncio.create_task(running.thread.forget("resp_1"))
    await asyncio.sleep(0)
    running.thread.begin()
    assert await call
    await running.thread.aclose()


async def test_who_waits_for_a_thread_that_never_begins_is_cancelled() -> None:
    """As when Slack could not be reached after all."""
    running = Running()
    call = asyncio.create_task(running.thread.forget("resp_1"))
    await asyncio.sleep(0)
    await running.thread.aclose()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_nothing_was_sent_by_a_thread_that_cannot_work_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """So nothing is charged, and what was sent earlier can still be asked for at the next start."""

    def make() -> Slow:
        raise ValueError("no key")

    thread = RenderThread(make)
    thread.begin()
    for _ in range(2):
        await thread.ready()
        answer = await thread.render(JOB, nobody)
        assert answer.failure is not None
        assert (answer.failure.code, answer.failure.billed) == ("not_sent", Billed.NOTHING)
        assert await thread.ask(JOB, "resp_1") is NoWord.NOT_ASKED
    with pytest.raises(CannotRender) as cannot:
        await thread.warm()
    assert isinstance(cannot.value.__cause__, ValueError)
    assert caplog.text.count("the render thread broke") == 1
    await thread.aclose()


async def test_who_waits_while_a_thread_closes_that_was_just_ready_has_sent_nothing() -> None:
    """Its loop is about to end, and would lose the call."""
    running, may = Running(), threading.Event()

    def slowly() -> Slow:
        may.wait()
        return running.make()

    thread = RenderThread(slowly)
    thread.begin()
    call = asyncio.create_task(thread.render(JOB, nobody))
    await asyncio.sleep(0)
    closing = asyncio.create_task(thread.aclose())
    await asyncio.sleep(0)
    may.set()
    async with asyncio.timeout(5):
        await closing
        answer = await call
    assert answer.failure is not None
    assert answer.failure.billed is Billed.NOTHING


async def test_a_thread_without_a_loop_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where no more files can be opened."""

    def no_loop() -> asyncio.AbstractEventLoop:
        raise OSError(24, "Too many open files")

    running = Running()
    monkeypatch.setattr(asyncio, "new_event_loop", no_loop)
    monkeypatch.setattr(asyncio.events, "new_event_loop", no_loop)
    async with asyncio.timeout(5):
        with pytest.raises(CannotRender):
            await running.thread.start()
    await running.thread.aclose()


async def test_the_call_waits_until_the_response_id_is_written_down() -> None:
    """What the callback does happens before the stream is read on."""
    running = Running()
    await running.thread.start()
    running.slow.let_go()
    written = asyncio.Event()
    began = asyncio.Event()

    async def write(response_id: str) -> None:
        began.set()
        await written.wait()

    call = asyncio.create_task(running.thread.render(JOB, write))
    await began.wait()
    assert running.slow.ended == []
    written.set()
    assert (await call).response_id == "resp_1"
    await running.thread.aclose()


async def test_responses_are_forgotten_on_the_other_thread() -> None:
    """Its client belongs to that thread's loop."""
    running = Running()
    await running.thread.start()
    assert await running.thread.forget("resp_1")
    await running.thread.aclose()


async def test_what_the_callback_raises_reaches_the_caller() -> None:
    """A database that cannot write is not hidden."""
    running = Running()
    await running.thread.start()

    async def broken(response_id: str) -> None:
        raise OSError("cannot write")

    with pytest.raises(OSError, match="cannot write"):
        await running.thread.render(JOB, broken)
    with pytest.raises(OSError, match="disk full"):
        await running.thread.ask(JOB, "resp_1")
    await running.thread.aclose()


async def test_a_model_is_asked_about_on_the_other_thread() -> None:
    running = Running()
    await running.thread.start()
    assert (await running.thread.look_up("gpt-image-2")).message == "darkroom-render"
    await running.thread.aclose()


async def test_a_caller_that_is_cancelled_leaves_its_call_running(caplog: pytest.LogCaptureFixture) -> None:
    """It is paid for: it goes on to its end, and the log says so."""
    caplog.set_level(logging.INFO, "darkroom.rendering")
    running = Running()
    await running.thread.start()
    named = asyncio.Event()

    async def note(response_id: str) -> None:
        named.set()

    call = asyncio.create_task(running.thread.render(JOB, note))
    await named.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert "attempt_1" in caplog.text
    second = asyncio.create_task(running.thread.render(JOB, nobody))
    running.slow.let_go()
    await second
    assert running.slow.ended == ["answered", "answered"]
    await running.thread.aclose()


async def test_closing_ends_what_still_runs() -> None:
    """Within its time, and closing twice is as good as once."""
    running = Running()
    await running.thread.start()
    named = asyncio.Event()

    async def note(response_id: str) -> None:
        named.set()

    call = asyncio.create_task(running.thread.render(JOB, note))
    await named.wait()
    await running.thread.aclose()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert "answered" not in running.slow.ended
    assert running.slow.closed
    await running.thread.aclose()
    with pytest.raises(CannotRender):
        await running.thread.forget("resp_1")


async def test_what_keeps_it_from_starting_is_raised() -> None:
    """And no thread stays behind."""

    def make() -> Slow:
        raise ValueError("no key")

    thread = RenderThread(make)
    with pytest.raises(CannotRender):
        await thread.start()
    assert "darkroom-render" not in [thread.name for thread in threading.enumerate()]


def test_tuning_takes_what_is_loaded_out_of_collections_and_shortens_turns() -> None:
    """Both are what keeps a loop waiting beside a busy thread."""
    interval, frozen = sys.getswitchinterval(), gc.get_freeze_count()
    try:
        tune_process()
        assert gc.get_freeze_count() > frozen
        assert sys.getswitchinterval() == pytest.approx(0.001)
    finally:
        gc.unfreeze()
        sys.setswitchinterval(interval)


async def test_closing_what_was_never_started_does_nothing() -> None:
    """As when something else failed before it."""
    await Running().thread.aclose()
