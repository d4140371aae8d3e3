"""`pitch doctor`: is everything configured, and can it be reached?"""

from __future__ import annotations

import sys

from analyzer.cli.command import command
from analyzer.errors import ConfigurationError
from analyzer.screen import say


@command("doctor")
def doctor_command() -> None:
    """Check what is configured and what can be reached. Never prints a key."""
    from analyzer.runs.doctor import check
    from analyzer.settings import Settings

    sound = True
    for finding in check(Settings.from_environment()):
        say(f"{'ok  ' if finding.ok else 'MISS'}  {finding.subject:<16} {finding.text}")
        sound = sound and finding.ok
    if not sound:
        sys.exit(ConfigurationError.exit_code)
