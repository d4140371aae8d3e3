"""`pitch market` and `pitch framework`: what pitches are judged by."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.cli.command import command
from analyzer.cli.completion import categories
from analyzer.cli.inputs import load_market, load_rulebook
from analyzer.cli.options import FILE, json_option, market_option, rulebook_option
from analyzer.screen import note, say, say_json, screen

if TYPE_CHECKING:
    from analyzer.framework.market import MarketMap


@command("market")
@click.argument("category", required=False, shell_complete=categories)
@market_option
@click.option("--unknown", metavar="RESULTS", help="List competitors named in RESULTS that the map does not include.")
@json_option("map, the category or the list")
def market_command(category: str | None, market: Path | None, unknown: str | None, as_json: bool) -> None:
    """Show the market map: all categories, or one CATEGORY with its players."""
    from datetime import UTC, datetime

    from analyzer.views.market import category_named, print_category, print_map

    map_ = load_market(market)
    if unknown is not None:
        _show_unknown(unknown, map_, as_json)
    elif as_json:
        shown = map_ if category is None else category_named(map_, category)
        say_json(shown.model_dump_json(indent=2))
    elif category is not None:
        print_category(screen(), map_, category)
    else:
        print_map(screen(), map_, datetime.now(UTC).date())


@command("framework")
@rulebook_option
@click.option("--markdown", is_flag=True, help="Print the rulebook as Markdown.")
@click.option("--new", type=FILE, metavar="FILE", help="Copy the built-in rulebook to FILE, to make it your own.")
@click.option("--diff", nargs=2, type=FILE, metavar="OLD NEW", help="Show the differences between two rulebooks.")
@json_option("rulebook")
def framework_command(
    rulebook: Path | None, markdown: bool, new: Path | None, diff: tuple[Path, Path] | None, as_json: bool
) -> None:
    """Show the rulebook: considerations, tables, weights, sources."""
    from analyzer.framework.revision import differences
    from analyzer.framework.rulebook import write_new
    from analyzer.views.rulebook import print_rulebook, rulebook_markdown

    if new is not None:
        write_new(new)
        say(f"{new}: a copy of the built-in rulebook. Edit it, then use it with --rulebook {new}")
    elif diff:
        say("\n".join(differences(*map(load_rulebook, diff))) or "No differences: both judge alike, in the same words.")
    elif as_json:
        say_json(load_rulebook(rulebook).model_dump_json(indent=2))
    elif markdown:
        say(rulebook_markdown(load_rulebook(rulebook)))
    else:
        print_rulebook(screen(), load_rulebook(rulebook))


def _show_unknown(results: str, market: MarketMap, as_json: bool) -> None:
    """List the competitors that the map does not include. Exits with 1 if an entry could not be read."""
    from analyzer.results.documents import read_entries
    from analyzer.views.market import print_unknown, unknown_competitors

    competitors, errors = unknown_competitors(market, read_entries(results))
    for error in errors:
        note(f"pitch: {error}")
    if as_json:
        names = [{"name": name, "kind": kind, "times": times} for name, kind, times in competitors]
        say_json(json.dumps(names, ensure_ascii=False, indent=2))
    else:
        print_unknown(screen(), competitors)
    if errors:
        sys.exit(1)
