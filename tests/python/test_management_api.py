"""The management API as its OpenAPI document says that it is: the document is valid, and what the server answers to each role is in it."""

import base64
import contextlib
import hashlib
import secrets
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
import requests
import schemathesis
from conftest import Person, Server
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi

RIGHTS = [f"{kind}:{what}" for kind in ("clients", "users", "organizations", "config", "grants", "keys") for what in ("read", "write")]
RIGHTS += ["events:read", "clients:own", "self"]
REDIRECT = "https://app.example.com/callback"

USERS = {
    "administrator": 'groups = ["admins"]',
    "administrator of an organization": 'groups = ["admins"]\norganization = "acme"',
    "developer": 'groups = ["developers"]',
    "user": "",
}
NAMES = {role: role.replace(" ", "-") for role in USERS}
MACHINES = {f"machine with {right}": right.replace(":", "-") for right in RIGHTS}
ROLES = ["nobody", *USERS, *MACHINES]

# Braces are doubled, since the text is a template.
CONFIGURATION = """
issuer = "{origin}"
listen = "{address}"
store = "memory:"
key_file = "grantor.key"

[api]
enabled = true
developers = ["developers"]

[test]
wrong_passwords = 100000

[[organization]]
id = "acme"
name = "Acme Ltd"

[[resource]]
identifier = "orders.example.com"
scopes = {{ read = "Read orders" }}

[[client]]
id = "app"
name = "An app"
grants = ["authorization_code"]
scopes = [%s]
redirect_uris = ["%s"]
access_lifetime = "1h"
""" % (", ".join(f'"grantor/{right}"' for right in RIGHTS), REDIRECT)
for role, more in USERS.items():
    CONFIGURATION += f'\n[[user]]\nusername = "{NAMES[role]}"\npassword = "{{password}}"\n{more}\n'
for right, name in zip(RIGHTS, MACHINES.values()):
    CONFIGURATION += f"""
[[client]]
id = "{name}"
secret = "{{secret}}"
grants = ["client_credentials"]
scopes = ["grantor/{right}"]
access_lifetime = "1h"
"""


@pytest.fixture(scope="module")
def managed(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("grantor"), CONFIGURATION)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def document(managed):
    return requests.get(f"{managed.origin}/api/openapi.json", timeout=10).json()


@pytest.fixture(scope="module")
def tokens(managed):
    """An access token for each role. For users, each with what they can be given."""
    return {"nobody": None} | {role: of_user(managed, name) for role, name in NAMES.items()} | {role: of_machine(managed, name) for role, name in MACHINES.items()}


def of_machine(server, name):
    form = {"grant_type": "client_credentials"}
    answer = requests.post(f"{server.origin}/oauth2/token", data=form, auth=(name, server.secret), timeout=10)
    return server.remember(answer.json())["access_token"]


def of_user(server, name):
    verifier = secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    scope = " ".join(f"grantor/{right}" for right in RIGHTS)
    request = {"client_id": "app", "response_type": "code", "redirect_uri": REDIRECT, "scope": scope, "code_challenge": challenge, "code_challenge_method": "S256"}
    arrived = Person(server, name).follow(f"{server.origin}/oauth2/authorize?{urlencode(request)}")
    code = parse_qs(urlparse(arrived).query)["code"][0]
    form = {"grant_type": "authorization_code", "client_id": "app", "code": code, "redirect_uri": REDIRECT, "code_verifier": verifier}
    return server.remember(requests.post(f"{server.origin}/oauth2/token", data=form, timeout=10).json())["access_token"]


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_each_example_and_default_is_valid(document):
    found = list(described(document))
    assert found != [], "the search finds them"
    for schema, value in found:
        # References lead into the whole document.
        Draft202012Validator(schema | {"components": document["components"]}).validate(value)


def described(part):
    """Each schema of the document that has values, with each of them."""
    if isinstance(part, list):
        for item in part:
            yield from described(item)
    if isinstance(part, dict):
        for value in part.get("examples", []):
            yield part, value
        # Of those that are no schemas, the value is of their member `schema`.
        for key in ("default", "example"):
            if key in part and not isinstance(part.get("type"), dict):
                yield part.get("schema", part), part[key]
        for key, item in part.items():
            if key not in ("default", "example", "examples"):
                yield from described(item)


def test_each_role_has_a_token_of_its_own(managed, tokens):
    for role, token in tokens.items():
        answer = requests.get(f"{managed.origin}/api/v1/me", headers=bearer(token), timeout=10)
        assert answer.status_code == (401 if role == "nobody" else 200), role
        if role in MACHINES:
            assert answer.json()["rights"] == [role.removeprefix("machine with ")]
        elif role == "administrator":
            assert sorted(answer.json()["rights"]) == sorted(RIGHTS)


def bearer(token):
    return {} if token is None else {"authorization": f"Bearer {token}"}


CHECKS = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
]
# The same requests in each run, and few: each role sends all of them. What is not valid comes, too.
BOUNDED = settings(max_examples=4, derandomize=True, database=None, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def cases(document, managed):
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=f"{managed.origin}/api/v1")
    found = []
    for operation in (it.ok() for it in schema.get_all_operations()):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            collect = given(case=operation.as_strategy(generation_mode=mode))(lambda case: found.append(case))
            with contextlib.suppress(Unsatisfiable):
                BOUNDED(collect)()
    assert {case.operation.label for case in found} == {operation.ok().label for operation in schema.get_all_operations()}
    return found


@pytest.mark.parametrize("role", ROLES)
def test_what_is_answered_is_documented(cases, role, tokens):
    statuses = {case.call_and_validate(headers=bearer(tokens[role]), checks=CHECKS, timeout=30).status_code for case in cases}
    if role == "nobody":
        assert all(status >= 400 for status in statuses)
    elif role == "administrator":
        # What is sent gets far enough to mean something.
        assert statuses >= {200, 201, 400, 404, 422, 428}
