"""Stores are created here as users' are: by the migrations."""

from __future__ import annotations

import pytest


@pytest.fixture
def _new_stores() -> None:
    """In place of the copies that other tests begin with."""
