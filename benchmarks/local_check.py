"""Whether a real local server is asked in ways that it takes: `make local-model`.

    python -m benchmarks.local_check [--model smollm2-135m] [--timeout 600]

Starts llama.cpp's server with the smallest open weights, and has a two-sentence pitch read through the real client in
every mode the server takes, with a context that is too small, and by a model whose template makes it think first. It
shows that requests are understood; a model of this size reads nothing well, so a useless answer is not a fault here,
and answers are cut off after 1,000 tokens.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from analyzer.errors import AnalyzerError, ExtractionError, PitchTooLong, ProviderTimeout
from analyzer.reading import background
from analyzer.reading.conversation import ModelReader
from analyzer.reading.pitch import Pitch
from analyzer.resources import resource
from analyzer.settings import Settings
from benchmarks.local_server import SMALLEST, WEIGHTS, Weights, serving, set_up

PITCH: Final = (
    "Wattwise finds GPUs that stand idle in a company's cluster and gives them to waiting training jobs. "
    "Platform engineers install it with Helm in ten minutes."
)
MODES: Final = ("json_schema", "tools", "json", "text")
TOO_SMALL: Final = 2048
ANSWER_TOKENS: Final = 1000
_THINKING: Final = (
    "{%- for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n<think>\nThe fields are {product} and {buyer}.\n</think>\n"
    "{% endif %}"
)

Line = tuple[bool, str, str]
"""Whether it is as it should be, what was tried, and what came of it."""


def try_mode(model: str, settings: Settings, what: str) -> Line:
    """One reading. A server that refuses the request is a fault; an answer that cannot be used is the model's."""
    reader = ModelReader(model, settings)
    started = time.monotonic()
    try:
        reading = background.run(reader.read(Pitch.from_text(PITCH)))
    except PitchTooLong as error:
        return False, what, f"{error}"
    except ProviderTimeout:
        return False, what, f"no answer within {settings.timeout:.0f} seconds, so not known; raise --timeout"
    except ExtractionError as error:
        return True, what, f"understood by the server; the model: {error} ({time.monotonic() - started:.0f} s)"
    except AnalyzerError as error:
        return False, what, f"{type(error).__name__}: {error}"
    usage = reading.usage
    tokens = f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out, {usage.requests} requests"
    return True, what, f"read in the mode {reader.connection.way.mode}; {tokens} ({time.monotonic() - started:.0f} s)"


def short_answers(folder: Path) -> Path:
    """llama-server's profile, for any port of this machine, with answers that end early."""
    text = resource("analyzer/reading/profiles.toml").read_text("utf-8")
    (block,) = re.findall(r'^\[\[profile\]\]\nname = "llama-server".*?(?=^\[\[profile\]\]|^# ---)', text, re.M | re.S)
    block = re.sub(r"answer_tokens = \d+", f"answer_tokens = {ANSWER_TOKENS}", block)
    profile = folder / "profiles.toml"
    profile.write_text(re.sub(r"^hosts = .*$", 'hosts = ["127.0.0.1"]', block, flags=re.M), "utf-8")
    return profile


def check(weights: Weights, threads: int, timeout: float, profile: Path) -> Iterator[Line]:
    """All that is tried, one line after the other."""
    model = f"openai/{weights.name}"
    common = Settings(timeout=timeout, profiles=profile)
    with serving(weights, context=8192, threads=threads) as url:
        settings = replace(common, openai_base_url=url)
        for mode in MODES:
            yield try_mode(model, replace(settings, mode=mode), mode)
    with serving(weights, context=TOO_SMALL, threads=threads) as url:
        try:
            reader = ModelReader(model, replace(common, openai_base_url=url))
            background.run(reader.read(Pitch.from_text(PITCH)))
        except AnalyzerError as error:
            yield "context" in str(error), f"a context of {TOO_SMALL:,}", str(error)
        else:
            yield False, f"a context of {TOO_SMALL:,}", "the pitch was read, although the prompt does not fit"
    with serving(weights, context=8192, threads=threads, template=_THINKING) as url:
        yield try_mode(model, replace(common, openai_base_url=url, mode="text"), "thinking tags, text")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SMALLEST, choices=sorted(WEIGHTS))
    parser.add_argument("--threads", type=int, default=int(os.environ.get("THREADS", "2")))
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds for one answer")
    chosen = parser.parse_args()
    set_up(WEIGHTS[chosen.model])
    sound = True
    with tempfile.TemporaryDirectory() as folder:
        profile = short_answers(Path(folder))
        for ok, what, text in check(WEIGHTS[chosen.model], chosen.threads, chosen.timeout, profile):
            print(f"{'ok  ' if ok else 'MISS'}  {what:20} {text}", flush=True)
            sound = sound and ok
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
