"""Who may use the page. On one's own machine everybody; on a shared server those who log in, if it is set up so.

Streamlit's own login (OpenID Connect) does the work: it is on where its secrets have a section `auth`.

What is kept belongs to an owner. Without login nobody can be told apart, so without it something is kept only for
somebody who sits at this machine: the server is bound to it, and the visitor's browser came to it by that name and
through nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import streamlit as st
from streamlit.errors import StreamlitAuthError, StreamlitSecretNotFoundError

from analyzer.page.hosts import HERE, refusal
from analyzer.views.html import literal, tag

LOCAL: Final = "local"
"""The owner of what is kept where nobody logs in."""
_PASSED_ON: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
"""Headers by which a web server in front says that it is one."""


def owner() -> str | None:
    """Whose is what is kept for this visitor; None = nobody can be told apart here, so nothing is kept."""
    if required():
        found = {name: st.user.get(name) for name in ("iss", "sub", "email")}
        if found["sub"]:
            return f"{found['iss'] or ''} {found['sub']}"
        return str(found["email"]) if found["email"] else None
    return LOCAL if st.get_option("server.address") in HERE and _from_here(_headers()) else None


def admit() -> None:
    """Ends this run for a page of another server, and for a visitor who has to log in, with a way to do so."""
    _refuse_strangers()
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


def _refuse_strangers() -> None:
    """Shows nothing to a page of another server. `pitch app` refuses its requests before they come here; with
    `streamlit run`, pages of other ports of this machine can open a connection."""
    headers = {name.title(): value for name, value in _headers().items()}
    names = frozenset(st.get_option("server.allowedHosts"))
    if "Host" not in headers or not names:
        return
    reason = refusal(headers["Host"], headers.get("Origin"), names - HERE)
    if reason is not None:
        st.error(reason)
        st.stop()


def _headers() -> Mapping[str, str]:
    return st.context.headers.to_dict()


def _from_here(headers: Mapping[str, str]) -> bool:
    """Whether the visitor's browser sits at this machine and came to it directly."""
    given = {name.title(): value for name, value in headers.items()}
    hosts = (urlsplit(f"//{given.get('Host', '')}").hostname, urlsplit(given.get("Origin", "")).hostname)
    return all(host in HERE for host in hosts) and not any(name in given for name in _PASSED_ON)


def required() -> bool:
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError:
        return False
