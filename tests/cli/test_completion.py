"""What the shell completes, asked as the shell asks."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from analyzer.cli.main import cli


def completed(*words: str) -> list[str]:
    """What is offered for the last of the words."""
    environment = {
        "_PITCH_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("pitch", *words)),
        "COMP_CWORD": str(len(words)),
    }
    return CliRunner(env=environment).invoke(cli, prog_name="pitch").output.splitlines()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("mark",), "plain,market"),
        (("market", "model_s"), "plain,model_serving"),
        (("analyze", "--model", "key"), "plain,keywords"),
        (("analyze", "--model", "anth"), "plain,anthropic/"),
        (("bulk", "--model", "openai/gpt-6-l"), "plain,openai/gpt-6-luna"),
        (("analyze", "fix"), "file,fix"),
        (("compare", "res"), "file,res"),
        (("score", "--rule"), "plain,--rulebook"),
        (("bulk", "-o", "out"), "file,out"),
    ],
)
def test_the_shell_completes(words: tuple[str, ...], offered: str) -> None:
    assert offered in completed(*words)
