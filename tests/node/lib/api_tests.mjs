// What an API must do with tokens, the same for each page of docs/src/clients that shows one: `/orders` asks for a scope, `/refunds` for a group.
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { SignJWT, decodeJwt, decodeProtectedHeader, generateKeyPair } from 'jose';

import { clientCredentials, deviceAuthorization, poll } from './wire.mjs';
import { Visitor } from './visitor.mjs';

const READ = 'orders.example.com/read';
const SECRETS = Object.fromEntries(['reader', 'writer', 'brief', 'other'].map((id) => [id, randomBytes(24).toString('base64url')]));
const machine = (id, scope, more = '') => `
[[client]]
id = "${id}"
secret = "${SECRETS[id]}"
grants = ["client_credentials"]
scopes = ["${scope}"]
${more}
`;

/// The client of users, to whom their ID tokens are.
export const CLIENT = 'tv';

/// What the tests need besides what a page declares.
export const TABLES = `
[[resource]]
identifier = "invoices.example.com"
scopes = { read = "Read invoices" }
${machine('reader', READ)}${machine('writer', 'orders.example.com/write')}${machine('brief', READ, 'access_lifetime = "20s"')}${machine('other', 'invoices.example.com/read')}
[[client]]
id = "${CLIENT}"
grants = ["device_code"]
scopes = ["openid", "profile", "${READ}"]
id_token_alg = "ES256"

[[user]]
username = "ann"
password = "a correct horse battery staple"
groups = ["staff"]

[[user]]
username = "bob"
password = "another correct horse battery staple"
`;

/// `origin` says where the API is, once it runs, and of the audience "tv" another, to whom nothing but its type shows that an ID token is no access token.
/// `query` says whether it takes tokens from there, which RFC 6750 section 2.3 calls "NOT RECOMMENDED". `until` lets time pass for it, to a moment in
/// seconds. An expired token may be taken for `leeway` seconds.
export function apiTests(page, { origin, groups = false, leeway = 60, query = false, until = waitUntil }) {
  const { server } = page;
  let held;
  const tokens = () => (held ??= obtain(server));

  const ask = async (path, token, { audience, ...more } = {}) => {
    const headers = token === undefined ? more : { authorization: `Bearer ${token}`, ...more };
    const response = await fetch(new URL(path, origin(audience)), { headers });
    return { status: response.status, challenge: response.headers.get('www-authenticate'), text: await response.text() };
  };
  const refused = async (path, token, status, challenge, more) => {
    const answer = await ask(path, token, more);
    assert.equal(answer.status, status, `${answer.challenge} ${answer.text}`);
    assert.match(answer.challenge ?? '', challenge);
  };

  test('a right token of a machine is taken, and of a user', async () => {
    const { reader, ann } = await tokens();
    for (const token of [reader, ann.access_token]) {
      const { status, text } = await ask('/orders', token);
      assert.equal(status, 200, text);
      assert.match(text, new RegExp(decodeJwt(token).sub));
    }
  });

  test('no token: 401, with a challenge that names no error', async () => {
    await refused('/orders', undefined, 401, /^Bearer(?!.*error=)/);
    assert.equal((await ask(`/orders?access_token=${(await tokens()).reader}`)).status, query ? 200 : 401);
    assert.match(`${(await ask('/orders', undefined, { authorization: 'Basic YTpi' })).status}`, /^40[01]$/);
  });

  test('a token without the scope: 403', async () => refused('/orders', (await tokens()).writer, 403, /insufficient_scope/));

  test('a token for another API: 401', async () => refused('/orders', (await tokens()).other, 401, /invalid_token/));

  test('an ID token: 401, even where the algorithm and the audience are right', async () => {
    const { ann: { id_token }, reader } = await tokens();
    assert.equal(decodeJwt(id_token).aud, CLIENT);
    assert.equal(decodeProtectedHeader(id_token).alg, decodeProtectedHeader(reader).alg);
    for (const audience of [undefined, CLIENT]) await refused('/orders', id_token, 401, /invalid_token/, { audience });
  });

  test('what is no token, and what another signed: 401', async () => {
    const forgeries = await forge(server, (await tokens()).reader);
    for (const token of ['x', 'a.b.c', ...forgeries]) await refused('/orders', token, 401, /invalid_token/);
  });

  if (groups) {
    test('a route for a group: 200 for its members, 403 for others', async () => {
      const { ann, bob, reader } = await tokens();
      assert.equal((await ask('/refunds', ann.access_token)).status, 200);
      for (const token of [bob.access_token, reader]) await refused('/refunds', token, 403, /^Bearer/);
    });
  }

  test('an expired token: 401', async () => {
    const brief = (await clientCredentials(server, 'brief')).access_token;
    assert.equal((await ask('/orders', brief)).status, 200);
    await until(decodeJwt(brief).exp + leeway + 1);
    await refused('/orders', brief, 401, /invalid_token/);
  });
}

/// By client for machines, and by name for users.
async function obtain(server) {
  Object.assign(server.secrets, SECRETS);
  server.remember(...Object.values(SECRETS));
  const tokens = {};
  for (const id of Object.keys(SECRETS)) tokens[id] = (await clientCredentials(server, id)).access_token;
  for (const user of ['ann', 'bob']) tokens[user] = await ofUser(server, user);
  return tokens;
}

async function ofUser(server, username) {
  const device = await deviceAuthorization(server, CLIENT, { scope: `openid profile ${READ}` });
  await new Visitor(server).approve(device, username);
  const { json, text } = await poll(server, device.device_code, CLIENT);
  assert.ok(json.id_token, text);
  return json;
}

/// Of a right token: the same claims by another key, under the id of the server's and under its own; other claims under its signature, no signature, and
/// a MAC by the public key.
async function forge(server, token) {
  const [head, body, signature] = token.split('.');
  const header = decodeProtectedHeader(token);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const { privateKey } = await generateKeyPair('ES256');
  const { keys } = await (await fetch(`${server.issuer}/.well-known/jwks.json`)).json();
  const inner = `${part({ ...header, alg: 'HS256' })}.${body}`;
  const key = createPublicKey({ key: keys.find(({ kid }) => kid === header.kid), format: 'jwk' });
  const signed = (header) => new SignJWT(decodeJwt(token)).setProtectedHeader(header).sign(privateKey);
  return [
    await signed(header),
    await signed({ ...header, kid: 'unknown' }),
    await signed({ ...header, kid: 'unknown too' }),
    `${head}.${part({ ...decodeJwt(token), sub: 'admin' })}.${signature}`,
    `${part({ ...header, alg: 'none' })}.${body}.`,
    `${inner}.${createHmac('sha256', key.export({ type: 'spki', format: 'pem' })).update(inner).digest('base64url')}`,
  ];
}

async function waitUntil(moment) {
  await setTimeout(moment * 1000 - Date.now());
}
