/** Who is signed in, kept by oidc-client-ts. React reads it by `useSession`; nothing else holds tokens. */
import { useSyncExternalStore } from "react";
import { ErrorResponse, type User, UserManager, WebStorageStateStore } from "oidc-client-ts";

export const ISSUER: string = import.meta.env.VITE_ISSUER;
const SCOPE = "openid profile email notes.example.com/read notes.example.com/write";

/** Set while somebody is signed in to this app in this browser: a word for its other tabs, no secret. */
const SIGNED_IN = "notes.signed-in";

/** What a request for authorization without a user's help may end with; none of them is an error (OpenID Connect Core 3.1.2.6). */
const NEEDS_THE_USER = ["login_required", "consent_required", "interaction_required", "account_selection_required"];

export interface Session {
  user?: User;
  /** How often this page has got new tokens. */
  refreshes: number;
  /** What went wrong, for people. */
  problem?: string;
}

const manager = new UserManager({
  authority: ISSUER,
  client_id: "notes",
  redirect_uri: `${location.origin}/callback`,
  post_logout_redirect_uri: `${location.origin}/`,
  scope: SCOPE,
  // This tab's, and gone with it. README.md weighs it against the other places.
  userStore: new WebStorageStateStore({ store: sessionStorage, prefix: "user." }),
  stateStore: new WebStorageStateStore({ store: sessionStorage, prefix: "request." }),
  loadUserInfo: true,
  // A minute before the access token ends.
  automaticSilentRenew: true,
  // Revoking the refresh token ends the grant, and with it every token of it.
  revokeTokensOnSignout: true,
  revokeTokenTypes: ["refresh_token"],
});

let session: Session = { refreshes: 0 };
const readers = new Set<() => void>();

export function useSession(): Session {
  return useSyncExternalStore(
    (reader) => {
      readers.add(reader);
      return () => readers.delete(reader);
    },
    () => session,
  );
}

function change(changes: Partial<Session>): void {
  session = { ...session, ...changes };
  for (const reader of readers) reader();
}

/** Once, before the first page is shown: takes the answer of a redirect, or finds out whether somebody is signed in. */
export async function begin(): Promise<void> {
  manager.events.addUserLoaded((user) => {
    const refreshes = session.user ? session.refreshes + 1 : 0;
    change({ user, refreshes, problem: undefined });
  });
  manager.events.addUserUnloaded(() => change({ user: undefined }));
  manager.events.addSilentRenewError((error) => void refreshFailed(error));
  addEventListener("storage", ({ key, newValue }) => {
    if (key === SIGNED_IN && newValue === null) void forget("You signed out in another tab.");
  });
  try {
    if (location.pathname === "/callback") await takeAnswer();
    else await resume();
  } catch (error) {
    change({ problem: told(error) });
  }
}

/** Sends the browser to Grantor's pages. It comes back to /callback. */
export function signIn(): Promise<void> {
  return redirect({});
}

/** Ends the grant, then sends the browser to Grantor to end the session there, for all apps. */
export async function signOut(): Promise<void> {
  try {
    const leaving = manager.signoutRedirect();
    localStorage.removeItem(SIGNED_IN);
    await leaving;
  } catch (error) {
    change({ problem: told(error) });
  }
}

/** An access token to call the API with: a new one where `fresh` says so, or where the one that is there has ended. */
export async function accessToken({ fresh = false } = {}): Promise<string> {
  const user = await manager.getUser();
  if (user && !user.expired && !fresh) return user.access_token;
  return (await refresh()).access_token;
}

let refreshing: Promise<User> | undefined;

/** New tokens for the refresh token. Whoever asks meanwhile gets the same ones. */
export function refresh(): Promise<User> {
  refreshing ??= silently().finally(() => (refreshing = undefined));
  return refreshing;
}

async function silently(): Promise<User> {
  try {
    const user = await manager.signinSilent();
    if (user) return user;
  } catch (error) {
    await refreshFailed(error);
    throw error;
  }
  throw new Error("Nobody is signed in.");
}

async function refreshFailed(error: unknown): Promise<void> {
  // Signed out elsewhere, or not here for weeks. All else may be better at the next try.
  if (error instanceof ErrorResponse && error.error === "invalid_grant") await forget("Your session has ended. Sign in again.");
  else change({ problem: told(error) });
}

async function forget(problem: string): Promise<void> {
  localStorage.removeItem(SIGNED_IN);
  await manager.removeUser();
  change({ problem });
}

/** A tab that is opened anew has no tokens. Where somebody is signed in at Grantor it gets them without a question. */
async function resume(): Promise<void> {
  const user = await manager.getUser();
  if (user?.expired) await refresh();
  else if (user) change({ user });
  else if (localStorage.getItem(SIGNED_IN)) await redirect({ prompt: "none" });
}

/** A nonce too, which oidc-client-ts checks but does not make: the ID token must answer this very request. */
async function redirect(request: { prompt?: "none" }): Promise<void> {
  try {
    await manager.signinRedirect({ ...request, nonce: crypto.randomUUID() });
  } catch (error) {
    change({ problem: told(error) });
  }
}

async function takeAnswer(): Promise<void> {
  const answer = new URL(location.href);
  // The code is of no use to anybody after this; still it does not stay in the history.
  history.replaceState(null, "", "/");
  // RFC 9207 section 2.4: "Clients MUST then decode the value from its "application/x-www-form-urlencoded" form [...] and
  // compare [...] to the issuer identifier of the authorization server where the authorization request was sent to."
  if (answer.searchParams.get("iss") !== ISSUER) throw new Error("The answer is not from the server that was asked.");
  try {
    await manager.signinCallback(answer.href);
    localStorage.setItem(SIGNED_IN, "yes");
  } catch (error) {
    localStorage.removeItem(SIGNED_IN);
    if (!(error instanceof ErrorResponse && NEEDS_THE_USER.includes(error.error ?? ""))) throw error;
  }
}

function told(error: unknown): string {
  if (error instanceof ErrorResponse && error.error === "access_denied") return "You did not let this app in.";
  if (error instanceof ErrorResponse) return `${error.message} (${error.error})`;
  if (error instanceof TypeError) return `${new URL(ISSUER).host} cannot be reached.`;
  return error instanceof Error ? error.message : String(error);
}
