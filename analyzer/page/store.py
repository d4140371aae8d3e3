"""The store, opened once for all visitors of this server."""

from __future__ import annotations

import streamlit as st

from analyzer.settings import Settings
from analyzer.store.store import Store


def shared_store() -> Store:
    """The store that the settings name. Raises ConfigurationError, or StoreError; the next call then tries anew."""
    return _open(Settings.from_environment().store_url())


@st.cache_resource(show_spinner=False)
def _open(url: str) -> Store:
    return Store.open(url)
