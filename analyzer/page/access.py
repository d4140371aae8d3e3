"""Who may use the page: on your own machine everybody; on a shared server with login, those who log in.

Streamlit's own login (OpenID Connect) does the work: it is on where its secrets have a section `auth`.

What is saved belongs to an owner. Without login the page cannot tell visitors apart, so it saves only for somebody who
sits at this machine: the server is bound to it, and the visitor's browser reached it by that name and directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import streamlit as st
from streamlit.errors import StreamlitAuthError, StreamlitSecretNotFoundError

from analyzer.page.hosts import HERE, refusal
from analyzer.settings import Settings
from analyzer.views.html import literal, tag

LOCAL: Final = "local"
"""The owner of what is saved where nobody logs in."""
_PROXY_HEADERS: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
"""Headers by which a proxy shows itself."""


def owner() -> str | None:
    """The owner of what is saved for this visitor; None = visitors cannot be told apart here, so nothing is saved."""
    if login_is_on():
        claims = {name: st.user.get(name) for name in ("iss", "sub", "email")}
        if claims["sub"]:
            return f"{claims['iss'] or ''} {claims['sub']}"
        return str(claims["email"]) if claims["email"] else None
    return LOCAL if st.get_option("server.address") in HERE and _from_here(_headers()) else None


def may_reach_local() -> bool:
    """Whether this visitor may connect model servers of the page's own machine or network: whoever sits there; where
    visitors log in, administrators (PITCH_ADMINISTRATORS)."""
    if not login_is_on():
        return owner() == LOCAL
    email, verified = st.user.get("email"), st.user.get("email_verified", True)
    named = Settings.from_environment().administrators
    return bool(st.user.get("is_logged_in")) and bool(email) and verified is True and str(email).lower() in named


def require_login() -> None:
    """Ends this run for a page of another server, and, where login is on, shows a visitor how to log in first."""
    _refuse_strangers()
    if not login_is_on() or st.user.get("is_logged_in"):
        return
    st.title("Pitch Analyzer")
    st.html(tag("p", "Log in to use this page.", class_="pa intro"))
    if st.button("Log in", type="primary"):
        try:
            st.login()
        except StreamlitAuthError as error:
            st.error(literal(f"Login is set up but does not work: {str(error).strip().splitlines()[0]}"))
    st.stop()


def show_logout() -> None:
    """Shows who is logged in, and a button to log out."""
    if login_is_on():
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
    received = {name.title(): value for name, value in headers.items()}
    hosts = (urlsplit(f"//{received.get('Host', '')}").hostname, urlsplit(received.get("Origin", "")).hostname)
    return all(host in HERE for host in hosts) and not any(name in received for name in _PROXY_HEADERS)


def login_is_on() -> bool:
    """Whether visitors have to log in."""
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError:
        return False
