"""Links in a kept demo lead to where it is now."""

from __future__ import annotations

from bot.cli.demo_addresses import readdress
from sandbox.slack.workspace import Workspace

DESIGN = "C0DESIGN01"


async def test_links_lead_to_where_slack_listens_now_and_nothing_else_is_changed() -> None:
    before, here = "http://127.0.0.1:80", "http://127.0.0.1:4711"
    workspace = Workspace(base_url=here)
    link = f"<{before}/archives/C1/p1|the picture>"
    said = await workspace.post("alice", DESIGN, link)
    said.blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"{link} and {before}80/x"}}]
    workspace.homes["U1"] = {"blocks": [{"url": f"{before}/"}], "state": None, "count": 1}
    readdress(workspace, before)
    now = link.replace(before, here)
    assert (said.text, said.blocks[0]["text"]["text"]) == (now, f"{now} and {before}80/x")
    assert workspace.homes["U1"] == {"blocks": [{"url": f"{here}/"}], "state": None, "count": 1}
    readdress(workspace, "")
    assert said.text == now
