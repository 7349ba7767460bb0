/** The API, called in the user's name. */
import { accessToken } from "./session";

const API: string = import.meta.env.VITE_API;

export interface Note {
  id: number;
  text: string;
  at: string;
}

export interface Notes {
  /** Whom the API takes the caller for: the `sub` of the access token. */
  owner: string;
  notes: Note[];
}

export function notes(): Promise<Notes> {
  return call("/notes");
}

export function add(text: string): Promise<Note> {
  return call("/notes", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text }) });
}

async function call<Answer>(path: string, request: RequestInit = {}): Promise<Answer> {
  let response = await send(path, request, await accessToken());
  // The token may have ended on its way. A new one is tried once.
  if (response.status === 401) response = await send(path, request, await accessToken({ fresh: true }));
  if (!response.ok) throw new Error(await refusal(response));
  return (await response.json()) as Answer;
}

async function send(path: string, request: RequestInit, token: string): Promise<Response> {
  const headers = { ...request.headers, Authorization: `Bearer ${token}` };
  try {
    return await fetch(API + path, { ...request, headers });
  } catch {
    throw new Error("The API cannot be reached.");
  }
}

/** What the API says: in its challenge (RFC 6750 section 3), else in its body. */
async function refusal(response: Response): Promise<string> {
  const challenge = response.headers.get("WWW-Authenticate") ?? "";
  const description = /error_description="([^"]*)"/.exec(challenge)?.[1];
  if (description) return `${description} (${response.status})`;
  const body: unknown = await response.json().catch(() => undefined);
  const detail = (body as { detail?: string | { msg: string }[] } | undefined)?.detail;
  return `${typeof detail === "string" ? detail : (detail?.[0]?.msg ?? response.statusText)} (${response.status})`;
}
