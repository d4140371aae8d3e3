"""Options that several commands share, and the types of their values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any, Final

import click

from analyzer.cli.completion import models
from analyzer.settings import MAX_READINGS, MODES, SAME, Settings, verifier

MOST: Final = 10**9
"""More pitches than exist, and more seconds than anyone waits."""
SEED: Final = click.IntRange(0, 2**32 - 1)
FILE: Final = click.Path(path_type=Path)


class FiniteRange(click.FloatRange):
    """A number within a range. Refuses "nan" and "inf", which would turn a limit into none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value} is not a finite number; enter one like 5.", param, ctx)
        return number


def output_option(name: str, metavar: str, help: str) -> Callable[[Any], Any]:
    """An option that names a file to write."""
    return click.option(name, type=FILE, metavar=metavar, help=help)


def json_option(what: str) -> Callable[[Any], Any]:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print the {what} as JSON.")


model_option = click.option(
    "--model",
    shell_complete=models,
    metavar="MODEL",
    multiple=True,
    help="provider/name, recorded or keywords. Repeat it for a panel of models. Default: PITCH_MODEL.",
)
one_model_option = click.option(
    "--model", metavar="MODEL", shell_complete=models, help="provider/name. Default: PITCH_MODEL."
)
readings_option = click.option(
    "--readings",
    type=click.IntRange(1, MAX_READINGS),
    metavar="K",
    help="Have each model read a pitch K times, and combine the readings by votes. Default: PITCH_READINGS, else 1.",
)
mode_option = click.option(
    "--mode",
    type=click.Choice(MODES),
    help="How to ask the model. Default: PITCH_MODE, else auto, which tries what its server is known to take.",
)
form_option = click.option(
    "--form",
    metavar="FORM",
    help="What the model answers with: ids (numbers of sentences) or quotes. Default: PITCH_FORM, else ids.",
)
verify_option = click.option(
    "--verify",
    metavar="[MODEL]",
    is_flag=False,
    flag_value=SAME,
    help="Have a model check each value against its quotes, and take back what they do not support. One more request a "
    "pitch. Default: PITCH_VERIFY; without MODEL, the model that reads.",
)
rulebook_option = click.option(
    "--rulebook", type=FILE, metavar="FILE", help="Judge by this rulebook instead of the built-in one."
)
market_option = click.option(
    "--market", type=FILE, metavar="FILE", help="Use this market map instead of the built-in one."
)
seed_option = click.option(
    "--seed", type=SEED, metavar="N", default=0, show_default=True, help="The same seed gives the same result."
)


def settings_with(
    mode: str | None, form: str | None, readings: int | None = None, verify: str | None = None
) -> Settings:
    """The settings of the environment, with the options of the command line over them. Raises ConfigurationError."""
    settings = Settings.from_environment()
    return replace(
        settings,
        mode=mode or settings.mode,
        form=form or settings.form,
        readings=readings or settings.readings,
        verify=settings.verify if verify is None else verifier(verify),
    )
