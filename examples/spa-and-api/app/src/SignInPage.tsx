import { ISSUER, signIn } from "./session";

export function SignInPage() {
  return (
    <>
      <h1>Notes</h1>
      <p className="lead">Notes of your own, wherever you sign in.</p>
      <button type="button" className="primary" id="sign-in" onClick={() => void signIn()}>
        Sign in
      </button>
      <p className="hint">You sign in at {new URL(ISSUER).host}. This app never sees your password.</p>
    </>
  );
}
