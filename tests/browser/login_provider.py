"""A small provider of logins by OpenID Connect on this machine: whoever comes chooses who they are."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT: Final = ("the-page", "not-a-real-secret")
PEOPLE: Final = ("ann", "bob")
_KEY: Final = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "1"})


class _Provider(ThreadingHTTPServer):
    """Codes that were handed out and not used yet, with who logged in and the nonce to repeat."""

    daemon_threads = True
    codes: dict[str, tuple[str, str]]

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Requests(BaseHTTPRequestHandler):
    server: _Provider

    def do_GET(self) -> None:
        """Discovery, the page where one chooses who one is, the way back, and the key."""
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            self._json(self._discovery())
        elif parts.path == "/keys":
            self._json({"keys": [_KEY.as_dict(private=False)]})
        elif parts.path == "/authorize":
            links = [f'<a href="/chosen?{urlencode({**asked, "who": who})}">{who}</a>' for who in PEOPLE]
            self._send(200, "text/html", f"<h1>Who are you?</h1>{' '.join(links)}".encode())
        elif parts.path == "/chosen":
            code = secrets.token_urlsafe(8)
            self.server.codes[code] = asked["who"], asked.get("nonce", "")
            self.send_response(302)
            back = urlencode({"code": code, "state": asked["state"]})
            self.send_header("Location", f"{asked['redirect_uri']}?{back}")
            self.end_headers()
        else:
            self._send(404, "text/plain", b"")

    def do_POST(self) -> None:
        """The token for a code, once."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        found = self.server.codes.pop(form.get("code", [""])[0], None)
        if urlsplit(self.path).path != "/token" or found is None:
            self._send(400, "application/json", b'{"error": "invalid_grant"}')
            return
        who, nonce = found
        now = int(time.time())
        claims = {
            "iss": self.server.issuer,
            "sub": who,
            "aud": CLIENT[0],
            "iat": now,
            "exp": now + 600,
            "nonce": nonce,
            "email": f"{who}@example.com",
            "name": who.capitalize(),
        }
        token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, _KEY)
        self._json({"access_token": "unused", "token_type": "Bearer", "expires_in": 600, "id_token": token})

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def _discovery(self) -> dict[str, Any]:
        issuer = self.server.issuer
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _json(self, document: Any) -> None:
        self._send(200, "application/json", json.dumps(document).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def login_provider() -> Iterator[str]:
    """The provider, while it runs; its address, which is the issuer."""
    provider = _Provider(("127.0.0.1", 0), _Requests)
    provider.codes = {}
    Thread(target=provider.serve_forever, daemon=True).start()
    try:
        yield provider.issuer
    finally:
        provider.shutdown()
        provider.server_close()
