// Seed 004 by the real curl, in the words of its page: a developer makes a client in IROH's API, a device gets tokens with it, and its user takes them back.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';
import { DEVICE_GRANT } from './lib/wire.mjs';

const CALLBACK = 'https://console.example.com/callback';
const DEVICE_ERRORS = 'https://datatracker.ietf.org/doc/html/rfc8628#section-3.5';

const server = useServer({
  file: ({ origin, passwords }) => `
issuer = "${origin}"
listen = "${new URL(origin).host}"
store = "sqlite:grantor.db"
dialects = ["iroh"]

[device]
interval = "1s"

[api]
enabled = true
developers = ["developers"]

[[organization]]
id = "org-1"
name = "IROH Testing"

[[scope]]
name = "inspect"
text = "Look into incidents"

[[scope]]
name = "oauth"
text = "Make clients of your own"
gives = ["grantor/clients:own"]

[[scope]]
name = "secret-ops"
text = "For operators alone"
groups = ["operators"]

[[client]]
id = "console"
name = "Console"
grants = ["authorization_code"]
redirect_uris = ["${CALLBACK}"]
scopes = ["profile", "inspect", "oauth"]

${['alice', 'bob'].map((name) => `[[user]]
username = "${name}"
password = "${passwords[name]}"
email = "${name}@example.com"
groups = ["developers"]
organization = "org-1"
`).join('\n')}`,
});

/// What curl prints, and the status.
async function curl(path, ...args) {
  const { stdout } = await promisify(execFile)('curl', ['--silent', '--show-error', '--max-time', '20', '--write-out', '\n%{http_code}', ...args, server.url(path)]);
  const at = stdout.lastIndexOf('\n');
  const text = stdout.slice(0, at);
  const json = text === '' ? undefined : JSON.parse(text);
  server.remember(json?.access_token, json?.refresh_token, json?.password, json?.device_code, json?.user_code);
  return { status: Number(stdout.slice(at + 1)), json };
}

/// A token of a user at the console, with these scopes.
async function signedIn(name, scope) {
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const url = new URL(server.url('/iroh/oauth2/authorize'));
  url.search = new URLSearchParams({ response_type: 'code', client_id: 'console', redirect_uri: CALLBACK, scope, state: 'x', code_challenge: challenge, code_challenge_method: 'S256' });
  const { answer } = await new Visitor(server).authorize(url, { username: name });
  const form = new URLSearchParams({ grant_type: 'authorization_code', client_id: 'console', code: answer.searchParams.get('code'), redirect_uri: CALLBACK, code_verifier: verifier });
  const { json } = await curl('/iroh/oauth2/token', '-d', form.toString());
  assert.ok(json.access_token, JSON.stringify(json));
  return json.access_token;
}

const JSON_HEADERS = ['-H', 'Accept: application/json', '-H', 'Content-Type: application/json', '-H', 'User-Agent: ob-http'];
const FORM_HEADERS = ['-H', 'Accept: application/json', '-H', 'Content-Type: application/x-www-form-urlencoded', '-H', 'User-Agent: ob-http'];
const bearer = (token) => ['-H', `Authorization: Bearer ${token}`];

const PARAMS = {
  scopes: ['profile', 'inspect'],
  description: 'Developer Doc OAuth2 Device Test Client',
  name: 'OAuth2 Developer Doc Test',
  grants: ['device-grant'],
};

const create = (token, params = PARAMS) => curl('/iroh/oauth2-clients/clients', '-X', 'POST', ...JSON_HEADERS, ...bearer(token), '-d', JSON.stringify(params));

test('seed 004 in order: whoami, a client, a device, its tokens, a refresh, and the end of it', async () => {
  const developer = await signedIn('alice', 'profile inspect oauth');
  const whoami = await curl('/iroh/profile/whoami', ...bearer(developer));
  assert.equal(whoami.status, 200);
  assert.deepEqual(whoami.json.user.scopes.sort(), ['inspect', 'oauth', 'profile']);
  assert.deepEqual([whoami.json.user['user-name'], whoami.json.user['org-id'], whoami.json.user['enabled?']], ['alice', 'org-1', true]);
  assert.deepEqual(whoami.json.org, { id: 'org-1', name: 'IROH Testing', 'enabled?': true });

  const { status, json: client } = await create(developer);
  assert.equal(status, 200, JSON.stringify(client));
  assert.deepEqual(Object.keys(client).sort(), [
    'approval-status', 'approved?', 'availability', 'client-type', 'created-at', 'description', 'enabled?', 'grants', 'id', 'name', 'org-id', 'owner-id', 'password', 'redirects', 'scopes',
  ]);
  for (const [name, value] of Object.entries(PARAMS)) assert.deepEqual(client[name], value, name);
  assert.deepEqual(
    [client['approved?'], client['approval-status'], client.redirects, client.availability, client['org-id'], client['enabled?'], client['client-type']],
    [true, 'approved', [], 'org', 'org-1', true, 'confidential'],
  );
  assert.match(client.id, /^client-[0-9a-f-]{36}$/);
  assert.match(client['created-at'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

  const device = (path, form) => curl(path, '-X', 'POST', ...FORM_HEADERS, '-d', new URLSearchParams({ client_id: client.id, client_secret: client.password, ...form }).toString());
  const codes = await device('/iroh/oauth2/device_authorization', {});
  assert.equal(codes.status, 200, JSON.stringify(codes.json));
  assert.deepEqual(Object.keys(codes.json).sort(), ['device_code', 'expires_in', 'interval', 'user_code', 'verification_uri', 'verification_uri_complete']);
  assert.match(codes.json.user_code, /^[0-9A-Z]+$/);
  assert.deepEqual([codes.json.interval, codes.json.expires_in, codes.json.verification_uri], [1, 600, `${server.origin}/iroh/oauth2/device`]);
  assert.equal(codes.json.verification_uri_complete, `${codes.json.verification_uri}?user_code=${codes.json.user_code}`);

  const poll = ({ device_code }) => device('/iroh/oauth2/token', { grant_type: DEVICE_GRANT, device_code });
  const pending = await poll(codes.json);
  assert.equal(pending.status, 400);
  const { trace_id, ...told } = pending.json;
  assert.deepEqual(told, { 'client-id': client.id, error_uri: DEVICE_ERRORS, error: 'authorization_pending', error_description: 'Authorization pending' });
  assert.match(await server.command('events', '--limit', '5'), /device_authorization_started/, trace_id);

  await new Visitor(server).approve(codes.json, 'bob');
  const tokens = await poll(codes.json);
  assert.equal(tokens.status, 200, JSON.stringify(tokens.json));
  assert.deepEqual(Object.keys(tokens.json).sort(), ['access_token', 'expires_in', 'refresh_token', 'scope', 'token_type']);
  assert.deepEqual([tokens.json.scope.split(' ').sort().join(' '), tokens.json.token_type, tokens.json.expires_in], ['inspect profile', 'bearer', 600]);
  const again = await poll(codes.json);
  assert.deepEqual([again.json.error, again.json.error_description, again.json.error_uri], ['invalid_device_code', 'device code not found', DEVICE_ERRORS]);

  const refreshed = await curl('/iroh/oauth2/token', '-X', 'POST', '-u', `${client.id}:${client.password}`, ...FORM_HEADERS.slice(2), '-d', `grant_type=refresh_token&refresh_token=${tokens.json.refresh_token}`);
  assert.equal(refreshed.status, 200);
  assert.deepEqual([refreshed.json.token_type, refreshed.json.expires_in, 'scope' in refreshed.json], ['bearer', 600, false]);

  const who = await curl('/iroh/profile/whoami', ...bearer(refreshed.json.access_token));
  assert.equal(who.json.user['user-name'], 'bob');
  const taken = await curl(`/iroh/oauth2/app-grant/${client.id}`, '-X', 'DELETE', ...bearer(refreshed.json.access_token));
  assert.equal(taken.status, 204, JSON.stringify(taken.json));
  const after = await curl('/iroh/profile/whoami', ...bearer(refreshed.json.access_token));
  assert.deepEqual([after.status, after.json.error], [401, 'invalid_token']);

  const listed = await curl('/iroh/oauth2-clients/clients', ...bearer(developer));
  assert.deepEqual(listed.json.map(({ id, password }) => [id, password]), [[client.id, undefined]]);
  const gone = await curl(`/iroh/oauth2-clients/clients/${client.id}`, '-X', 'DELETE', ...bearer(developer));
  assert.equal(gone.status, 204, JSON.stringify(gone.json));
  const read = await curl(`/iroh/oauth2-clients/clients/${client.id}`, ...bearer(developer));
  assert.deepEqual([read.status, read.json.error], [404, 'not_found']);
});

test('a denied device is told so', async () => {
  const developer = await signedIn('alice', 'oauth profile inspect');
  const { json: client } = await create(developer, { ...PARAMS, 'client-type': 'public' });
  assert.deepEqual([client['client-type'], client.password], ['public', undefined]);
  // As the browser demo: from another origin, Basic of the bare id.
  const headers = { Authorization: `Basic ${btoa(client.id)}`, Origin: 'null' };
  const post = async (path, form) => {
    const answer = await fetch(server.url(path), { method: 'POST', headers, body: new URLSearchParams(form) });
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    return answer.json();
  };
  const codes = await post('/iroh/oauth2/device_authorization', {});
  server.remember(codes.device_code, codes.user_code);
  await new Visitor(server).deny(codes, 'bob');
  const denied = await post('/iroh/oauth2/token', { grant_type: DEVICE_GRANT, device_code: codes.device_code });
  assert.deepEqual([denied['client-id'], denied.error, denied.error_description], [client.id, 'access_denied', 'The user rejected the access']);
  const preflight = await fetch(server.url('/iroh/profile/whoami'), { method: 'OPTIONS', headers: { Origin: 'null', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization' } });
  assert.equal(preflight.status, 204);
});

test('a developer gets no more by the dialect than by the API', async () => {
  const developer = await signedIn('alice', 'oauth profile inspect');
  for (const [more, status] of [
    [{ scopes: ['profile', 'secret-ops'] }, 403],
    [{ scopes: ['profile', 'nonsense'] }, 422],
    [{ scopes: ['oauth', 'grantor/users:write'] }, 422],
    [{ availability: 'everyone' }, 403],
    [{ grants: ['client-creds'] }, 403],
    [{ grants: ['nonsense'] }, 422],
    [{ consent: 'skip' }, 422],
    [{ id: 'chosen' }, 422],
    [{ 'owner-id': 'bob' }, 422],
  ]) {
    const refused = await create(developer, { ...PARAMS, ...more });
    assert.equal(refused.status, status, `${JSON.stringify(more)}: ${JSON.stringify(refused.json)}`);
    assert.ok(refused.json.error && refused.json.error_description && refused.json.trace_id);
  }
  const without = await signedIn('alice', 'profile inspect');
  assert.equal((await create(without)).status, 401, 'no token for the API');
  assert.equal((await curl('/iroh/oauth2-clients/clients', '-X', 'POST', ...JSON_HEADERS, '-d', JSON.stringify(PARAMS))).status, 401);
  assert.equal((await curl('/iroh/profile/whoami', ...bearer(await signedIn('alice', 'inspect')))).status, 403);
  assert.equal((await curl('/iroh/profile/whoami')).status, 401);

  const { json: client } = await create(developer);
  const bob = await signedIn('bob', 'oauth profile inspect');
  assert.deepEqual((await curl('/iroh/oauth2-clients/clients', ...bearer(bob))).json, []);
  for (const args of [[], ['-X', 'DELETE']]) assert.equal((await curl(`/iroh/oauth2-clients/clients/${client.id}`, ...args, ...bearer(bob))).status, 404);
  // A client takes back what is its own, and nothing of other clients.
  assert.equal((await curl(`/iroh/oauth2/app-grant/${client.id}`, '-X', 'DELETE', ...bearer(bob))).status, 403);
  assert.equal((await curl(`/iroh/oauth2/app-grant/${client.id}`, '-X', 'DELETE')).status, 401);
});
