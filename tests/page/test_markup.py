"""Slack's markup as the page draws it, one notation for each case."""

import pytest
from playwright.async_api import Page

from sandbox.slack.server import RunningServer
from tests.page.conftest import Bot, OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CASES = [
    ("*bold* _italic_ ~gone~ `code`", "<b>bold</b> <i>italic</i> <s>gone</s> <code>code</code>"),
    ("*bold _and italic_*", "<b>bold <i>and italic</i></b>"),
    ("2*3*4 snake_case_name a~b~c", "2*3*4 snake_case_name a~b~c"),
    ("* no* *no * ** __", "* no* *no * ** __"),
    ("*a _b *c d_ ~e\n~f~ *g*", "*a <i>b *c d</i> ~e|<s>f</s> <b>g</b>"),
    ("*over\nlines*", "*over|lines*"),
    ("(*x*), *y*!", "(<b>x</b>), <b>y</b>!"),
    ("`*not bold* &amp; <@U0BOB00001>`", "<code>*not bold* & @Bob Brown</code>"),
    ("a\n```\n*x*\n  y\n```\nb", "a<pre>*x*|  y</pre>b"),
    ("&gt; said\n&gt; twice\nanswer", "<q>said|twice</q>answer"),
    ("&gt;&gt;&gt; all\nof it", "<q>all|of it</q>"),
    ("&lt;b&gt; &amp;lt; &amp;amp;", "<b> &lt; &amp;"),
    ("<https://example.com/?a=1&amp;b=2|here>", "<a https://example.com/?a=1&b=2>here</a>"),
    ("see https://example.com/x.", "see <a https://example.com/x>https://example.com/x</a>."),
    ("<mailto:a@example.com>", "<a mailto:a@example.com>a@example.com</a>"),
    ("<javascript:alert(1)|bad> <file:///etc/passwd|file>", "bad file"),
    ("<@U0BOB00001> <@U0NOBODY01|nobody> <#C0GENERAL1>", "@Bob Brown @nobody #general"),
    ("<!channel> <!here> <!subteam^S1|@crew>", "@channel @here @crew"),
    ("<!date^1795000000^{date}|1 January>", "1 January"),
    (":tada: :no_such_thing: 10:30:45", "🎉 :no_such_thing: 10:30:45"),
    ("a < b > c", "a < b > c"),
]

SPELL = """async (texts) => {
  const { mrkdwn } = await import('/page/mrkdwn.js');
  const state = await (await fetch('/control/state?viewer=U0ALICE001')).json();
  const world = { viewer: state.viewer, files: {},
    users: new Map(state.users.map((u) => [u.id, u])), rooms: new Map(state.channels.map((c) => [c.id, c])) };
  const names = { STRONG: 'b', EM: 'i', S: 's', CODE: 'code', PRE: 'pre', BLOCKQUOTE: 'q' };
  const spell = (node) => {
    if (node.nodeType === 3) return node.data.replaceAll('\\n', '|');
    if (node.tagName === 'BR') return '|';
    const inside = [...node.childNodes].map(spell).join('');
    if (node.tagName === 'A') return `<a ${node.getAttribute('href')}>${inside}</a>`;
    if (node.tagName === 'CODE' && node.parentNode?.tagName === 'PRE') return inside;
    const name = names[node.tagName];
    return name ? `<${name}>${inside}</${name}>` : inside;
  };
  return texts.map((text) => mrkdwn(text, world).map(spell).join(''));
}"""


async def spelled(page: Page, texts: list[str]) -> list[str]:
    result: list[str] = await page.evaluate(SPELL, texts)
    return result


async def test_each_notation_is_drawn_as_slack_draws_it(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    drawn = await spelled(page, [text for text, _ in CASES])
    assert dict(zip([text for text, _ in CASES], drawn, strict=True)) == dict(CASES)


@pytest.mark.proof
@pytest.mark.timeout(30)
async def test_a_long_text_of_marks_is_drawn_in_time(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    for mark in ("*a", "*_~", "<", "`", "``` ", ":a", "h", "&gt;", "*<a>", "_`"):
        text = mark * (40_000 // len(mark))
        assert all(await spelled(page, [text, text + "\n" + text]))


LOOKS = """async (texts) => {
  const { mrkdwn } = await import('/page/mrkdwn.js');
  const world = { viewer: { id: '' }, files: {}, users: new Map(), rooms: new Map() };
  const exec = RegExp.prototype.exec;
  let looks = 0;
  RegExp.prototype.exec = function (text) { looks += 1; return exec.call(this, text); };
  const each = texts.map((text) => { looks = 0; mrkdwn(text, world); return looks / text.length; });
  RegExp.prototype.exec = exec;
  return each;
}"""


async def test_marks_that_nobody_closes_are_looked_for_once(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    texts = [mark * (12_000 // len(mark)) for mark in ("*a <", "*a ", "*a _b ~c ", " *a `", " *<a>")]
    texts += ["*a _b " * 400 + "c*", "*a _b ~c " * 100 + "d~ e_ f*"]
    looks: list[float] = await page.evaluate(LOOKS, texts)
    assert max(looks) < 40, "patterns tried, a character"
