"""The month before the demo begins: three people, what they made, and what it cost.

Nothing of it is shipped: the acts are played by the sandbox's people, and Darkroom answers them as it answers
everybody, with the clock jumping from day to day.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.app import Darkroom
from bot.cli.demo_clock import DemoClock
from bot.cli.demo_stage import Stage, Thread
from sandbox.images.api import ImageApi
from sandbox.images.painter import Order, paint
from sandbox.slack.workspace import Workspace

MONTH = timedelta(days=30)
"""The history begins so long before now."""
_SMALL = 2
"""The pictures of the weeks before are painted so many times smaller than asked for, which saves most of the
time; those of the thread that is open at first are not."""


async def play(workspace: Workspace, images: ImageApi, darkroom: Darkroom, clock: DemoClock) -> Thread:
    """Let a month pass on the clock, and then be in the present; gives the thread to begin with. No picture
    takes time meanwhile. Raises ``StageProblem``."""
    today = clock.now() + MONTH
    pace, scan = images.seconds_per_picture, workspace.file_processing_s
    images.seconds_per_picture = workspace.file_processing_s = 0.0
    images.painter = _painted_small
    stage = Stage(workspace, darkroom, clock, today)
    try:
        for act in ACTS:
            await act(stage)
            await stage.rests()
        images.painter = paint
        thread = await the_cover(stage)
        await stage.rests()
        return thread
    finally:
        images.seconds_per_picture, workspace.file_processing_s = pace, scan
        images.painter = paint
        clock.jump(max(today, datetime.now(UTC)))


def _painted_small(order: Order) -> bytes:
    return paint(replace(order, width=order.width // _SMALL, height=order.height // _SMALL))


async def the_welcome(stage: Stage) -> None:
    """Carol brings Darkroom along."""
    stage.at(29, "09:12")
    welcome = await stage.says(
        "carol",
        "general",
        "Good morning! Darkroom lives here now. Type `/imagine` and say what you want to see: the picture "
        "comes into a thread, and a reply there changes it. Its price stands under it.",
    )
    await stage.likes("alice", welcome, "tada")
    stage.at(29, "09:20")
    await stage.says("bob", welcome, "And who pays for my thousand cats?")
    stage.at(29, "09:21")
    await stage.says(
        "carol", welcome, "We do, up to ten dollars a person and month. `/spend` shows what is left of yours."
    )
    await stage.likes("bob", welcome, "heart_eyes_cat")


async def the_boat(stage: Stage) -> None:
    """A picture, and a change by a reply."""
    stage.at(26, "14:05")
    boat = await stage.imagines("alice", "design", "a white boat on the sea at sunset")
    stage.at(26, "14:08")
    await stage.edits("alice", boat, "add three birds", 2)
    await stage.likes("bob", boat, "heart", 2)
    stage.at(26, "14:15")
    await stage.says("bob", "design", "That boat could go on the landing page.")


async def the_dog(stage: Stage) -> None:
    """People talk beside it, and nobody pays for that."""
    stage.at(22, "16:40")
    dog = await stage.imagines("bob", "general", "a golden dog in a red car on a sunny day")
    stage.at(22, "16:43")
    await stage.says("alice", dog, "@bob that is the dog of the second floor!")
    await stage.says("bob", dog, "@alice he asked me not to say")
    await stage.likes("carol", dog, "dog", 1)


async def the_rocket(stage: Stage) -> None:
    """One in high quality, by a mention, and a better one."""
    stage.at(19, "11:26")
    rocket = await stage.mentions(
        "bob", "design", "a silver rocket over the mountains at night --quality high"
    )
    stage.at(19, "11:31")
    await stage.edits("bob", rocket, "add many stars", 2)
    await stage.likes("alice", rocket, "rocket", 2)


async def the_hat(stage: Stage) -> None:
    """Bob tries something in his direct messages, where nobody looks."""
    stage.at(16, "12:48")
    await stage.imagines("bob", "", "a grey cat with a purple hat --quality low")
    stage.at(16, "12:50")
    await stage.imagines("bob", "", "an orange cat with a golden hat --quality low")


async def the_invitations(stage: Stage) -> None:
    """Two at once, and one of them goes on."""
    stage.at(12, "10:02")
    party = await stage.says("carol", "general", "Who helps me with the invitations for the summer party?")
    await stage.likes("alice", party, "raised_hand")
    stage.at(12, "10:30")
    hills = await stage.imagines("alice", "general", "three balloons over green hills in the morning --n 2")
    stage.at(12, "10:34")
    await stage.edits("alice", hills, "make the balloons blue", 3)
    await stage.says("carol", hills, "@alice blue it is, thank you!")


async def the_robot(stage: Stage) -> None:
    """A wide one."""
    stage.at(8, "17:21")
    robot = await stage.imagines(
        "alice", "design", "a robot with a red flower in the desert --size 1536x1024"
    )
    await stage.likes("bob", robot, "robot_face", 1)


async def the_rabbit(stage: Stage) -> None:
    """Carol tries it too."""
    stage.at(4, "15:33")
    rabbit = await stage.imagines("carol", "design", "a white rabbit under a tree in the rain")
    stage.at(4, "15:36")
    await stage.edits("carol", rabbit, "give it a green hat", 2)
    await stage.likes("bob", rabbit, "rabbit", 2)
    stage.at(4, "15:40")
    await stage.says("alice", rabbit, "@carol I want one on my mug")


async def the_fish(stage: Stage) -> None:
    """The day before."""
    stage.at(1, "09:54")
    fish = await stage.imagines("bob", "general", "five orange fish in the sea")
    await stage.likes("alice", fish, "tropical_fish", 1)


ACTS: tuple[Callable[[Stage], Awaitable[None]], ...] = (
    the_welcome,
    the_boat,
    the_dog,
    the_rocket,
    the_hat,
    the_invitations,
    the_robot,
    the_rabbit,
    the_fish,
)
"""One after the other, each some days later."""


async def the_cover(stage: Stage) -> Thread:
    """The thread that is open at first: a branch, a variation, one that is shared, one that a cap stops."""
    stage.before(95)
    cover = await stage.imagines("alice", "design", "a small house by a lake in the mountains")
    stage.before(92)
    await stage.edits("alice", cover, "make it winter, with snow everywhere", 2)
    stage.before(88)
    await stage.chooses("alice", cover, 1, "Edit this one")
    await stage.rests()
    await stage.edits("alice", cover, "make it night, with a moon", 3)
    await stage.likes("carol", cover, "sparkles", 3)
    stage.before(80)
    await stage.varies("bob", cover, 3, 4)
    stage.before(74)
    await stage.types("carol", "general", "/spend cap @bob 0.20")
    await stage.rests()
    await stage.says("bob", cover, "add a golden fox --quality high")
    await stage.rests()
    await stage.asks_for_more("bob", "carol")
    stage.before(66)
    await stage.shares("alice", cover, 3, "general", "The cover for Friday. What do you think?")
    stage.before(61)
    await stage.says("carol", cover, "That is the one! Friday is saved.")
    return cover
