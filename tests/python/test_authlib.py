"""Authlib's `OAuth2Session`, unmodified: every call of it that Grantor has an endpoint for."""

import pytest
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE_SCOPE = "openid email orders.example.com/read"


def test_a_machine_by_basic_and_by_the_body_gets_introspects_and_revokes_a_token(server):
    metadata = server.metadata()
    for method in ("client_secret_basic", "client_secret_post"):
        orders = OAuth2Session("orders", server.secret, token_endpoint_auth_method=method, revocation_endpoint_auth_method=method)
        token = server.remember(orders.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", scope="orders.example.com/read"))
        assert (token["token_type"], token["scope"]) == ("Bearer", "orders.example.com/read")
        assert "refresh_token" not in token

        told = introspected(orders, metadata, token["access_token"])
        assert (told["active"], told["client_id"], told["aud"]) == (True, "orders", "orders.example.com")

        assert orders.revoke_token(metadata["revocation_endpoint"], token["access_token"], "access_token").status_code == 200
        assert introspected(orders, metadata, token["access_token"]) == {"active": False}


def test_a_device_is_told_to_wait_and_then_gets_uses_refreshes_and_revokes_its_tokens(server, person):
    metadata = server.metadata()
    tv = OAuth2Session("tv", token_endpoint_auth_method="none", revocation_endpoint_auth_method="none")
    form = {"client_id": "tv", "scope": DEVICE_SCOPE}
    device = server.remember(tv.request("POST", metadata["device_authorization_endpoint"], data=form, withhold_token=True).json())

    def poll():
        return tv.fetch_token(metadata["token_endpoint"], grant_type=DEVICE_GRANT, device_code=device["device_code"])

    with pytest.raises(OAuthError) as refused:
        poll()
    assert refused.value.error == "authorization_pending"
    person.approve(device)
    first = server.remember(poll())
    assert tv.get(metadata["userinfo_endpoint"]).json()["email"] == "alice@example.com"

    second = server.remember(tv.refresh_token(metadata["token_endpoint"]))
    assert second["refresh_token"] != first["refresh_token"]
    # A client that lost the answer asks again, and gets the same successor.
    again = server.remember(tv.refresh_token(metadata["token_endpoint"], refresh_token=first["refresh_token"]))
    assert again["refresh_token"] == second["refresh_token"]

    orders = OAuth2Session("orders", server.secret)
    assert introspected(orders, metadata, second["access_token"])["active"] is True
    assert tv.revoke_token(metadata["revocation_endpoint"], second["refresh_token"], "refresh_token").status_code == 200
    assert introspected(orders, metadata, second["access_token"]) == {"active": False}
    with pytest.raises(OAuthError) as refused:
        tv.refresh_token(metadata["token_endpoint"], refresh_token=second["refresh_token"])
    assert refused.value.error == "invalid_grant"


def test_a_service_exchanges_a_users_token_to_call_the_next_one(server, person):
    metadata = server.metadata()
    tv = OAuth2Session("tv", token_endpoint_auth_method="none")
    form = {"client_id": "tv", "scope": DEVICE_SCOPE}
    device = server.remember(tv.request("POST", metadata["device_authorization_endpoint"], data=form, withhold_token=True).json())
    person.approve(device)
    subject = server.remember(tv.fetch_token(metadata["token_endpoint"], grant_type=DEVICE_GRANT, device_code=device["device_code"]))

    def exchange(**more):
        orders = OAuth2Session("orders", server.secret)
        asked = {"subject_token": subject["access_token"], "subject_token_type": ACCESS_TOKEN} | more
        return server.remember(orders.fetch_token(metadata["token_endpoint"], grant_type=EXCHANGE, **asked))

    token = exchange(audience="shipping.example.com")
    assert (token["issued_token_type"], token["token_type"], token["scope"]) == (ACCESS_TOKEN, "Bearer", "shipping.example.com/read")
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
    claims = jwt.decode(token["access_token"], keys, algorithms=["ES256"]).claims
    assert (claims["aud"], claims["act"]) == ("shipping.example.com", {"sub": "orders", "client_id": "orders"})
    assert claims["sub"] == jwt.decode(subject["access_token"], keys, algorithms=["ES256"]).claims["sub"]

    for more, error in [
        ({"audience": "nobody.example.com"}, "invalid_target"),
        ({"audience": "shipping.example.com", "scope": "openid"}, "invalid_scope"),
        ({"audience": "shipping.example.com", "subject_token": "nonsense"}, "invalid_request"),
    ]:
        with pytest.raises(OAuthError) as refused:
            exchange(**more)
        assert refused.value.error == error
        assert refused.value.description


def test_a_wrong_secret_is_an_oauth_error_that_says_what_is_wrong(server):
    stranger = OAuth2Session("orders", "x" * 32)
    with pytest.raises(OAuthError) as refused:
        stranger.fetch_token(server.metadata()["token_endpoint"], grant_type="client_credentials")
    assert refused.value.error == "invalid_client"
    assert refused.value.description


def introspected(session, metadata, token):
    reply = session.introspect_token(metadata["introspection_endpoint"], token)
    assert reply.status_code == 200, reply.text
    return reply.json()
