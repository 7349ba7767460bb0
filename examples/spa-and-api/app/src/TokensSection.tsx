import type { User } from "oidc-client-ts";

import { refresh } from "./session";

/** What an app does not show to its users, and who learns from an example wants to see. */
export function TokensSection({ user, refreshes, owner }: { user: User; refreshes: number; owner: string | undefined }) {
  const ends = new Date((user.expires_at ?? 0) * 1000);
  return (
    <section aria-labelledby="tokens">
      <h2 id="tokens">What happens underneath</h2>
      <dl>
        <dt>The ID token says that you are</dt>
        <dd id="subject">{user.profile.sub}</dd>
        <dt>The API takes you for</dt>
        <dd id="owner">{owner ?? "…"}</dd>
        <dt>This access token ends at</dt>
        <dd>
          <time id="ends" dateTime={ends.toISOString()}>
            {ends.toLocaleTimeString()}
          </time>
        </dd>
        <dt>Refreshed in this page</dt>
        <dd id="refreshes">{refreshes}</dd>
      </dl>
      <button type="button" className="secondary" id="refresh" onClick={() => void refresh().catch(() => undefined)}>
        Refresh now
      </button>
    </section>
  );
}
