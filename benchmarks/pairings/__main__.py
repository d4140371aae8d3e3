"""Measure what rules and a second look stop of true and wrong pairings of values and quotes.

python -m benchmarks.pairings --model openai/NAME   asks for what is not recorded yet, and records the answers
python -m benchmarks.pairings                       shows the figures from the recorded answers
"""

from __future__ import annotations

import argparse
import sys

from analyzer.errors import AnalyzerError
from analyzer.settings import Settings
from benchmarks.pairings.draw import PLAUSIBLE, plausible_sheets
from benchmarks.pairings.figures import ask, check_drawn, drawn, section, sheets


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark. Exit code: 0 all well, 1 a model failed, 2 a file is wrong, 3 no model can be asked."""
    parser = argparse.ArgumentParser(prog="benchmarks.pairings", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", help="provider/name of the model that takes the second look")
    options = parser.parse_args(arguments)
    try:
        wanted = sheets()
        print(f"{len(wanted)} documents: {drawn(wanted)}", file=sys.stderr)
        if fault := check_drawn(wanted):
            print(f"Note: {fault}", file=sys.stderr)
        if not plausible_sheets():
            print(f"Note: fixtures/{PLAUSIBLE} is not there; plausible pairings are not measured", file=sys.stderr)
        if options.model:
            asked = ask(options.model, Settings.from_environment(), wanted)
            print(f"{asked} documents asked about, {len(wanted) - asked} recorded before", file=sys.stderr)
    except AnalyzerError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print("\n".join(section()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
