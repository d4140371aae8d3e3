"""`pitch app`: the page."""

from __future__ import annotations

import sys

import click

from analyzer.cli.command import command


@command("app")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", default=8501, show_default=True, help="Port on this machine."
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option(
    "--host-name",
    "host_names",
    metavar="NAME",
    multiple=True,
    envvar="PITCH_HOST_NAMES",
    show_envvar=True,
    help="Host name of a web server in front of the page; repeat for more. Requests to any other name are refused.",
)
@click.option(
    "--address",
    metavar="IP",
    default="127.0.0.1",
    show_default=True,
    envvar="PITCH_ADDRESS",
    show_envvar=True,
    help="Where to listen; 0.0.0.0 lets other machines reach the page, as in a container.",
)
@click.option("--model", metavar="MODEL", help="provider/name, recorded or keywords. Default: PITCH_MODEL.")
def app_command(port: int, no_browser: bool, host_names: tuple[str, ...], address: str, model: str | None) -> None:
    """Open the page in a browser. Only this machine can reach it, unless --address says otherwise.

    What you analyze there is saved in the store (PITCH_STORE, or a file in your data folder); you can delete it there.
    """
    from analyzer.page.serve import serve
    from analyzer.reading.profiles import profile_of
    from analyzer.settings import Settings, asks_a_server, use_model

    if model:
        if asks_a_server(model):
            profile_of(model, Settings.from_environment())
        use_model(model)
    sys.exit(serve(port=port, open_browser=not no_browser, named=host_names, address=address))
