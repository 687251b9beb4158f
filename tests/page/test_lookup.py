"""Menus whose choices come from the app while somebody types, in a message and in a modal, by keyboard."""

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from sandbox.slack.model import Shortcut
from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.page.conftest import Bot, OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Json = dict[str, Any]
EVIL = "<img src=x onerror='window.ran=1'>"
STYLES = ("Watercolour", "Water ink", "Oil", EVIL)


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(name: str) -> Json:
    return {"text": plain(name), "value": name.lower()[:20]}


MENU = {"type": "external_select", "action_id": "style", "placeholder": plain("A style")}
FIELD = {
    "action_id": "styles",
    "type": "multi_external_select",
    "min_query_length": 1,
    "max_selected_items": 2,
}
MODAL = {
    "type": "modal",
    "title": plain("New picture"),
    "submit": plain("Make it"),
    "blocks": [
        {
            "type": "input",
            "block_id": "wet",
            "label": plain("Styles"),
            "element": {**FIELD, "initial_options": [option("Oil")]},
        }
    ],
}


class Stylist(Bot):
    """An app that knows a few styles, in two groups when a view asks, and nothing about chalk."""

    async def send(self, message: Json) -> None:
        payload = message.get("payload", {})
        self.answer = self.offered(payload) if payload.get("type") == "block_suggestion" else None
        await super().send(message)

    def offered(self, payload: Json) -> Json:
        if payload["value"] == "broken":
            return {"options": "broken"}
        fitting = [option(name) for name in STYLES if payload["value"].lower() in name.lower()]
        if payload["container"]["type"] == "message":
            return {"options": fitting}
        return {"option_groups": [{"label": plain("Wet"), "options": fitting}] if fitting else []}

    def asked(self) -> list[str]:
        """What was typed, of each time that it was asked."""
        interactive = self.payloads("interactive")
        return [each["value"] for each in interactive if each["type"] == "block_suggestion"]

    def last(self) -> Json:
        """What was pressed or sent off last; of the type "nothing" while that is still to come."""
        sent = [each for each in self.payloads("interactive") if each["type"] != "block_suggestion"]
        return sent[-1] if sent else {"type": "nothing"}


@pytest_asyncio.fixture(loop_scope="session")
async def stylist(workspace: Workspace) -> Stylist:
    made = Stylist(workspace)
    workspace.shortcuts = (Shortcut("new", "New picture", "global"),)
    await workspace.attach(made.send)
    return made


async def marked(page: Page) -> str | None:
    """The text of the choice that a screen reader is told of."""
    found: str | None = await page.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))?.textContent"
    )
    return found


async def test_in_a_message_the_choices_come_while_somebody_types(
    stylist: Stylist, server: RunningServer, browser_page: OpenPage
) -> None:
    await stylist.say("which?", blocks=[{"type": "actions", "elements": [MENU]}])
    page = await browser_page(server.url)
    menu = page.get_by_role("combobox", name="A style")
    await menu.focus()
    await page.keyboard.type("wa")
    await expect(page.get_by_text("Type at least 3 characters")).to_be_visible()
    await page.keyboard.type("te")
    choices = page.get_by_role("listbox", name="A style").get_by_role("option")
    await expect(choices).to_have_text(["Watercolour", "Water ink"])
    assert stylist.asked()[-1] == "wate"
    await menu.fill("img src")
    await expect(choices).to_have_text([EVIL])
    await menu.fill("broken")
    await expect(page.get_by_text("The app's choices cannot be read")).to_be_visible()
    await menu.fill("chalk")
    await expect(page.get_by_text("Nothing found")).to_be_visible()
    await menu.fill("water")
    await expect(choices).to_have_count(2)
    await page.keyboard.press("ArrowUp")
    assert await marked(page) == "Water ink"
    await page.keyboard.press("Enter")
    await stylist.workspace.until(lambda w: stylist.last()["type"] == "block_actions")
    assert stylist.last()["actions"][0]["selected_option"] == option("Water ink")
    await expect(choices).to_have_count(0)
    await expect(menu).to_have_value("Water ink")
    await menu.fill("wat")
    await expect(choices).to_have_count(2)
    await page.keyboard.press("Escape")
    await expect(choices).to_have_count(0)
    await expect(menu).to_have_value("Water ink")
    assert await page.evaluate("window.ran") is None


@pytest.mark.proof
async def test_in_a_modal_several_are_chosen_kept_and_sent(
    workspace: Workspace, stylist: Stylist, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url, width=390, height=700, touch=True, scheme="dark")
    seen = await workspace.use_shortcut("alice", "new", channel="#design")
    made = await stylist.call("views.open", trigger_id=seen.payload["trigger_id"], view=MODAL)
    dialog = page.get_by_role("dialog", name="New picture")
    menu = dialog.get_by_role("combobox", name="Styles")
    chosen = dialog.get_by_role("list", name="Chosen").get_by_role("listitem")
    await expect(chosen).to_have_text(["Oil"])
    await menu.fill("wat")
    group = dialog.get_by_role("group", name="Wet")
    await expect(group.get_by_role("option")).to_have_text(["Watercolour", "Water ink"])
    await group.get_by_role("option", name="Watercolour").tap()
    await expect(chosen).to_have_text(["Oil", "Watercolour"])
    await expect(menu).to_be_focused()
    await menu.fill("ink")
    await group.get_by_role("option").tap()
    await expect(dialog.get_by_text("At most 2 can be chosen")).to_be_visible()
    await menu.fill("in")
    again = {**MODAL, "blocks": [*MODAL["blocks"], {"type": "section", "text": plain("Nearly")}]}
    await stylist.call("views.update", view_id=made["view"]["id"], view=again)
    await expect(dialog.get_by_text("Nearly")).to_be_visible()
    await expect(menu).to_have_value("in")
    await dialog.get_by_role("button", name="Leave out Oil").tap()
    await expect(chosen).to_have_text(["Watercolour"])
    await menu.fill("ink")
    await expect(group.get_by_role("option")).to_have_text(["Water ink"])
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_visible()
    await menu.fill("ink")
    await expect(group.get_by_role("option")).to_have_text(["Water ink"])
    await page.keyboard.press("Enter")
    await dialog.get_by_role("button", name="Make it").tap()
    await workspace.until(lambda w: stylist.last()["type"] == "view_submission")
    held = stylist.last()["view"]["state"]["values"]["wet"]["styles"]
    assert held["selected_options"] == [option("Watercolour"), option("Water ink")]
    await expect(dialog).to_be_hidden()
