"""Starts the page's server on this machine; `pitch app` and `make app` come through here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from analyzer.files.documents import MAX_BYTES
from analyzer.resources import resource

FLAGS: Final = (
    "--server.address=127.0.0.1",
    "--server.showEmailPrompt=false",
    "--server.fileWatcherType=none",
    f"--server.maxUploadSize={MAX_BYTES // 1_000_000}",
    "--browser.gatherUsageStats=false",
    "--client.toolbarMode=minimal",
    "--client.showErrorDetails=none",
    "--client.showErrorLinks=false",
    f"--theme.base={Path(__file__).with_name('theme.toml')}",
)
"""Served to this machine only, no usage figures sent, no prompt for an e-mail address, no file beyond what is read."""


def command(port: int, open_browser: bool) -> list[str]:
    """The server's command line."""
    headless = f"--server.headless={'false' if open_browser else 'true'}"
    script = str(resource("app.py"))
    return [sys.executable, "-m", "streamlit", "run", script, f"--server.port={port}", headless, *FLAGS]


def serve(port: int, open_browser: bool) -> int:
    """Serves the page until it is interrupted; the server's exit code."""
    try:
        return subprocess.call(command(port, open_browser), env=os.environ)
    except KeyboardInterrupt:
        return 0
