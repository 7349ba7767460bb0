"""Access tokens for a program that acts for itself (RFC 6749 section 4.4)."""

import time

import httpx

# Asked for again so long before it ends.
MARGIN = 60


class ClientCredentials(httpx.Auth):
    """Sends an access token with each request, and asks for another one before it ends or once it is refused."""

    requires_response_body = True

    def __init__(self, issuer, client_id, secret, scope):
        self.form = {"grant_type": "client_credentials", "scope": scope}
        self.url = f"{issuer}/oauth2/token"
        self.basic = httpx.BasicAuth(client_id, secret)
        self.token, self.ends = None, 0.0

    def auth_flow(self, request):
        if time.monotonic() > self.ends - MARGIN:
            yield from self._ask()
        request.headers["Authorization"] = f"Bearer {self.token}"
        response = yield request
        if response.status_code == 401:
            # It ended early, such as by a restart with other keys.
            yield from self._ask()
            request.headers["Authorization"] = f"Bearer {self.token}"
            yield request

    def _ask(self):
        asked = time.monotonic()
        request = httpx.Request("POST", self.url, data=self.form)
        response = yield next(self.basic.auth_flow(request))
        response.raise_for_status()
        answer = response.json()
        self.token, self.ends = answer["access_token"], asked + answer["expires_in"]
