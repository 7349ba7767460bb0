"""`requests-oauthlib` over `oauthlib`, unmodified. They have calls for tokens; for introspection, revocation and device codes one posts forms with the same session."""

import pytest
from oauthlib.oauth2 import BackendApplicationClient, DeviceClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

pytestmark = pytest.mark.usefixtures("insecure_transport")

DEVICE_SCOPE = "openid email orders.example.com/read"


def test_a_machine_gets_introspects_and_revokes_a_token(server):
    metadata = server.metadata()
    orders = OAuth2Session(client=BackendApplicationClient("orders", scope=["orders.example.com/read"]))
    basic = HTTPBasicAuth("orders", server.secret)
    token = server.remember(orders.fetch_token(metadata["token_endpoint"], auth=basic))
    assert (token["token_type"], token["scope"]) == ("Bearer", ["orders.example.com/read"])

    told = post(orders, metadata["introspection_endpoint"], {"token": token["access_token"]}, basic).json()
    assert (told["active"], told["sub"]) == (True, "orders")
    assert post(orders, metadata["revocation_endpoint"], {"token": token["access_token"]}, basic).status_code == 200
    assert post(orders, metadata["introspection_endpoint"], {"token": token["access_token"]}, basic).json() == {"active": False}


def test_a_machine_can_send_its_secret_in_the_body(server):
    orders = OAuth2Session(client=BackendApplicationClient("orders"))
    token = orders.fetch_token(server.metadata()["token_endpoint"], client_secret=server.secret, include_client_id=True)
    assert server.remember(token)["scope"] == ["orders.example.com/read"], "all that it may ask for"


def test_a_device_is_told_to_wait_and_then_gets_uses_and_refreshes_its_tokens(server, person):
    metadata = server.metadata()
    tv = OAuth2Session(client=DeviceClient("tv"))
    form = {"client_id": "tv", "scope": DEVICE_SCOPE}
    device = server.remember(post(tv, metadata["device_authorization_endpoint"], form).json())

    def poll():
        return tv.fetch_token(metadata["token_endpoint"], device_code=device["device_code"], include_client_id=True)

    with pytest.raises(OAuth2Error) as refused:
        poll()
    assert refused.value.error == "authorization_pending"
    person.approve(device)
    first = server.remember(poll())
    assert set(first["scope"]) == set(DEVICE_SCOPE.split())
    assert tv.get(metadata["userinfo_endpoint"]).json()["email"] == "alice@example.com"

    second = server.remember(tv.refresh_token(metadata["token_endpoint"], client_id="tv"))
    assert second["refresh_token"] != first["refresh_token"]
    assert tv.get(metadata["userinfo_endpoint"]).status_code == 200

    form = {"client_id": "tv", "token": second["refresh_token"], "token_type_hint": "refresh_token"}
    assert post(tv, metadata["revocation_endpoint"], form).status_code == 200
    assert tv.get(metadata["userinfo_endpoint"]).status_code == 401
    with pytest.raises(OAuth2Error) as refused:
        tv.refresh_token(metadata["token_endpoint"], client_id="tv")
    assert refused.value.error == "invalid_grant"


def test_a_session_refreshes_by_itself_when_its_token_has_ended(server, person):
    metadata = server.metadata()
    tv = OAuth2Session(client=DeviceClient("tv"))
    device = server.remember(post(tv, metadata["device_authorization_endpoint"], {"client_id": "tv", "scope": DEVICE_SCOPE}).json())
    person.approve(device)
    first = tv.fetch_token(metadata["token_endpoint"], device_code=device["device_code"], include_client_id=True)
    server.remember(first)

    kept = []
    ended = dict(first, expires_in=-1, expires_at=1)
    again = OAuth2Session("tv", token=ended, auto_refresh_url=metadata["token_endpoint"], auto_refresh_kwargs={"client_id": "tv"}, token_updater=kept.append)
    assert again.get(metadata["userinfo_endpoint"]).status_code == 200
    assert len(kept) == 1
    assert server.remember(kept[0])["access_token"] != first["access_token"]


def post(session, url, form, auth=None):
    """`client_id` is not given to the session's own parameter of that name: it is a part of the form."""
    return session.request("POST", url, data=form, auth=auth, withhold_token=True, timeout=10)
