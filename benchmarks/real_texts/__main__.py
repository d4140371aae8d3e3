"""Rebuild the real texts from clones, read them with a model, and show how that agrees with the manual scores.

python -m benchmarks.real_texts CLONES --model keywords
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from analyzer import analyze_many
from analyzer.errors import AnalyzerError
from analyzer.files.disk import write_whole
from analyzer.files.manual_scores import read_manual
from benchmarks.real_texts.figures import RealTexts, number_of, reading_of, tables, write_reading
from benchmarks.real_texts.texts import HERE, rebuild, sources
from benchmarks.several_readings import VOTES, without_words


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark. Exit code: 0 all texts were read, 1 some were not, 2 none could be rebuilt, 3 no model."""
    options = _parser().parse_args(arguments)
    if options.repositories:
        print("\n".join(dict.fromkeys(source.repo for source in sources(options.home))))
        return 0
    rebuilt = rebuild(options.clones, options.home)
    for fault in rebuilt.faults:
        print(fault, file=sys.stderr)
    print(f"{len(rebuilt.texts)} texts rebuilt, {len(rebuilt.faults)} missing", file=sys.stderr)
    if not rebuilt.texts:
        return 2
    name = options.name or options.model
    rows, votes, failed = [], {}, 0
    try:
        for result in analyze_many(rebuilt.texts.items(), model=options.model, readings=options.readings):
            if result.assessment is None:
                failed += 1
                print(f"{result.id}: not read: {result.error}", file=sys.stderr)
            else:
                rows.append(reading_of(str(result.id), result.assessment.signals, name))
                votes[str(result.id)] = without_words(result.assessment.signals)
    except AnalyzerError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    rows.sort(key=lambda row: number_of(row.pitch))
    if options.save and options.readings > 1:
        lines = (json.dumps({"pitch_id": row.pitch, "signals": votes[row.pitch]}, ensure_ascii=False) for row in rows)
        write_whole(options.home / VOTES.name, "".join(f"{line}\n" for line in lines))
    elif options.save:
        stem = re.sub(r"[^\w.]+", "-", name)
        write_reading(rows, options.home / "readings" / f"{stem}.jsonl")
    if rows:
        manual = read_manual(options.home / "manual_scores.csv").rows
        print("\n".join(tables(RealTexts(manual, {name: rows}))))
    return 1 if failed or rebuilt.faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.real_texts", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "clones",
        type=Path,
        nargs="?",
        default=Path("clones"),
        help="folder of clones: owner+name, owner/name or name",
    )
    parser.add_argument(
        "--model", default="keywords", help="keywords, recorded or provider/name (default: %(default)s)"
    )
    parser.add_argument("--name", help="what the tables call the reader (default: the model)")
    parser.add_argument(
        "--save", action="store_true", help="store the values that were read, without quotes, for the docs"
    )
    parser.add_argument(
        "--readings", type=int, default=1, metavar="K", help="read each text K times and combine (default: %(default)s)"
    )
    parser.add_argument("--repositories", action="store_true", help="list the repositories to clone, and stop")
    parser.add_argument("--home", type=Path, default=HERE, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
