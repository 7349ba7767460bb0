"""Makes Grantor what a file says: reads what is there, compares, and changes what differs.

Each change names the version that it replaces (If-Match), so that what someone else changed meanwhile is not lost: Grantor
refuses it with 412, and the next round reads again. A round that fails in the middle is finished by the next one.
"""

import argparse
import os
import time
import tomllib
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType

import httpx
from grantor_api.api.clients import (
    create_client,
    create_client_secret,
    delete_client,
    delete_client_secret,
    get_client,
    list_client_secrets,
    list_clients,
    replace_client,
)
from grantor_api.api.configuration import create_resource, delete_resource, get_resource, list_resources, replace_resource
from grantor_api.client import Client as Connection
from grantor_api.models import ClientInput, ClientSecretInput, ResourceInput
from grantor_api.types import UNSET
from token_source import ClientCredentials

DEPLOYER = "deployer"
SCOPE = "grantor/config:write grantor/clients:write"


@dataclass(frozen=True)
class Kind:
    """A kind of object: its table in the file, the member that names one, and what the generated client calls it."""

    table: str
    key: str
    body: type
    list: ModuleType
    get: ModuleType
    create: ModuleType
    replace: ModuleType
    delete: ModuleType

    def written(self, members):
        """What can be written of an object, and no more. Two are the same if this is."""
        return self.body.from_dict(members).to_dict()


# What comes first is needed by what follows.
KINDS = [
    Kind("resource", "identifier", ResourceInput, list_resources, get_resource, create_resource, replace_resource, delete_resource),
    Kind("client", "id", ClientInput, list_clients, get_client, create_client, replace_client, delete_client),
]


class Refused(Exception):
    """An answer other than the one that was asked for. Grantor says why, and by which trace its log says more."""

    def __init__(self, what, response):
        self.status, problem = int(response.status_code), response.parsed
        super().__init__(f"{what}: {self.status} {getattr(problem, 'detail', '')}")
        for error in getattr(problem, "errors", None) or []:
            self.add_note(f"{error.pointer}: {error.detail}")
        if problem is not None:
            self.add_note(f"trace {problem.trace_id}")


def asked(what, response, expected=200):
    if response.status_code != expected:
        raise Refused(what, response)
    return response


def everything(kind, connection):
    """All objects of a kind, page by page."""
    after = UNSET
    while after is not None:
        page = asked(f"list each {kind.table}", kind.list.sync_detailed(client=connection, after=after)).parsed
        yield from page.items
        after = page.next_


class Reconciler:
    def __init__(self, connection, secrets):
        self.connection, self.secrets = connection, secrets

    def round(self, wanted):
        """One comparison of everything. What is refused does not keep the rest from being done."""
        done = True
        surplus = []
        for kind in KINDS:
            there = {getattr(it, kind.key): it for it in everything(kind, self.connection)}
            for members in wanted.get(kind.table, []):
                done &= self.attempt(self.make_so, kind, members, there.pop(members[kind.key], None))
            surplus += [(kind, name) for name, it in there.items() if self.is_ours(it)]
        # An API goes after the clients that name it.
        for kind, name in reversed(surplus):
            done &= self.attempt(self.remove, kind, name)
        return done

    def attempt(self, step, *args):
        try:
            step(*args)
            return True
        except Refused as refused:
            say(str(refused), *refused.__notes__)
            return False

    def is_ours(self, found):
        """What others made stays, and so does what the configuration file declares."""
        return not found.declared and found.changed.by == f"client:{DEPLOYER}"

    def make_so(self, kind, members, found):
        name = members[kind.key]
        what = f"{kind.table} {name}"
        if found is None:
            # The same key for the same object: a request whose answer was lost can be sent again.
            key = uuid.uuid5(uuid.NAMESPACE_URL, f"{what} {kind.written(members)} {time.time() // 60}")
            body = kind.body.from_dict(members)
            created = asked(f"create {what}", kind.create.sync_detailed(client=self.connection, body=body, idempotency_key=str(key)), 201)
            self.keep_secret(name, created.parsed)
            say(f"created {what}")
        elif self.differs(kind, members, found):
            # The list has no ETags: the object is read with its version, and compared once more.
            current = asked(f"read {what}", kind.get.sync_detailed(name, client=self.connection))
            if self.differs(kind, members, current.parsed):
                body = kind.body.from_dict(members)
                etag = current.headers["etag"]
                asked(f"change {what}", kind.replace.sync_detailed(name, client=self.connection, body=body, if_match=etag))
                say(f"changed {what}")

    def differs(self, kind, members, found):
        there = found.to_dict()
        # Where the file does not say whether a client has a secret, its grants do.
        wanted = {"confidential": there["confidential"], **members} if "confidential" in there else members
        return kind.written(wanted) != kind.written(there)

    def remove(self, kind, name):
        current = asked(f"read {kind.table} {name}", kind.get.sync_detailed(name, client=self.connection))
        etag = current.headers["etag"]
        asked(f"delete {kind.table} {name}", kind.delete.sync_detailed(name, client=self.connection, if_match=etag), 204)
        (self.secrets / name).unlink(missing_ok=True)
        say(f"deleted {kind.table} {name}")

    def keep_secret(self, name, answer):
        """A secret is shown once: it is put where the client finds it, readable by its owner only."""
        if not getattr(answer, "secret", UNSET):
            return
        self.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.secrets / f".{name}"
        with open(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as opened:
            opened.write(answer.secret)
        file.replace(self.secrets / name)

    def rotate(self, name):
        """Another secret without a gap: the client has the new one, and it counts, before the old one is deleted."""
        what = f"client {name}"
        old = asked(f"list the secrets of {what}", list_client_secrets.sync_detailed(name, client=self.connection)).parsed.items
        added = asked(f"add a secret to {what}", create_client_secret.sync_detailed(name, client=self.connection, body=ClientSecretInput()), 201)
        wait_until(added.parsed.effective_at)
        self.keep_secret(name, added.parsed)
        for secret in old:
            deleted = delete_client_secret.sync_detailed(name, secret.id, client=self.connection)
            asked(f"delete a secret of {what}", deleted, 204)
        say(f"rotated the secret of {what}")


def wait_until(moment):
    """Other servers over the same store know a change by then."""
    time.sleep(max(0.0, (moment - datetime.now(timezone.utc)).total_seconds()))


def say(line, *notes):
    print("\n  ".join([line, *notes]), flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("wanted", type=Path, help="the file that says what there should be")
    arguments.add_argument("--secrets", type=Path, required=True, help="the folder for the secrets of clients")
    arguments.add_argument("--every", type=float, help="compare again after so many seconds, for good")
    arguments.add_argument("--rotate", metavar="CLIENT", help="give this client another secret instead")
    arguments = arguments.parse_args()

    issuer = os.environ["ISSUER"]
    auth = ClientCredentials(issuer, DEPLOYER, os.environ["DEPLOYER_SECRET"], SCOPE)
    connection = Connection(base_url=f"{issuer}/api/v1", httpx_args={"auth": auth}, timeout=httpx.Timeout(10))
    reconciler = Reconciler(connection, arguments.secrets)
    if arguments.rotate:
        reconciler.rotate(arguments.rotate)
        return
    while True:
        try:
            done = reconciler.round(tomllib.loads(arguments.wanted.read_text()))
        except (Refused, httpx.HTTPError, tomllib.TOMLDecodeError) as error:
            say(str(error), *getattr(error, "__notes__", []))
            done = False
        if arguments.every is None:
            raise SystemExit(0 if done else 1)
        time.sleep(arguments.every)


if __name__ == "__main__":
    main()
