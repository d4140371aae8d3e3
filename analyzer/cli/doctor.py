"""`pitch doctor`: is everything configured, can it be reached, and how well does the model read?"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace

import click

from analyzer.cli.command import command
from analyzer.cli.options import form_option, json_option, mode_option, one_model_option, settings_with
from analyzer.errors import ConfigurationError
from analyzer.screen import say, say_json


@command("doctor")
@one_model_option
@mode_option
@form_option
@click.option("--ask", is_flag=True, help="Have the model read two sentences, and show what its server can do.")
@json_option("findings")
@click.option("--read", is_flag=True, help="Have the model read three samples, and compare with recorded answers.")
def doctor_command(model: str | None, mode: str | None, form: str | None, ask: bool, read: bool, as_json: bool) -> None:
    """Check what is configured and what can be reached. Never prints a key.

    --ask and --read send a few requests to the model, which may cost money.
    """
    from analyzer.runs.doctor import check

    settings = settings_with(mode, form)
    settings = replace(settings, model=model or settings.model)
    found = []
    for finding in check(settings, ask=ask, read=read):
        found.append(finding)
        if not as_json:
            say(f"{'ok  ' if finding.ok else 'MISS'}  {finding.subject:<16} {finding.text}")
    if as_json:
        say_json(json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=2))
    if not all(finding.ok for finding in found):
        sys.exit(ConfigurationError.exit_code)
