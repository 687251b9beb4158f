"""What Slack's own command line (``slack run``) asks of a project: the hooks named in ``.slack/hooks.json``.

Slack's contract for them: https://docs.slack.dev/tools/slack-cli/reference/hooks. A hook is started in the
project's folder and answers on standard output; ``start`` is the bot itself, with the tokens of the app that
``slack run`` has made.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import MutableMapping, Sequence

BOUNDARIES = "message-boundaries"
"""The protocol in which an answer stands between two marks, so that other output does no harm."""
HOOKS = ("get-hooks", "get-manifest", "start")
TOKENS = {"SLACK_CLI_XOXB": "SLACK_BOT_TOKEN", "SLACK_CLI_XAPP": "SLACK_APP_TOKEN"}
"""What ``slack run`` hands over, and what Darkroom calls it."""
WATCHED = ["manifest.yml"]
"""``slack run`` ends at once when it has no manifest to watch."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Answer the hook named by the first argument. What a newer ``slack`` says beside it is passed over."""
    parser = argparse.ArgumentParser(prog="python -m bot.slack_hooks")
    parser.add_argument("hook", choices=HOOKS)
    parser.add_argument("--protocol", default="default")
    parser.add_argument("--boundary", default="")
    asked, _ = parser.parse_known_args(arguments)
    if asked.hook == "start":
        start(os.environ)
        return
    from bot.cli import Refused

    try:
        answer = json.dumps(hooks(sys.orig_argv[0]) if asked.hook == "get-hooks" else manifest())
    except Refused as refused:
        refused.show()
        raise SystemExit(refused.exit_code) from None
    boundary = asked.boundary if asked.protocol == BOUNDARIES else ""
    sys.stdout.write(f"{boundary}{answer}{boundary}\n")


def hooks(python: str) -> dict[str, object]:
    """The other hooks, started by the same *python* as this one, and how we talk."""
    return {
        "runtime": "python",
        "hooks": {name: f"{python} -m bot.slack_hooks {name}" for name in HOOKS if name != "get-hooks"},
        "config": {
            "protocol-version": [BOUNDARIES, "default"],
            "sdk-managed-connection-enabled": True,
            # The second for a slack from before 2026, which knows no other.
            "watch": {"manifest": {"paths": WATCHED}, "paths": WATCHED},
        },
    }


def manifest() -> dict[str, object]:
    """The app's manifest for Socket Mode, which is how ``slack run`` connects."""
    from bot.cli import settings_for
    from handlers.manifest import build_manifest

    slack = settings_for(None, {}).slack
    return build_manifest(slack.imagine, slack.spend)


def start(environment: MutableMapping[str, str]) -> None:
    """Run the bot until it is stopped, with the tokens of ``slack run`` in place of any others: those would
    be another app's. Ends the process with the bot's exit code."""
    from bot.cli.run import command

    for given, name in TOKENS.items():
        if token := environment.get(given):
            environment[name] = token
    command.main(["--set", "slack.mode=socket"], prog_name="darkroom run")


if __name__ == "__main__":
    main()
