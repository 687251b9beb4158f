"""``darkroom manifest``: the Slack app's manifest, ready to paste."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import click

from bot.cli import Refused, flags_of, settings_for, settings_options

URL_MAX = 3_500
"""Characters of an address in a manifest (Slack's manifest schema)."""


@click.command("manifest")
@click.option(
    "--command-prefix", metavar="NAME", help="Instead of slack.command_prefix: test → /test-imagine."
)
@click.option(
    "--http",
    "http_url",
    metavar="URL",
    help="For HTTP mode: where Slack reaches Darkroom, https://…; without a path it gets slack.path.",
)
@click.option(
    "--mentions-only", is_flag=True, help="Ask for no scope that shows messages of channels (docs/scopes.md)."
)
@settings_options
def command(
    command_prefix: str | None,
    http_url: str | None,
    mentions_only: bool,
    config: Path | None,
    data_dir: Path | None,
    pairs: tuple[str, ...],
) -> None:
    """Print the manifest as JSON. Paste it at api.slack.com/apps → Create New App → From a manifest.

    The names of the commands, and how Slack reaches Darkroom, are those of the settings.
    """
    from handlers.manifest import build_manifest

    flags = flags_of(pairs, data_dir)
    if command_prefix is not None:
        flags["slack.command_prefix"] = command_prefix
    slack = settings_for(config, flags).slack
    if http_url is None and slack.mode == "http":
        raise Refused(
            "slack.mode is http: say where Slack reaches Darkroom, as in\n"
            f"    darkroom manifest --http https://darkroom.example.com{slack.path}"
        )
    url = None if http_url is None else reached_at(http_url, slack.path)
    made = build_manifest(slack.imagine, slack.spend, http_url=url, mentions_only=mentions_only)
    click.echo(json.dumps(made, indent=2, ensure_ascii=False))


def reached_at(url: str, path: str) -> str:
    """The address that Slack sends to: *url*, with *path* where it has none. ``Refused`` if Slack would not
    take it."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    usable = host and port != 0 and url.isascii() and url.isprintable() and " " not in url
    if not usable or parts.scheme != "https" or parts.query or parts.fragment or parts.username:
        raise Refused(
            f"{url!r} is no address that Slack sends to: it has to begin with https:// and name a "
            "host, such as https://darkroom.example.com; without a path it gets slack.path"
        )
    whole = url if parts.path.strip("/") else f"https://{parts.netloc}{path}"
    if len(whole) > URL_MAX:
        raise Refused(f"The address has {len(whole):,} characters; Slack takes {URL_MAX:,}.")
    return whole
