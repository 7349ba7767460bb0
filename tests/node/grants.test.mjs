// What a device's life can look like, over the wire: pending, denied, redeemed, refreshed, raced, revoked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';

import { DEVICE_SCOPE } from './lib/config.mjs';
import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';
import { answer, as, assertOAuthError, basic, clientCredentials, deviceAuthorization, introspect, poll, post, refresh, revoke } from './lib/wire.mjs';

const server = useServer();

async function approved(id = 'tv', scope = DEVICE_SCOPE, username = 'alice') {
  const device = await deviceAuthorization(server, id, { scope });
  await new Visitor(server).approve(device, username);
  return device;
}

async function tokensOf(id, scope, username) {
  const reply = await poll(server, (await approved(id, scope, username)).device_code, id);
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

test('a device gets codes that a person can type and a machine can follow', async () => {
  const device = await deviceAuthorization(server, 'tv', { scope: 'openid' });
  assert.match(device.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  assert.equal(device.verification_uri, `${server.issuer}/device`);
  assert.equal(device.verification_uri_complete, `${server.issuer}/device?user_code=${device.user_code}`);
  assert.match(device.device_code, /^grantor_dc_/);
  assert.equal(device.expires_in, 600);
  assert.equal(device.interval, 1);
});

test('a device waits, and gets its tokens once', async () => {
  const device = await deviceAuthorization(server, 'tv', { scope: DEVICE_SCOPE });
  assertOAuthError(await poll(server, device.device_code), 400, 'authorization_pending');
  await new Visitor(server).approve(device);
  const first = await poll(server, device.device_code);
  assert.equal(first.status, 200, first.text);
  assert.match(first.headers.get('cache-control'), /no-store/);
  assert.equal(first.json.token_type, 'Bearer');
  assert.equal(first.json.expires_in, 600);
  assertOAuthError(await poll(server, device.device_code), 400, 'invalid_grant');
  assert.equal((await introspect(server, first.json.access_token)).active, true, 'a second poll takes nothing away');
});

test('a device that polls too fast is slowed down, and still gets its tokens', async () => {
  const device = await deviceAuthorization(server);
  assertOAuthError(await poll(server, device.device_code), 400, 'authorization_pending');
  assertOAuthError(await poll(server, device.device_code), 400, 'slow_down');
  await new Visitor(server).approve(device);
  assert.equal((await poll(server, device.device_code)).status, 200);
});

test('a denied device is told so, and nothing approves it afterwards', async () => {
  const device = await deviceAuthorization(server);
  const first = new Visitor(server);
  const second = new Visitor(server);
  const alsoAsked = await second.ask(device, 'bob');
  await first.deny(device);
  assertOAuthError(await poll(server, device.device_code), 400, 'access_denied');
  const late = await second.submit(alsoAsked, {}, { button: 'approve' });
  assert.ok(!late.has('done'), late.text);
  assertOAuthError(await poll(server, device.device_code), 400, 'access_denied');
});

test('of two who approve at once one is the approver', async () => {
  const device = await deviceAuthorization(server, 'tv', { scope: DEVICE_SCOPE });
  const people = ['alice', 'bob'].map((name) => ({ name, visitor: new Visitor(server) }));
  for (const person of people) person.asked = await person.visitor.ask(device, person.name);
  const ends = await Promise.all(people.map(({ visitor, asked }) => visitor.submit(asked, {}, { button: 'approve' })));
  const winners = people.filter((_, at) => ends[at].has('done'));
  assert.equal(winners.length, 1, ends.map(({ text }) => text).join('\n'));
  const tokens = (await poll(server, device.device_code)).json;
  const person = await (await fetch(server.url('/oauth2/userinfo'), { headers: { authorization: `Bearer ${tokens.access_token}` } })).json();
  assert.equal(person.email, `${winners[0].name}@example.com`);
});

test('of simultaneous polls of an approved code one gets tokens', async () => {
  const device = await approved();
  const replies = await Promise.all(Array.from({ length: 8 }, () => poll(server, device.device_code)));
  assert.equal(replies.filter(({ status }) => status === 200).length, 1);
  for (const reply of replies.filter(({ status }) => status !== 200)) assertOAuthError(reply, 400, 'invalid_grant');
});

test('64 simultaneous refreshes of one token answer with the same successor', async () => {
  const tokens = await tokensOf();
  const replies = await Promise.all(Array.from({ length: 64 }, () => refresh(server, tokens.refresh_token)));
  for (const reply of replies) assert.equal(reply.status, 200, reply.text);
  const successors = new Set(replies.map(({ json }) => json.refresh_token));
  assert.equal(successors.size, 1);
  assert.ok(!successors.has(tokens.refresh_token));
  assert.equal((await refresh(server, [...successors][0])).status, 200);
});

test('a refresh whose answer was lost can be asked again', async () => {
  const tokens = await tokensOf();
  const lost = await refresh(server, tokens.refresh_token);
  const again = await refresh(server, tokens.refresh_token);
  assert.equal(again.json.refresh_token, lost.json.refresh_token);
});

test('a refresh token of two generations ago ends its grant, and only that', async () => {
  const [stolen, other] = [await tokensOf(), await tokensOf()];
  const second = (await refresh(server, stolen.refresh_token)).json;
  const third = (await refresh(server, second.refresh_token)).json;
  assertOAuthError(await refresh(server, stolen.refresh_token), 400, 'invalid_grant');
  assertOAuthError(await refresh(server, third.refresh_token), 400, 'invalid_grant');
  for (const token of [stolen, second, third]) assert.deepEqual(await introspect(server, token.access_token), { active: false });
  assert.equal((await refresh(server, other.refresh_token)).status, 200);
});

test('a code or token of another client is refused and changes nothing', async () => {
  const device = await approved('tv', 'openid orders.example.com/read');
  assertOAuthError(await poll(server, device.device_code, 'tv2'), 400, 'invalid_grant');
  const tokens = (await poll(server, device.device_code)).json;
  assertOAuthError(await refresh(server, tokens.refresh_token, 'tv2'), 400, 'invalid_grant');
  assertOAuthError(await revoke(server, tokens.refresh_token, 'tv2'), 400, 'invalid_grant');
  assert.equal((await refresh(server, tokens.refresh_token)).status, 200);
});

test('a truncated, altered or invented code or token is refused', async () => {
  const device = await approved();
  const tokens = await tokensOf();
  for (const spoil of [(token) => token.slice(0, -1), (token) => token.slice(0, 20), (token) => `${token}A`, flipped, () => 'grantor_dc_', () => 'x']) {
    assertOAuthError(await poll(server, spoil(device.device_code)), 400, 'invalid_grant');
    assertOAuthError(await refresh(server, spoil(tokens.refresh_token)), 400, 'invalid_grant');
    assert.deepEqual(await introspect(server, spoil(tokens.access_token)), { active: false });
    const unknown = await revoke(server, spoil(tokens.refresh_token));
    assert.equal(unknown.status, 200, 'RFC 7009 2.2: an invalid token is no error');
  }
  assertOAuthError(await poll(server, tokens.refresh_token), 400, 'invalid_grant', 'a token of another kind');
  assertOAuthError(await refresh(server, device.device_code), 400, 'invalid_grant', 'a token of another kind');
  assert.equal((await poll(server, device.device_code)).status, 200);
});

function flipped(token) {
  const at = token.length - 5;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

test('a revoked access token is inactive, its grant lives; a revoked refresh token ends the grant', async () => {
  const tokens = await tokensOf();
  assert.equal((await revoke(server, tokens.access_token)).status, 200);
  assert.deepEqual(await introspect(server, tokens.access_token), { active: false });
  const refreshed = (await refresh(server, tokens.refresh_token)).json;
  assert.equal((await introspect(server, refreshed.access_token)).active, true);
  assert.equal((await revoke(server, refreshed.refresh_token)).status, 200);
  assert.deepEqual(await introspect(server, refreshed.access_token), { active: false });
  assertOAuthError(await refresh(server, refreshed.refresh_token), 400, 'invalid_grant');
});

test('a refresh narrows scopes and never widens them', async () => {
  const tokens = await tokensOf('tv', 'openid orders.example.com/read');
  assertOAuthError(await refresh(server, tokens.refresh_token, 'tv', { scope: 'openid email' }), 400, 'invalid_scope');
  const narrow = (await refresh(server, tokens.refresh_token, 'tv', { scope: 'orders.example.com/read' })).json;
  assert.equal(narrow.scope, 'orders.example.com/read');
  assert.equal(narrow.id_token, undefined);
});

test('scopes: none asked are the defaults, unknown or not allowed are refused', async () => {
  assert.deepEqual((await tokensOf('tv2', '')).scope.split(' ').sort(), ['openid', 'orders.example.com/read', 'profile']);
  for (const scope of ['nope', 'orders.example.com/write', 'billing.example.com/read', 'openid  profile\u0022']) {
    const reply = await post(server, '/oauth2/device_authorization', { client_id: 'tv', scope });
    assertOAuthError(reply, 400, 'invalid_scope', scope);
  }
});

test('the tokens are what the metadata says: at+jwt by ES256, ID token by RS256, sealed where asked', async () => {
  const keys = createRemoteJWKSet(new URL(server.url('/.well-known/jwks.json')));
  const tokens = await tokensOf();
  assert.deepEqual(pick(decodeProtectedHeader(tokens.access_token)), { alg: 'ES256', typ: 'at+jwt' });
  const access = await jwtVerify(tokens.access_token, keys, { issuer: server.issuer, audience: 'orders.example.com', typ: 'at+jwt' });
  const id = await jwtVerify(tokens.id_token, keys, { issuer: server.issuer, audience: 'tv', algorithms: ['RS256'] });
  assert.equal(access.payload.sub, id.payload.sub);
  assert.equal(access.payload.client_id, 'tv');
  assert.equal(access.payload.exp - access.payload.iat, 600);

  const sealed = await clientCredentials(server, 'billing');
  assert.match(sealed.access_token, /^grantor_at_/);
  const seen = await introspect(server, sealed.access_token, 'billing');
  assert.equal(seen.active, true);
  assert.equal(seen.aud, 'billing.example.com');
  assert.equal(seen.sub, 'billing');

  const published = (await (await fetch(server.url('/.well-known/jwks.json'))).json()).keys;
  for (const key of published) for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(key[secret], undefined);
});

const pick = ({ alg, typ }) => ({ alg, typ });

test('userinfo takes a user token with openid, by header or form, and explains every refusal', async () => {
  const userinfo = async (init) => answer(server, await fetch(server.url('/oauth2/userinfo'), init));
  const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
  const tokens = await tokensOf();
  assert.equal((await userinfo(bearer(tokens.access_token))).json.email, 'alice@example.com');
  assert.equal((await userinfo({ method: 'POST', ...bearer(tokens.access_token) })).status, 200);
  assert.equal((await answer(server, await fetch(server.url('/oauth2/userInfo'), bearer(tokens.access_token)))).status, 200);

  const machine = await clientCredentials(server);
  for (const [init, status, code] of [[{}, 401], [bearer('nonsense'), 401, 'invalid_token'], [bearer(tokens.refresh_token), 401, 'invalid_token']]) {
    const reply = await userinfo(init);
    assert.equal(reply.status, status, reply.text);
    assert.match(reply.headers.get('www-authenticate'), code ? new RegExp(`^Bearer .*error="${code}"`) : /^Bearer/);
  }
  const refused = await userinfo(bearer(machine.access_token));
  assert.ok([401, 403].includes(refused.status), refused.text);
});

test('a client shows who it is by one of its ways, and learns nothing from a refusal', async () => {
  const grant = { grant_type: 'client_credentials', scope: 'orders.example.com/read' };
  const { orders } = server.secrets;
  const good = [
    [grant, { authorization: basic('orders', orders) }],
    [grant, { authorization: basic('orders', orders).replace('Basic', 'bAsIc') }],
    [{ ...grant, client_id: 'orders' }, { authorization: basic('orders', orders) }],
    [{ ...grant, client_id: 'orders', client_secret: orders }, {}],
  ];
  for (const [form, headers] of good) assert.equal((await post(server, '/oauth2/token', form, headers)).status, 200);
  const bad = [
    [{ ...grant, client_id: 'orders', client_secret: orders }, { authorization: basic('orders', orders) }, 400, 'invalid_request'],
    [{ ...grant, client_id: 'tv' }, { authorization: basic('orders', orders) }, 400, 'invalid_request'],
    [{ ...grant, client_id: 'orders' }, {}, 401, 'invalid_client'],
    [grant, {}, 401, 'invalid_client'],
    [{ ...grant, client_assertion: 'x' }, {}, 401, 'invalid_client'],
    [{ ...grant, client_assertion: 'x' }, { authorization: basic('orders', orders) }, 400, 'invalid_request'],
    [grant, { authorization: basic('orders', `${orders}x`) }, 401, 'invalid_client'],
    [grant, { authorization: basic('nobody', 'x') }, 401, 'invalid_client'],
    [grant, { authorization: 'Basic !!!' }, 401, 'invalid_client'],
    [{ ...grant, client_id: 'tv' }, {}, 400, 'unauthorized_client'],
  ];
  for (const [form, headers, status, code] of bad) {
    const inBody = !headers.authorization && Object.keys(form).some((name) => name.startsWith('client_'));
    assertOAuthError(await post(server, '/oauth2/token', form, headers), status, code, JSON.stringify([Object.keys(form), Object.keys(headers)]), inBody);
  }
  const texts = await Promise.all(['orders', 'nobody'].map(async (id) => (await post(server, '/oauth2/token', grant, { authorization: basic(id, 'wrong') })).json.error_description));
  assert.equal(texts[0], texts[1], 'an unknown client and a wrong secret read the same');
});

test('a public client may send its id by Basic: with an empty secret, or without a colon', async () => {
  for (const text of ['tv:', 'tv']) {
    const reply = await post(server, '/oauth2/device_authorization', { scope: 'openid' }, { authorization: `Basic ${Buffer.from(text).toString('base64')}` });
    assert.equal(reply.status, 200, `${text}: ${reply.text}`);
  }
});

test('a grant that a client was not given is refused', async () => {
  const device = as(server, 'orders');
  assertOAuthError(await post(server, '/oauth2/device_authorization', { ...device.form }, device.headers), 400, 'unauthorized_client');
});

test('a trace id answers in body and header', async () => {
  const reply = await poll(server, 'nonsense');
  const trace = 'traceparent';
  const carried = ['x-request-id', 'trace-id', trace].map((name) => reply.headers.get(name) ?? '').join(' ');
  assert.ok(carried.includes(reply.json.trace_id), `${carried} holds ${reply.json.trace_id}`);
  await server.logged(reply.json.trace_id);
});

test('a disabled person cannot sign in, and reads what a wrong password reads', async () => {
  const [disabled, wrong] = await Promise.all([
    new Visitor(server).signIn('carol'),
    new Visitor(server).signIn('carol', { password: 'wrong password' }),
  ]);
  assert.equal(disabled.status, wrong.status);
  assert.equal(disabled.textOf('error'), wrong.textOf('error'));
  assert.ok(disabled.textOf('error').length > 0, disabled.text);
});
