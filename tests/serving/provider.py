"""An identity provider of a district, over HTTP on this machine, that can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "tepat", "rahasia + tanda"


class District:
    """Signs everybody in as `subject`; `lies` change the claims, `sign` makes the token."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
        self.subject, self.lies, self.sign, self.asked = "u-7", {}, None, []
        self._given: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.metadata = {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256"],
        }  # fmt: skip
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def allow(self, address: str) -> dict[str, str]:
        """What the browser brings back, after the person signed in at the address."""
        asked = dict(parse_qsl(urlsplit(address).query))
        code = f"code-{len(self._given)}"
        self._given[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": self.subject, "exp": now + 300, "iat": now,
            "nonce": asked["nonce"],
        } | self.lies  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.sign is not None:
            return self.sign(claims)
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return 200, self.metadata
        if path == "/jwks":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        asked = self._given.pop(form.get("code", ""), None)
        basic = base64.b64encode(b"tepat:rahasia%20%2B%20tanda").decode()
        proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        if asked is None or authorization != f"Basic {basic}" or proof != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        if form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self.token(asked)}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        district = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer({})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self._answer(dict(parse_qsl(body)))

            def _answer(self, form: dict[str, str]) -> None:
                status, said = district.answer(self.path, form, self.headers.get("authorization", ""))
                body = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: the test's output is its own."""

        return Handler


def packed(header: dict[str, Any], claims: dict[str, Any], sign: Any = lambda _: b"") -> str:
    """A token as an attacker makes it, by hand."""

    def text(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    first = f"{text(json.dumps(header).encode())}.{text(json.dumps(claims).encode())}"
    return f"{first}.{text(sign(first.encode()))}"


def signed_by_public_key(key: RSAKey) -> Any:
    """HS256 with the public key as the secret, which everybody has."""
    public = key.as_pem(private=False)
    return lambda claims: packed(
        {"alg": "HS256", "kid": "k1"}, claims, lambda said: hmac.new(public, said, hashlib.sha256).digest()
    )
