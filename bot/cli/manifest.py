"""``darkroom manifest``: the Slack app's manifest, ready to paste."""

from __future__ import annotations

import json

import click


@click.command("manifest")
def command() -> None:
    """Print the manifest as JSON. Paste it at api.slack.com/apps → Create New App → From a manifest."""
    from handlers.manifest import build_manifest

    click.echo(json.dumps(build_manifest(), indent=2))
