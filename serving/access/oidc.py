"""OpenID Connect: the district's identity provider says who somebody is (authorization code, PKCE, state, nonce)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from serving.errors import ProviderAway, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable

    from joserfc.jwk import Key

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by a key that only the provider has; none that our own secret, or a public key, could make."""
SKEW_S = 60
KEPT_S = 3600
AGAIN_S = 10  # a key that is not known is asked for no sooner
LONGEST_SUBJECT = 255  # as OpenID Connect has it
TIMEOUT = httpx.Timeout(5, connect=3)
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
ON_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
OF_HTTP = (httpx.HTTPError, httpx.InvalidURL)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One sign-in on its way to the provider and back: each secret is random and used once."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    back: str


@dataclass(frozen=True)
class _Found:
    """What the provider publishes of itself."""

    said: dict[str, Any]
    keys: KeySet
    at: float


class Provider:
    """The identity provider, asked with short timeouts; what it publishes is kept for an hour."""

    def __init__(
        self, issuer: str, client_id: str, secret: str | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.issuer, self._client_id, self._secret, self._clock = issuer, client_id, secret, clock
        self._found: _Found | None = None

    async def address(self, way: Way) -> str:
        """Where to send the browser.

        Raises
        ------
        ProviderAway
            It does not answer, or not as OpenID Connect has it.
        """
        found = await self._published()
        return prepare_grant_uri(
            found.said["authorization_endpoint"], self._client_id, "code", redirect_uri=way.back, scope="openid",
            state=way.state, nonce=way.nonce, code_challenge=create_s256_code_challenge(way.verifier),
            code_challenge_method="S256",
        )  # fmt: skip

    async def subject(self, code: str, way: Way) -> str:
        """Issuer and subject, parted by `|`, of whom the provider signed in.

        Raises
        ------
        Unauthorized
            The code or the identity token does not hold.
        ProviderAway
            As `address`.
        """
        found = await self._published()
        answer = await self._exchanged(found, code, way)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderAway("It gave no identity token.")
        claims = await self._checked(found, token, way, access_token=answer.get("access_token"))
        subject: Any = claims["sub"]
        if not isinstance(subject, str) or not subject.isprintable() or len(subject) > LONGEST_SUBJECT:
            raise Unauthorized("The identity token is of a subject that cannot be kept.")
        return f"{self.issuer}|{subject}"

    async def _exchanged(self, found: _Found, code: str, way: Way) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": way.back, "code_verifier": way.verifier,
        }  # fmt: skip
        auth: httpx.Auth = httpx.Auth()  # adds nothing
        methods = found.said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if self._secret is None:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in methods:
            auth = httpx.BasicAuth(quote(self._client_id, safe=""), quote(self._secret, safe=""))
        else:
            form |= {"client_id": self._client_id, "client_secret": self._secret}
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT) as client:
                answer = await client.post(
                    found.said["token_endpoint"], data=form, auth=auth, headers={"Accept": "application/json"}
                )
        except OF_HTTP as fault:
            raise ProviderAway("It did not answer when it was asked who signed in.") from fault
        if answer.status_code in (400, 401, 403):
            raise Unauthorized("The identity provider does not know the code of this sign-in, or not us; begin again.")
        return _object(answer)

    async def _checked(self, found: _Found, token: str, way: Way, *, access_token: Any) -> CodeIDToken:
        try:
            read = jwt.decode(token, lambda shown: _key(found.keys, shown.headers()), algorithms=_allowed(found.said))
        except _KeyNotThere:
            renewed = await self._published(no_older_s=AGAIN_S)
            if renewed is found:
                raise Unauthorized(
                    "The identity token is signed by a key that the provider does not publish."
                ) from None
            return await self._checked(renewed, token, way, access_token=access_token)
        except (JoseError, ValueError) as fault:
            raise Unauthorized("The identity token is not signed by the provider in a way that is believed.") from fault
        must = {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self._client_id}}
        must |= {name: {"essential": True} for name in ("sub", "exp", "iat", "nonce")}
        params = {"nonce": way.nonce, "client_id": self._client_id, "access_token": access_token}
        claims = CodeIDToken(read.claims, read.header, must, params)
        try:
            claims.validate(now=int(time.time()), leeway=SKEW_S)
        except (JoseError, TypeError, ValueError) as fault:
            raise Unauthorized("The identity token does not hold: it is of another sign-in, or over.") from fault
        return claims

    async def _published(self, *, no_older_s: float = KEPT_S) -> _Found:
        if self._found is not None and self._clock() - self._found.at < no_older_s:
            return self._found
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT) as client:
                said = _object(await client.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"))
                self._check(said)
                keys = _keys(_object(await client.get(said["jwks_uri"])))
        except OF_HTTP as fault:
            raise ProviderAway("It did not answer.") from fault
        self._found = _Found(said, keys, self._clock())
        return self._found

    def _check(self, said: dict[str, Any]) -> None:
        if said.get("issuer") != self.issuer:
            raise ProviderAway("It calls itself by another address than TEPAT_OIDC_ISSUER.")
        for name in ENDPOINTS:
            if not is_private(str(said.get(name, ""))):
                raise ProviderAway(f"Its {name} is no https address.")


def is_private(address: str) -> bool:
    """Whether nobody on the way can read or change what is asked there: https, or http within this machine."""
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ON_THIS_MACHINE)
        )
    except ValueError:  # brackets that hold no address
        return False


class _KeyNotThere(Exception):
    """The provider may have changed its keys."""


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json() if answer.status_code == httpx.codes.OK else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ProviderAway(f"It answered {answer.status_code} with something that is not as OpenID Connect has it.")
    return said


def _keys(said: dict[str, Any]) -> KeySet:
    """Public keys for signatures; a shared secret has no place among them."""
    kinds: dict[str, type[RSAKey | ECKey]] = {"RSA": RSAKey, "EC": ECKey}
    found = said.get("keys")
    usable = [key for key in found if isinstance(key, dict)] if isinstance(found, list) else []
    try:
        return KeySet([
            kinds[key["kty"]].import_key(key) for key in usable if key.get("kty") in kinds and key.get("use") != "enc"
        ])  # fmt: skip
    except (JoseError, KeyError, TypeError, ValueError) as fault:
        raise ProviderAway("Its keys cannot be read.") from fault


def _key(keys: KeySet, header: dict[str, Any]) -> Key:
    """The key that a token names; one without a name only where the provider has a single key."""
    found = [key for key in keys.keys if header.get("kid") in (None, key.kid)]
    if len(found) != 1:
        raise _KeyNotThere
    return found[0]


def _allowed(said: dict[str, Any]) -> list[str]:
    offered = said.get("id_token_signing_alg_values_supported", ["RS256"])
    return [name for name in ALGORITHMS if name in offered]
