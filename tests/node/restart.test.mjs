// What a server promised it remembers: through an orderly stop, and through a kill in the middle of its work.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';
import { assertOAuthError, deviceAuthorization, introspect, poll, refresh, revoke } from './lib/wire.mjs';

const server = useServer();

for (const end of ['stop', 'kill']) {
  test(`codes, grants, revocations and sessions outlive a ${end}`, async () => {
    const visitor = new Visitor(server);
    const [pending, approved, redeemed] = await Promise.all([1, 2, 3].map(() => deviceAuthorization(server)));
    await visitor.approve(approved);
    await visitor.approve(redeemed);
    const tokens = (await poll(server, redeemed.device_code)).json;
    const rotated = (await refresh(server, tokens.refresh_token)).json;
    assert.equal((await revoke(server, tokens.access_token)).status, 200);

    await server[end]();
    await server.restart();

    assertOAuthError(await poll(server, pending.device_code), 400, 'authorization_pending');
    assert.ok((await visitor.ask(pending)).has('approve'), 'still signed in, and still asked');
    assert.equal((await poll(server, approved.device_code)).status, 200);
    assertOAuthError(await poll(server, redeemed.device_code), 400, 'invalid_grant');
    assert.deepEqual(await introspect(server, tokens.access_token), { active: false });
    assert.equal((await introspect(server, rotated.access_token)).active, true);
    assert.equal((await refresh(server, rotated.refresh_token)).status, 200);
  });
}
