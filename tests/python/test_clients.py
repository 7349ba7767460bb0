"""`requests` and `python-jose`, unmodified: what a Python service does with Grantor."""

import time

import pytest
import requests
from jose import jwt
from jose.exceptions import JWTError

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def key(metadata, token):
    """The key that the token names. python-jose tries the keys of a whole set in turn, and gives up at the first of another type."""
    keys = requests.get(metadata["jwks_uri"], timeout=10).json()["keys"]
    return next(key for key in keys if key["kid"] == jwt.get_unverified_header(token)["kid"])


def post(server, url, **arguments):
    response = requests.post(url, timeout=10, **arguments)
    server.remember(response.json())
    return response


def machine_token(server, metadata):
    form = {"grant_type": "client_credentials", "scope": "orders.example.com/read"}
    response = post(server, metadata["token_endpoint"], data=form, auth=("orders", server.secret))
    assert response.status_code == 200, response.text
    return response.json()["access_token"]


def test_a_machine_gets_a_token_by_basic_that_an_api_checks_by_jwks(server):
    metadata = server.metadata()
    token = machine_token(server, metadata)
    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    claims = jwt.decode(token, key(metadata, token), algorithms=["ES256"], audience="orders.example.com", issuer=server.origin)
    assert claims["sub"] == claims["client_id"] == "orders"
    assert claims["scope"] == "orders.example.com/read"


def test_a_token_for_another_audience_or_with_another_signature_is_no_token(server):
    metadata = server.metadata()
    token = machine_token(server, metadata)
    with pytest.raises(JWTError):
        jwt.decode(token, key(metadata, token), algorithms=["ES256"], audience="shipping.example.com")
    head, payload, signature = token.split(".")
    other = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    with pytest.raises(JWTError):
        jwt.decode(f"{head}.{payload}.{other}", key(metadata, token), algorithms=["ES256"], audience="orders.example.com")


def test_a_device_waits_as_it_is_told_and_gets_tokens_that_hold_together(server, person):
    metadata = server.metadata()
    form = {"client_id": "tv", "scope": "openid email orders.example.com/read"}
    device = post(server, metadata["device_authorization_endpoint"], data=form).json()
    poll = {"grant_type": DEVICE_GRANT, "device_code": device["device_code"], "client_id": "tv"}

    waiting = post(server, metadata["token_endpoint"], data=poll)
    assert (waiting.status_code, waiting.json()["error"]) == (400, "authorization_pending")

    person.approve(device)
    tokens = redeem(server, metadata, poll, device["interval"])

    # python-jose compares at_hash with the access token (OIDC Core 3.1.3.6).
    claims = jwt.decode(
        tokens["id_token"],
        key(metadata, tokens["id_token"]),
        algorithms=["RS256"],
        audience="tv",
        issuer=server.origin,
        access_token=tokens["access_token"],
        options={"require_at_hash": True},
    )
    access = jwt.decode(tokens["access_token"], key(metadata, tokens["access_token"]), algorithms=["ES256"], audience="orders.example.com")
    assert access["sub"] == claims["sub"]

    with pytest.raises(JWTError):
        signer = key(metadata, tokens["id_token"])
        jwt.decode(tokens["id_token"], signer, algorithms=["RS256"], audience="tv", access_token=tokens["access_token"] + "x")

    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    who = requests.get(metadata["userinfo_endpoint"], headers=bearer, timeout=10)
    assert who.json()["sub"] == claims["sub"]
    assert who.json()["email"] == "alice@example.com"


def redeem(server, metadata, poll, interval):
    """The loop of RFC 8628 3.5."""
    while True:
        reply = post(server, metadata["token_endpoint"], data=poll)
        error = reply.json().get("error")
        if reply.status_code == 200:
            return reply.json()
        assert error in ("authorization_pending", "slow_down"), reply.text
        interval += 5 if error == "slow_down" else 0
        time.sleep(interval)
