"""Which makers' SDKs the tests can put a mock behind: those that are installed and use httpx, which respx replaces."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec


def can_be_mocked(package: str) -> bool:
    try:
        if find_spec(package) is None:
            return False
    except ModuleNotFoundError:
        return False
    if package != "anthropic":
        return True
    return hasattr(import_module("anthropic._base_client"), "httpx")  # newer ones use httpx2
