import type { User } from "oidc-client-ts";
import { type SubmitEvent, useEffect, useState } from "react";

import * as api from "./api";
import { Problem } from "./Problem";
import { TokensSection } from "./TokensSection";
import { signOut } from "./session";

export function NotesPage({ user, refreshes }: { user: User; refreshes: number }) {
  const { owner, notes, problem, add } = useNotes();
  const [text, setText] = useState("");

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    if (await add(text)) setText("");
  }

  return (
    <>
      <header>
        <p>
          Signed in as <strong id="name">{user.profile.name ?? user.profile.preferred_username ?? user.profile.sub}</strong>{" "}
          {user.profile.email && <span id="email">{user.profile.email}</span>}
        </p>
        <button type="button" className="quiet" id="sign-out" onClick={() => void signOut()}>
          Sign out
        </button>
      </header>
      <h1>Your notes</h1>
      <Problem id="notes-problem" text={problem} />
      <form onSubmit={(event) => void submit(event)}>
        <label htmlFor="text">New note</label>
        <input id="text" value={text} onChange={(event) => setText(event.target.value)} autoComplete="off" />
        <button type="submit" className="primary" id="add">
          Add
        </button>
      </form>
      {notes && (
        <ul id="notes" aria-label="Notes">
          {notes.map((note) => (
            <li key={note.id}>{note.text}</li>
          ))}
        </ul>
      )}
      {notes?.length === 0 && <p className="hint">None yet.</p>}
      <TokensSection user={user} refreshes={refreshes} owner={owner} />
    </>
  );
}

/** What the API has of this user, and how to add to it. */
function useNotes() {
  const [list, setList] = useState<api.Notes>();
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    api.notes().then(setList, (error: Error) => setProblem(error.message));
  }, []);

  async function add(text: string): Promise<boolean> {
    try {
      await api.add(text);
      setList(await api.notes());
      setProblem(undefined);
      return true;
    } catch (error) {
      setProblem((error as Error).message);
      return false;
    }
  }

  return { ...list, problem, add };
}
