"""Builds the wheel, installs it in an empty environment outside the checkout, and uses it there (`make package`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT))
        (wheel,) = folder.glob("*.whl")
        inside = zipfile.ZipFile(wheel).namelist()
        for part in ("prompts/read.md", "fixtures/pitches/idlewatt.txt", "app.py"):
            assert f"analyzer/shipped/{part}" in inside, part
        venv.create(folder / "env", with_pip=False)  # this environment's pip installs into that one
        bin_ = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        pip = (sys.executable, "-m", "pip", "--python", str(bin_ / "python"), "install", "--quiet", "--no-compile")
        run(*pip, str(wheel), "-c", str(ROOT / "constraints.txt"))  # what is used is compiled when it is
        pitch = str(bin_ / "pitch")
        sample = (ROOT / "fixtures" / "pitches" / "idlewatt.txt").read_text(encoding="utf-8")
        for model in ("recorded", "keywords"):
            done = json.loads(run(pitch, "analyze", "-", "--model", model, "--json", input=sample, cwd=folder))
            assert done["scores"]["overall"]["low"] <= done["scores"]["overall"]["high"]
        assert "Competition and difference" in run(pitch, "framework", cwd=folder)
        assert "considerations" in run(pitch, "doctor", cwd=folder)
        serves(str(bin_ / "python"), folder)
    print("the wheel works in an empty environment")


def serves(python: str, folder: Path) -> None:
    """The page's script runs, from the installed package alone."""
    script = (
        "from streamlit.testing.v1 import AppTest; from analyzer.resources import resource;"
        "page = AppTest.from_file(str(resource('app.py')), default_timeout=60).run();"
        "assert not page.exception, page.exception; print(page.title[0].value)"
    )
    assert "Analyze a pitch" in run(python, "-c", script, cwd=folder)


def run(*command: str, input: str | None = None, cwd: Path | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PITCH_", "OPENAI_"))}
    done = subprocess.run(
        command, input=input, cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
