// npm's openid-client, unmodified, with scopes for members of groups, plain scopes, and an organization's client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as oidc from 'openid-client';

import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';

const CALLBACK = 'https://desk.example.com/callback';
const CLOSE = 'incidents.example.com/close';
const ASKED = `openid inspect ${CLOSE}`;

const server = useServer({
  tables: `
[[resource]]
identifier = "incidents.example.com"
scopes = { read = "Read incidents", close = { text = "Close incidents", groups = ["analysts"] } }

[[scope]]
name = "inspect"
text = "Look into your incidents"
resource = "incidents.example.com"
claims = { tier = "user.tier" }

[[organization]]
id = "acme"
name = "Acme Ltd"

[[client]]
id = "desk"
name = "Help desk"
grants = ["authorization_code", "device_code", "refresh_token"]
scopes = ["openid", "inspect", "${CLOSE}"]
redirect_uris = ["${CALLBACK}"]

[[client]]
id = "acme-desk"
name = "Help desk of Acme"
grants = ["authorization_code", "device_code", "refresh_token"]
scopes = ["openid"]
redirect_uris = ["${CALLBACK}"]
organization = "acme"
availability = "organization"
`,
});

const client = (id) => oidc.discovery(new URL(server.issuer), id, undefined, oidc.None(), { execute: [oidc.allowInsecureRequests] });

const set = (...args) => server.command('user', 'set', ...args);

async function begun(config, scope, more = {}) {
  const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState() };
  const code_challenge = await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier);
  const url = oidc.buildAuthorizationUrl(config, { redirect_uri: CALLBACK, scope, state: checks.expectedState, code_challenge, code_challenge_method: 'S256', ...more });
  return { url, checks };
}

async function signIn(config, scope, visitor = new Visitor(server)) {
  const { url, checks } = await begun(config, scope);
  const { answer, asked } = await visitor.authorize(url);
  const tokens = await oidc.authorizationCodeGrant(config, answer, checks);
  server.remember(tokens.access_token, tokens.refresh_token, tokens.id_token);
  return { tokens, asked };
}

async function refresh(config, { refresh_token }) {
  const tokens = await oidc.refreshTokenGrant(config, refresh_token);
  server.remember(tokens.access_token, tokens.refresh_token, tokens.id_token);
  return tokens;
}

const words = (scope) => scope.split(' ').sort().join(' ');

test('the metadata names plain scopes and those of groups', async () => {
  const { scopes_supported } = (await client('desk')).serverMetadata();
  for (const scope of ['inspect', CLOSE]) assert.ok(scopes_supported.includes(scope), scope);
});

test('who leaves a group refreshes to less, and has it back after a return', async () => {
  const config = await client('desk');
  await set('alice', '--group', 'analysts');
  const { tokens } = await signIn(config, ASKED);
  assert.equal(words(tokens.scope), words(ASKED));
  await set('alice', '--group', '');
  const less = await refresh(config, tokens);
  assert.equal(words(less.scope), words('openid inspect'));
  await set('alice', '--group', 'analysts');
  assert.equal(words((await refresh(config, less)).scope), words(ASKED));
});

test('others are neither asked for a limited scope nor given it, and are asked about it once they join', async () => {
  const config = await client('desk');
  await set('bob', '--group', 'staff');
  const visitor = new Visitor(server);
  await visitor.signIn('bob');
  const { url } = await begun(config, ASKED);
  const page = await visitor.get(url);
  assert.ok(page.text.includes('Look into your incidents'));
  assert.ok(!page.text.includes('Close incidents'));
  const first = await signIn(config, ASKED, visitor);
  assert.equal(words(first.tokens.scope), words('openid inspect'));
  assert.deepEqual((await signIn(config, ASKED, visitor)).asked, [], 'the consent is kept');
  await set('bob', '--group', 'analysts');
  const again = await signIn(config, ASKED, visitor);
  assert.deepEqual(again.asked, ['consent']);
  assert.equal(words(again.tokens.scope), words(ASKED));
});

test('a plain scope names the API and brings its claims', async () => {
  const config = await client('desk');
  await set('alice', '--claim', 'tier=gold');
  const { tokens } = await signIn(config, 'openid inspect');
  const claims = tokens.claims();
  assert.equal(claims.tier, 'gold');
  assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)).tier, 'gold');
  const { aud } = JSON.parse(Buffer.from(tokens.access_token.split('.')[1], 'base64url'));
  assert.equal(aud, 'incidents.example.com');
});

test('who can be given nothing sees why, and the app gets access_denied', async () => {
  const config = await client('desk');
  await set('bob', '--group', 'staff');
  const visitor = new Visitor(server);
  await visitor.signIn('bob');
  const { url, checks } = await begun(config, CLOSE);
  const page = await visitor.get(url);
  assert.equal(page.status, 403);
  assert.ok(page.has('withheld-text') && !page.has('approve'), page.text);
  const silent = await begun(config, CLOSE, { prompt: 'none' });
  const { answer } = await visitor.authorize(silent.url);
  await assert.rejects(oidc.authorizationCodeGrant(config, answer, silent.checks), { error: 'access_denied' });
  const { left } = await visitor.submit(page, {}, { button: 'deny' });
  await assert.rejects(oidc.authorizationCodeGrant(config, left, checks), { error: 'access_denied' });
});

test("an organization's client is there for its users, as long as they belong to it", async () => {
  const config = await client('acme-desk');
  await set('alice', '--organization', 'acme');
  const { tokens } = await signIn(config, 'openid');
  const visitor = new Visitor(server);
  await visitor.signIn('bob');
  const { url } = await begun(config, 'openid');
  assert.ok((await visitor.get(url)).has('withheld-text'));

  const device = await oidc.initiateDeviceAuthorization(config, { scope: 'openid' });
  server.remember(device.device_code, device.user_code);
  const asked = await new Visitor(server).ask(device, 'bob');
  assert.ok(asked.status === 403 && asked.has('withheld-text'), asked.text);
  await new Visitor(server).approve(device, 'alice');
  const of_device = await oidc.pollDeviceAuthorizationGrant(config, device);
  server.remember(of_device.access_token, of_device.refresh_token, of_device.id_token);

  assert.match(await server.command('user', 'show', 'alice'), /^org +acme$/m);
  await set('alice', '--organization', '');
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' });
  await assert.rejects(set('alice', '--organization', 'acne'), /There is no such organization/);
  await set('alice', '--organization', 'acme');
  await refresh(config, tokens);
});
