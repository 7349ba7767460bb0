"""Authlib, unmodified, signing people in: its integration into Flask for a web shop, its `OAuth2Session` for an app without a secret."""

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from flask import Flask, url_for
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import HTTPError

SCOPE = "openid profile email orders.example.com/read"


class Shop:
    """A web shop that knows of Grantor what its documentation says: an issuer, an id, a secret."""

    def __init__(self, server):
        self.app = Flask("shop")
        self.app.secret_key = server.shop_secret
        self.app.testing = True
        self.browser = self.app.test_client()
        self.grantor = OAuth(self.app).register(
            "grantor",
            client_id="shop",
            client_secret=server.shop_secret,
            server_metadata_url=f"{server.origin}/.well-known/openid-configuration",
            client_kwargs={"scope": SCOPE, "code_challenge_method": "S256"},
        )
        self.token = None

        @self.app.get("/login")
        def login():
            return self.grantor.authorize_redirect(url_for("callback", _external=True), **self.parameters)

        @self.app.route("/callback", methods=["GET", "POST"])
        def callback():
            self.token = server.remember(self.grantor.authorize_access_token())
            return dict(self.grantor.userinfo())

        @self.app.get("/logout")
        def logout():
            return self.grantor.logout_redirect(url_for("bye", _external=True), self.token["id_token"])

        @self.app.get("/bye")
        def bye():
            return self.grantor.validate_logout_response()

    def open(self, url):
        return self.browser.get(url, base_url="https://shop.example.com")

    def sign_in(self, person, **parameters):
        """The shop's page after the sign-in, and the shop has its tokens."""
        self.parameters = parameters
        return self.open(person.follow(self.open("/login").location))


@pytest.fixture
def shop(server):
    return Shop(server)


def test_a_flask_app_signs_somebody_in_and_out(server, shop, person):
    who = shop.sign_in(person)
    assert person.asked == ["sign-in", "approve"]
    assert who.json["email"] == "alice@example.com"
    claims = shop.token["userinfo"]
    assert claims["sub"] == who.json["sub"]
    assert {"nonce", "at_hash", "auth_time", "sid"} <= set(claims), "which Authlib has checked"

    shop.sign_in(person)
    assert person.asked == [], "the second time, nothing is asked"

    goodbye = shop.open(person.follow(shop.open("/logout").location))
    assert goodbye.json["post_logout_redirect_uri"] == "https://shop.example.com/bye"
    shop.sign_in(person)
    assert "sign-in" in person.asked


def test_a_flask_app_refreshes_introspects_and_revokes(server, shop, person):
    shop.sign_in(person)
    metadata = server.metadata()
    with OAuth2Session("shop", server.shop_secret, token=shop.token) as session:
        fresh = server.remember(session.refresh_token(metadata["token_endpoint"]))
        assert fresh["access_token"] != shop.token["access_token"]
        assert session.introspect_token(metadata["introspection_endpoint"], fresh["access_token"]).json()["active"] is True
        assert session.revoke_token(metadata["revocation_endpoint"], fresh["refresh_token"], "refresh_token").status_code == 200
        assert session.introspect_token(metadata["introspection_endpoint"], fresh["access_token"]).json() == {"active": False}
        with pytest.raises(OAuthError) as refused:
            session.refresh_token(metadata["token_endpoint"])
    assert refused.value.error == "invalid_grant"


def test_a_flask_app_is_told_that_nobody_has_signed_in(shop, person):
    with pytest.raises(OAuthError) as refused:
        shop.sign_in(person, prompt="none")
    assert refused.value.error == "login_required"


class App:
    """An app without a secret, as its developer writes it with Authlib's session."""

    def __init__(self, server):
        self.server = server
        self.metadata = server.metadata()
        self.session = OAuth2Session(
            "app",
            scope=SCOPE,
            redirect_uri="https://app.example.com/callback",
            code_challenge_method="S256",
            token_endpoint_auth_method="none",
            revocation_endpoint_auth_method="none",
        )
        self.verifier = "a-verifier-of-at-least-forty-three-characters"

    def request(self, **parameters):
        return self.session.create_authorization_url(self.metadata["authorization_endpoint"], code_verifier=self.verifier, **parameters)

    def redeem(self, answer, state, verifier):
        tokens = self.session.fetch_token(self.metadata["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier)
        return self.server.remember(tokens)

    def claims(self, tokens, **expected):
        """The ID token's claims, checked as OpenID Connect Core 3.1.3.7 asks."""
        keys = KeySet.import_key_set(self.session.get(self.metadata["jwks_uri"], withhold_token=True).json())
        token = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
        params = {"client_id": "app", "access_token": tokens["access_token"], **expected}
        claims = CodeIDToken(token.claims, token.header, {"iss": {"values": [self.metadata["issuer"]]}}, params)
        claims.validate()
        return claims


def test_an_app_without_a_secret_signs_somebody_in_refreshes_and_revokes(server, person):
    app = App(server)
    url, state = app.request(nonce="n-0S6_WzA2Mj", max_age="3600")
    tokens = app.redeem(person.follow(url), state, app.verifier)
    claims = app.claims(tokens, nonce="n-0S6_WzA2Mj", max_age=3600)
    assert claims["aud"] == "app"
    with pytest.raises(JoseError):
        app.claims(tokens, nonce="another")
    userinfo = app.session.get(app.metadata["userinfo_endpoint"]).json()
    assert (userinfo["sub"], userinfo["email"]) == (claims["sub"], "alice@example.com")

    fresh = server.remember(app.session.refresh_token(app.metadata["token_endpoint"]))
    assert app.claims(fresh)["auth_time"] == claims["auth_time"]
    assert app.session.revoke_token(app.metadata["revocation_endpoint"], fresh["refresh_token"], "refresh_token").status_code == 200
    with pytest.raises(HTTPError):
        app.session.get(app.metadata["userinfo_endpoint"]).raise_for_status()


def test_a_code_is_worth_nothing_without_its_verifier_and_nothing_twice(server, person):
    app = App(server)
    url, state = app.request()
    answer = person.follow(url)
    with pytest.raises(OAuthError) as refused:
        app.redeem(answer, state, "another-verifier-of-at-least-forty-three-chars")
    assert refused.value.error == "invalid_grant"

    url, state = app.request()
    answer = person.follow(url)
    app.redeem(answer, state, app.verifier)
    with pytest.raises(OAuthError) as refused:
        app.redeem(answer, state, app.verifier)
    assert refused.value.error == "invalid_grant"
    assert app.session.get(app.metadata["userinfo_endpoint"]).status_code == 401, "what the first gave is taken back"
