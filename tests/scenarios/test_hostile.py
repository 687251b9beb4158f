"""Whatever is typed gets a clear answer or is escaped; nothing crashes, and nobody else is notified."""

from __future__ import annotations

import pytest

from tests.scenarios.story import Town, picture

REFUSED = [
    ("--size 1x1 a fox", ("size",)),
    ("--size 99999x99999 a fox", ("size",)),
    ("a fox --quality", ("quality", "low")),
    ("a fox --quality splendid", ("quality", "medium")),
    ("a fox --model dall-e-3", ("dall-e-3",)),
    ("a fox --format webp", ("png", "jpeg")),
    ("a fox --colour red", ("colour",)),
    ("a fox --ar 9", ("ar",)),
    ("x" * 39_000, ("32,000",)),
]

ECHOED = [
    "a fox <!channel> and <!here>",
    "a fox &lt;!channel&gt; &amp; <b>bold</b><script>alert(1)</script>",
    "🦊🦊🦊 ❄️",
    "ثعلب أحمر في الثلج",
    "\u201ca fox\u201d said \u2018hello\u2019",
    "a `fox` *in* _snow_ ~now~ :fox:",
    "word " * 700,
]


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[text[:24] for text, _ in REFUSED])
async def test_a_bad_option_is_explained_and_buys_nothing(
    town: Town, text: str, words: tuple[str, ...]
) -> None:
    seen = await town.alice.types(f"/imagine {text}")
    await town.rests()
    answer = seen.text or " ".join(town.alice.private())
    for word in words:
        assert word in answer
    assert len(answer) <= 4_000
    assert town.calls == []
    assert town.ledger.turns() == []
    assert town.messages() == []


@pytest.mark.parametrize("text", ["", "   \t  "])
async def test_nothing_opens_the_dialog_and_buys_nothing(town: Town, text: str) -> None:
    seen = await town.alice.types(f"/imagine {text}")
    view = await town.alice.dialog("new_picture")
    assert seen.text == ""
    assert view["title"]["text"]
    await town.rests()
    assert town.calls == []
    assert town.ledger.turns() == []
    assert town.messages() == []


@pytest.mark.parametrize("text", ["help", "HELP"])
async def test_help_shows_how_to_use_it(town: Town, text: str) -> None:
    seen = await town.alice.types(f"/imagine {text}")
    assert "--size" in seen.text
    assert "--quality" in seen.text
    await town.rests()
    assert town.ledger.turns() == []


@pytest.mark.parametrize("prompt", ECHOED)
async def test_what_is_echoed_is_escaped_and_notifies_only_the_asker(town: Town, prompt: str) -> None:
    thread = await town.alice.imagines(prompt)
    await thread.shows(picture(version=1))
    await town.rests()
    assert {notification.user for notification in town.workspace.notifications} <= {town.alice.id}
    for message in thread.messages:
        assert "<!channel>" not in message.text
        assert "<!here>" not in str(message.blocks)


async def test_signs_that_would_call_everybody_stay_signs_wherever_they_are_shown(town: Town) -> None:
    """Slack sends what was typed sign by sign as entities: shown unescaped, it would notify."""
    seen = await town.alice.types("/imagine help")
    typed = f"a fox &lt;!channel&gt; &lt;@{town.bob.id}&gt; &lt;!here&gt; &lt;http://evil.example|home&gt;"
    await town.workspace.redeliver({**seen.payload, "text": typed, "trigger_id": "1.2.typed"})
    await town.workspace.until(lambda _: len(town.messages()) == 2 or None)
    await town.rests()
    root, answer = town.messages()
    thread = await town.thread_of(root.ts)
    await town.alice.chooses(answer, "Details")
    await town.rests()
    assert town.ledger.rows("SELECT prompt FROM turns")[0]["prompt"].startswith("a fox <!channel>")
    assert "&lt;!channel&gt;" in root.text
    assert {notification.user for notification in town.workspace.notifications} == {town.alice.id}
    shown = [f"{each.text} {each.blocks}" for each in thread.messages]
    shown += [f"{each.text} {each.blocks}" for each in town.workspace.ephemerals_for(town.alice.id)]
    for sign in ("<!channel>", f"<@{town.bob.id}>", "<!here>", "<http://evil"):
        assert not [text for text in shown if sign in text]


async def test_a_mention_of_somebody_in_a_prompt_does_not_notify_them(town: Town) -> None:
    thread = await town.alice.imagines("a portrait of @bob")
    await thread.shows(picture(version=1))
    await town.rests()
    assert {notification.user for notification in town.workspace.notifications} == {town.alice.id}


async def test_the_longest_prompt_is_made_and_every_message_keeps_slacks_limits(town: Town) -> None:
    prompt = "ü" * 32_000
    thread = await town.alice.imagines(prompt)
    await thread.shows(picture(version=1))
    await town.rests()
    assert prompt in str(town.calls[0].body["input"])
    await town.alice.chooses(thread.pictures[0], "Details")
    await town.rests()
    assert not [call for call in town.workspace.calls if call.error]
