"""Who calls, and what they may do: told by the access token, and by nothing else in a request."""

import json
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

import jwt
from fastapi import HTTPException, Request

# What this API's tokens are signed with (`alg` of the resource in grantor.toml). Never what a token says of itself.
ALGORITHMS = ["ES256"]
# RFC 9068 section 2.2: claims that every access token has.
REQUIRED = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"]
# An authorization server that does not answer for so many seconds is not there.
PATIENCE = 5


@dataclass(frozen=True)
class Caller:
    """A user, and the app that calls in their name."""

    user: str
    client: str
    scopes: frozenset[str]


class Verifier:
    """Verifies the access tokens of one issuer for one API (RFC 9068 section 4)."""

    def __init__(self, issuer: str, audience: str) -> None:
        self.issuer = issuer
        self.audience = audience
        self._keys: jwt.PyJWKClient | None = None
        self._lock = threading.Lock()

    def needs(self, scope: str) -> Callable[[Request], Caller]:
        """A dependency of an endpoint: its caller, if their token allows `scope`."""

        def caller(request: Request) -> Caller:
            caller = self._caller(bearer(request))
            if scope not in caller.scopes:
                # RFC 6750 section 3.1: "The resource server SHOULD respond with the HTTP 403 (Forbidden) status code and
                # MAY include the "scope" attribute with the scope necessary to access the protected resource."
                raise challenge(403, "insufficient_scope", "The token does not allow this.", scope=scope)
            return caller

        return caller

    def _caller(self, token: str) -> Caller:
        try:
            claims = self._claims(token)
        except (jwt.PyJWKClientConnectionError, OSError, ValueError) as why:
            raise HTTPException(503, "The authorization server's keys cannot be read.", {"Retry-After": "5"}) from why
        except jwt.ExpiredSignatureError as why:
            raise challenge(401, "invalid_token", "The token has expired.") from why
        except jwt.PyJWTError as why:
            # Which check failed is for the log, not for whoever forges tokens.
            raise challenge(401, "invalid_token", "The token is not valid here.") from why
        return Caller(claims["sub"], claims["client_id"], frozenset(claims.get("scope", "").split()))

    def _claims(self, token: str) -> dict:
        header = jwt.get_unverified_header(token)
        # RFC 9068 section 4: "The resource server MUST verify that the "typ" header value is "at+jwt" or
        # "application/at+jwt" and reject tokens carrying any other value." So an ID token is none.
        if str(header.get("typ")).lower() not in ("at+jwt", "application/at+jwt"):
            raise jwt.InvalidTokenError("not an access token")
        key = self._key_set().get_signing_key(header.get("kid"))
        return jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            issuer=self.issuer,
            audience=self.audience,
            options={"require": REQUIRED},
        )

    def _key_set(self) -> jwt.PyJWKClient:
        """The issuer's keys. They are kept for five minutes, and read again where a token names one that is new."""
        with self._lock:
            if self._keys is None:
                with urllib.request.urlopen(f"{self.issuer}/.well-known/openid-configuration", timeout=PATIENCE) as answer:
                    metadata = json.load(answer)
                # RFC 8414 section 3.3: "The "issuer" value returned MUST be identical to" the one that was asked for.
                if metadata.get("issuer") != self.issuer:
                    raise ValueError(f"{self.issuer} says that it is {metadata.get('issuer')}")
                self._keys = jwt.PyJWKClient(metadata["jwks_uri"], timeout=PATIENCE)
            return self._keys


def bearer(request: Request) -> str:
    """The token of a request (RFC 6750 section 2.1); one in the form or the query is none."""
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise challenge(400, "invalid_request", "There is more than one Authorization header.")
    scheme, _, token = headers[0].partition(" ") if headers else ("", "", "")
    if scheme.lower() != "bearer":
        # RFC 6750 section 3.1: "If the request lacks any authentication information [...], the resource server SHOULD NOT
        # include an error code or other error information."
        raise challenge(401)
    return token.strip()


def challenge(status: int, error: str = "", description: str = "Sign in first.", scope: str = "") -> HTTPException:
    """An answer with the challenge of RFC 6750 section 3."""
    told = {"realm": "notes", "error": error, "error_description": description if error else "", "scope": scope}
    attributes = ", ".join(f'{name}="{value}"' for name, value in told.items() if value)
    return HTTPException(status, description, {"WWW-Authenticate": f"Bearer {attributes}"})
