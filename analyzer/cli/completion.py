"""What the shell may complete: `pitch --help` says how to turn it on. Nothing here asks a server."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from analyzer.settings import KEYWORDS, RECORDED, Settings


def categories(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of the market map's categories, with their titles."""
    from analyzer.framework.market import MarketMap

    known = MarketMap.built_in().categories
    return [CompletionItem(each.id, help=each.title) for each in known if each.id.startswith(incomplete)]


def models(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Readers and providers; after a provider's slash, the names that the price list knows."""
    from analyzer.reading.profiles import providers
    from analyzer.reading.spending import known_models

    provider, slash, _name = incomplete.partition("/")
    names = (
        [f"{provider}/{name}" for name in known_models(provider)]
        if slash
        else [KEYWORDS, RECORDED, *(f"{each}/" for each in providers(Settings()))]
    )
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files and folders."""
    return [CompletionItem(incomplete, type="file")]
