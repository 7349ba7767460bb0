"""Notes: a small API. Each user has notes of their own; who the user is, the access token says."""

import os
from collections import defaultdict
from datetime import UTC, datetime
from typing import Annotated

from access_token import Caller, Verifier
from fastapi import Depends, FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from pydantic import BaseModel, ConfigDict, StringConstraints

MAX_NOTES = 100

verifier = Verifier(
    issuer=os.environ.get("ISSUER", "http://127.0.0.1:8080"),
    audience=os.environ.get("AUDIENCE", "notes.example.com"),
)
Reader = Annotated[Caller, Depends(verifier.needs("notes.example.com/read"))]
Writer = Annotated[Caller, Depends(verifier.needs("notes.example.com/write"))]

app = FastAPI(title="Notes", docs_url=None, redoc_url=None)
app.add_middleware(
    CORSMiddleware,
    # The app's origin and no other. No cookie is used here, so none is let through.
    allow_origins=[os.environ.get("APP_ORIGIN", "http://127.0.0.1:8081")],
    allow_methods=["GET", "POST"],
    allow_headers=["Authorization", "Content-Type"],
    # Else the app could not read why it was refused.
    expose_headers=["WWW-Authenticate"],
)


class NewNote(BaseModel):
    """What the caller sends. Whose it will be is no part of it, and a body that says so is refused."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Note(BaseModel):
    id: int
    text: str
    at: datetime


class Notes(BaseModel):
    owner: str
    notes: list[Note]


# By the user's `sub`. In memory: this is an example.
notes: defaultdict[str, list[Note]] = defaultdict(list)


@app.get("/notes")
def of_caller(caller: Reader) -> Notes:
    return Notes(owner=caller.user, notes=notes[caller.user])


@app.post("/notes", status_code=201)
def add(new: NewNote, caller: Writer) -> Note:
    own = notes[caller.user]
    if len(own) >= MAX_NOTES:
        raise HTTPException(409, f"You have {MAX_NOTES} notes already.")
    note = Note(id=len(own) + 1, text=new.text, at=datetime.now(UTC))
    own.append(note)
    return note
