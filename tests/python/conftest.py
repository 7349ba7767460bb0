"""The real binary, run as an operator runs it, for the Python clients: a configuration in a folder of its own, a free port, SIGTERM at the end."""

import os
import secrets
import signal
import socket
import subprocess
import threading
from html.parser import HTMLParser
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release/grantor"
START_TIMEOUT = STOP_TIMEOUT = 20

CONFIGURATION = """
issuer = "{origin}"
listen = "{address}"
store = "sqlite:grantor.db"
key_file = "grantor.key"

[device]
interval = "1s"

[[resource]]
identifier = "orders.example.com"
scopes = {{ read = "Read orders" }}

[[resource]]
identifier = "shipping.example.com"
scopes = {{ read = "Read shipments" }}

[[client]]
id = "tv"
name = "Living-room TV"
grants = ["device_code", "refresh_token"]
scopes = ["openid", "profile", "email", "orders.example.com/read"]

[[client]]
id = "shop"
name = "Web shop"
secret = "{shop_secret}"
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "orders.example.com/read"]
redirect_uris = ["https://shop.example.com/callback"]
post_logout_redirect_uris = ["https://shop.example.com/bye"]

[[client]]
id = "app"
name = "Phone app"
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "orders.example.com/read"]
redirect_uris = ["https://app.example.com/callback"]
post_logout_redirect_uris = ["https://app.example.com/bye"]

[[client]]
id = "orders"
secret = "{secret}"
grants = ["client_credentials", "token_exchange"]
scopes = ["orders.example.com/read"]
resources = ["orders.example.com"]

[[exchange]]
client = "orders"
audience = "shipping.example.com"
scopes = {{ "orders.example.com/read" = ["shipping.example.com/read"] }}

[[user]]
username = "alice"
password = "{password}"
email = "alice@example.com"
"""


class Server:
    """One server, and what must never stand in its log."""

    def __init__(self, folder, configuration=CONFIGURATION):
        self.folder, self.configuration = folder, configuration
        self.secret = secrets.token_urlsafe(32)
        self.shop_secret = secrets.token_urlsafe(32)
        self.password = secrets.token_urlsafe(16)
        self.seen = {self.secret, self.shop_secret, self.password}
        self.output = []

    def start(self):
        for _ in range(5):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                address = f"127.0.0.1:{probe.getsockname()[1]}"
            self.origin = f"http://{address}"
            file = self.folder / "grantor.toml"
            file.write_text(self.configuration.format(address=address, **vars(self)))
            if self._run(file):
                return
            if "in use" not in self.log():
                break
        raise AssertionError(f"the server did not start\n{self.log()}")

    def _run(self, file):
        command = [BINARY, "serve", "--config", file]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        listening = threading.Event()

        def read():
            for line in self.process.stdout:
                self.output.append(line)
                if line.strip() == f"listening on {self.origin}":
                    self.listens = True
                    listening.set()
            listening.set()

        self.listens = False
        self.reader = threading.Thread(target=read, daemon=True)
        self.reader.start()
        listening.wait(START_TIMEOUT)
        if self.listens:
            # On a busy machine the users of the file are written later than the server says that it listens.
            assert any(requests.get(f"{self.origin}/readyz", timeout=30).ok for _ in range(10_000)), self.log()
        return self.listens

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_TIMEOUT) == 0, self.log()
        self.reader.join(STOP_TIMEOUT)
        assert "panicked at" not in self.log()
        told = [line for line in self.output if any(value in line for value in self.seen)]
        assert told == [], "the log must hold no secret"

    def log(self):
        return "".join(self.output)

    def remember(self, answer):
        for name in ("access_token", "refresh_token", "id_token", "device_code", "user_code"):
            if name in answer:
                self.seen.add(answer[name])
        return answer

    def metadata(self):
        return requests.get(f"{self.origin}/.well-known/openid-configuration", timeout=10).json()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("grantor"))
    server.start()
    yield server
    server.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the server's log."""
    report = yield
    if report.when == "call" and report.failed and "server" in item.funcargs:
        report.sections.append(("the server's log", item.funcargs["server"].log()))
    return report


class Forms(HTMLParser):
    """The forms of a page, with the values that they would send."""

    def __init__(self, text):
        super().__init__()
        self.forms = []
        self.ids = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        if tag == "form":
            self.forms.append({"action": attributes.get("action", ""), "values": {}, "buttons": {}})
        elif tag == "input" and self.forms and attributes.get("name"):
            self.forms[-1]["values"][attributes["name"]] = attributes.get("value") or ""
        elif tag == "button" and self.forms and attributes.get("name"):
            value = attributes.get("value", "")
            self.forms[-1]["buttons"][value] = {attributes["name"]: value}


# What an app's request may lead to, in this order: the button of each page.
BUTTONS = ("sign-in", "approve", "sign-out")


class Arrival(requests.adapters.BaseAdapter):
    """An app's side of a redirect: nothing is sent there, the address is what counts."""

    def send(self, request, **_):
        response = requests.Response()
        response.status_code = 200
        response.url = request.url
        response.request = request
        return response

    def close(self):
        pass


class Person:
    """Somebody with a browser: keeps cookies, fills in the forms that the page has."""

    def __init__(self, server, username="alice"):
        self.server, self.username = server, username
        self.session = requests.Session()
        self.asked = []
        for app in ("https://shop.example.com/", "https://app.example.com/"):
            self.session.mount(app, Arrival())

    def follow(self, url):
        """Follows an app's request to sign in or out, doing what is asked on the way; the address in the app to which it leads."""
        self.asked = []
        page = self.session.get(url, timeout=10)
        for button in BUTTONS:
            if any(button in form["buttons"] for form in Forms(page.text).forms):
                self.asked.append(button)
                typed = {"username": self.username, "password": self.server.password} if button == "sign-in" else {}
                page = self.submit(page, button, **typed)
        assert not page.url.startswith(self.server.origin), page.text
        return page.url

    def approve(self, device):
        page = self.session.get(device["verification_uri_complete"], timeout=10)
        page = self.submit(page, "sign-in", username=self.username, password=self.server.password)
        page = self.submit(page, "continue", user_code=device["user_code"])
        page = self.submit(page, "approve")
        assert "done" in Forms(page.text).ids, page.text

    def submit(self, page, button, **fields):
        form = next((form for form in Forms(page.text).forms if button in form["buttons"]), None)
        assert form, f"no button {button} in\n{page.text}"
        values = form["values"] | fields | form["buttons"][button]
        return self.session.post(requests.compat.urljoin(page.url, form["action"]), data=values, timeout=10)


@pytest.fixture
def person(server):
    return Person(server)


@pytest.fixture
def insecure_transport(monkeypatch):
    """oauthlib's switch for a server on this machine: else it sends nothing by plain http."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
