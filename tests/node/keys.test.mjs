// Keys that change under a running server, as real clients see it: npm's jose verifies, with key sets fetched before and after.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';

import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';
import { deviceAuthorization, poll, post } from './lib/wire.mjs';

const ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA'];
const api = (alg) => `${alg.toLowerCase()}.example.com`;
const SECRET = 'a secret of a test, drawn by nobody';

const tables = ALGORITHMS.map((alg) => `
[[resource]]
identifier = "${api(alg)}"
scopes = { read = "Read" }
alg = "${alg}"

[[client]]
id = "device-${alg}"
grants = ["device_code"]
scopes = ["openid"]
id_token_alg = "${alg}"
`).join('') + `
[[client]]
id = "machine"
secret = "${SECRET}"
grants = ["client_credentials"]
scopes = [${ALGORITHMS.map((alg) => `"${api(alg)}/read"`)}]
default_scopes = []
resources = [${ALGORITHMS.map((alg) => `"${api(alg)}"`)}]
`;

const server = useServer({ tables });

server.remember(SECRET);

async function published(count) {
  for (let attempt = 0; attempt < 10_000; attempt++) {
    const set = await (await fetch(server.url('/.well-known/jwks.json'))).json();
    if (set.keys.length >= count) return set;
  }
  throw new Error(`there are never ${count} keys`);
}

async function accessToken(alg) {
  const form = { client_id: 'machine', client_secret: SECRET, grant_type: 'client_credentials', scope: `${api(alg)}/read` };
  const reply = await post(server, '/oauth2/token', form);
  assert.equal(reply.status, 200, reply.text);
  return reply.json.access_token;
}

async function idToken(alg) {
  const id = `device-${alg}`;
  const device = await deviceAuthorization(server, id, { scope: 'openid' });
  await new Visitor(server).approve(device);
  const reply = await poll(server, device.device_code, id);
  assert.equal(reply.status, 200, reply.text);
  return reply.json.id_token;
}

async function tokens() {
  const all = [];
  for (const alg of ALGORITHMS) {
    all.push({ alg, token: await accessToken(alg), audience: api(alg), typ: 'at+jwt' });
    all.push({ alg, token: await idToken(alg), audience: `device-${alg}`, typ: 'JWT' });
  }
  return all;
}

async function verify(set, { alg, token, audience, typ }) {
  const { payload } = await jwtVerify(token, createLocalJWKSet(set), { issuer: server.issuer, audience, algorithms: [alg], typ });
  assert.equal(payload.iss, server.issuer);
}

test('each algorithm rotates: who cached the keys knows the next one, and old tokens keep verifying', async () => {
  const cached = await published(2 * ALGORITHMS.length);
  assert.deepEqual(cached.keys.map(({ alg }) => alg).sort(), [...ALGORITHMS, ...ALGORITHMS].sort());
  const before = await tokens();
  for (const token of before) await verify(cached, token);

  const said = await server.command('keys', 'rotate');
  for (const alg of ALGORITHMS) assert.match(said, new RegExp(`${alg} signs with `));

  const after = await tokens();
  for (const token of after) await verify(cached, token);
  const fresh = await published(3 * ALGORITHMS.length);
  for (const token of [...before, ...after]) await verify(fresh, token);
  const kid = ({ token }) => decodeProtectedHeader(token).kid;
  for (const [n, token] of before.entries()) assert.notEqual(kid(token), kid(after[n]), token.alg);

  const machine = [...before, ...after].filter(({ typ }) => typ === 'at+jwt');
  const asked = (token) => post(server, '/oauth2/introspect', { client_id: 'machine', client_secret: SECRET, token });
  for (const { token } of machine) assert.equal((await asked(token)).json.active, true);
});
