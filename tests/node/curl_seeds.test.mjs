// The seeds' documented calls by the real curl, as their pages print them, on Grantor's native paths: seed 004's device (a confidential client that sends
// its credentials in the body) and seed 002's machine (Basic, one scope).
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';
import { DEVICE_GRANT, basic } from './lib/wire.mjs';

const server = useServer();

/// What curl prints, and the status.
async function curl(...args) {
  const { stdout } = await promisify(execFile)('curl', ['--silent', '--show-error', '--max-time', '20', '--write-out', '\n%{http_code}', ...args]);
  const at = stdout.lastIndexOf('\n');
  const json = JSON.parse(stdout.slice(0, at));
  server.remember(json.access_token, json.refresh_token, json.id_token, json.device_code, json.user_code);
  return { status: Number(stdout.slice(at + 1)), json };
}

const HEADERS = ['-H', 'Accept: application/json', '-H', 'Content-Type: application/x-www-form-urlencoded', '-H', 'User-Agent: ob-http'];

/// Seed 004 writes its credentials bare in the body, which holds for a secret without special characters; ours is encoded, as curl's manual says.
function device(path, form) {
  const encoded = new URLSearchParams({ client_id: 'console', client_secret: server.secrets.console, ...form });
  return curl('-X', 'POST', ...HEADERS, '-d', encoded.toString(), server.url(path));
}

const poll = (code) => device('/oauth2/token', { grant_type: DEVICE_GRANT, device_code: code });

test("seed 004: the device's calls, from the codes to a refresh", async () => {
  const codes = await device('/oauth2/device_authorization', {});
  assert.equal(codes.status, 200);
  assert.deepEqual(Object.keys(codes.json).sort(), ['device_code', 'expires_in', 'interval', 'user_code', 'verification_uri', 'verification_uri_complete']);
  assert.equal(codes.json.verification_uri_complete, `${codes.json.verification_uri}?user_code=${codes.json.user_code}`);

  const pending = await poll(codes.json.device_code);
  assert.equal(pending.status, 400);
  assert.equal(pending.json.error, 'authorization_pending');
  assert.ok(pending.json.error_description && pending.json.error_uri && pending.json.trace_id);

  await new Visitor(server).approve(codes.json);
  const tokens = await poll(codes.json.device_code);
  assert.equal(tokens.status, 200);
  assert.equal(tokens.json.token_type.toLowerCase(), 'bearer');
  assert.equal(tokens.json.expires_in, 600);
  assert.ok(tokens.json.scope && tokens.json.access_token && tokens.json.refresh_token);

  const again = await poll(codes.json.device_code);
  assert.deepEqual([again.status, again.json.error], [400, 'invalid_grant']);

  const refreshed = await curl(
    ...['-X', 'POST', '-H', 'Content-Type: application/x-www-form-urlencoded', '-H', `Authorization: ${basic('console', server.secrets.console)}`],
    ...['-d', `grant_type=refresh_token&refresh_token=${tokens.json.refresh_token}`, server.url('/oauth2/token')],
  );
  assert.equal(refreshed.status, 200);
  assert.equal(refreshed.json.expires_in, 600);
});

test('seed 004: a denied device gets a clear answer', async () => {
  const codes = await device('/oauth2/device_authorization', {});
  await new Visitor(server).deny(codes.json);
  const denied = await poll(codes.json.device_code);
  assert.deepEqual([denied.status, denied.json.error], [400, 'access_denied']);
  assert.ok(denied.json.trace_id);
});

test('seed 002: a machine gets a token for its scope with curl -u', async () => {
  const { status, json } = await curl(
    ...['-u', `orders:${server.secrets.orders}`, '-H', 'Content-Type: application/x-www-form-urlencoded'],
    ...['-d', 'grant_type=client_credentials', '--data-urlencode', 'scope=orders.example.com/read', server.url('/oauth2/token')],
  );
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(json).sort(), ['access_token', 'expires_in', 'scope', 'token_type']);
  const claims = JSON.parse(Buffer.from(json.access_token.split('.')[1], 'base64url'));
  assert.equal(claims.sub, 'orders');
  assert.equal(claims.client_id, 'orders');
  assert.equal(claims.scope, 'orders.example.com/read');
  assert.equal(claims.iss, server.issuer);
});
