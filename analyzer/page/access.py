"""Who may use the page. On one's own machine everybody; on a shared server those who log in, if it is set up so.

Streamlit's own login (OpenID Connect) does the work: it is on where its secrets have a section `auth`.
"""

from __future__ import annotations

import streamlit as st
from streamlit.errors import StreamlitAuthError, StreamlitSecretNotFoundError

from analyzer.page.markup import literal, tag


def admit() -> None:
    """Ends this run with a way to log in, unless the visitor has logged in or need not."""
    if not required() or st.user.get("is_logged_in"):
        return
    st.title("Pitch Analyzer")
    st.html(tag("p", "This server asks its visitors to log in.", class_="pa intro"))
    if st.button("Log in", type="primary"):
        try:
            st.login()
        except StreamlitAuthError as error:
            st.error(literal(f"Login is set up, but not ready: {str(error).strip().splitlines()[0]}"))
    st.stop()


def leave() -> None:
    """The way out, where there was a way in."""
    if required():
        with st.container(horizontal=True, vertical_alignment="center", key="visitor"):
            st.html(
                tag(
                    "p", f"Logged in as {st.user.get('email') or st.user.get('name') or 'a visitor'}", class_="pa lead"
                ),
                width="content",
            )
            st.button("Log out", on_click=st.logout, type="tertiary")


def required() -> bool:
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError:
        return False
