// `examples/manage-by-api/run`, as a newcomer runs it, on a free port: what the file wants is made, kept, changed and deleted, and a secret is replaced.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { promisify } from 'node:util';

import { BINARY, ROOT, ended, lineOf } from './lib/server.mjs';
import { basic } from './lib/wire.mjs';

const FOLDER = join(ROOT, 'examples/manage-by-api');
/// Its packages may have to be installed.
const PATIENCE = 300_000;

let folder, wanted, child, issuer;
let output = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grantor-example-'));
  wanted = join(folder, 'wanted.toml');
  await copyFile(join(FOLDER, 'wanted.toml'), wanted);
  const env = { ...process.env, PORT_BASE: '0', GRANTOR: BINARY, DATA: folder, WANTED: wanted };
  child = spawn('./run', { cwd: FOLDER, env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  await lineOf(child, (line) => line.startsWith('Ctrl-C'), () => output, PATIENCE);
  [, issuer] = /^Grantor +(\S+)$/m.exec(output);
});
afterEach((context) => {
  if (context.passed === false) console.error(output);
});
/// Waits until the loop says this, after what it said before `from`.
async function says(line, from = 0) {
  const signal = AbortSignal.timeout(30_000);
  while (!output.slice(from).includes(`${line}\n`)) await once(child.stdout, 'data', { signal });
}

/// Replaced at once, so that no round reads half a file.
async function want(text) {
  await writeFile(`${wanted}.new`, text);
  await rename(`${wanted}.new`, wanted);
}

async function secretOf(client) {
  return (await readFile(join(folder, client === 'deployer' ? client : `secrets/${client}`), 'utf8')).trim();
}

async function askToken(client, secret) {
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  return await fetch(`${issuer}/oauth2/token`, { method: 'POST', body, headers: { authorization: basic(client, secret) } });
}

async function ask(path, options = {}) {
  const { access_token } = await (await askToken('deployer', await secretOf('deployer'))).json();
  const headers = { authorization: `Bearer ${access_token}`, ...options.headers };
  const response = await fetch(`${issuer}/api/v1${path}`, { ...options, headers });
  return { status: response.status, etag: response.headers.get('etag'), json: response.status === 204 ? undefined : await response.json() };
}

after(async () => {
  const end = await ended(child, 'SIGTERM');
  await rm(folder, { recursive: true, force: true });
  assert.deepEqual(end, [0, null], 'one command stops both');
});

test('what the file wants is made, and a client finds its secret', async () => {
  for (const what of ['resource orders.example.com', 'client orders-report', 'client orders-app']) await says(`created ${what}`);
  const { json } = await ask('/clients/orders-report');
  assert.deepEqual([json.name, json.confidential, json.declared, json.changed.by], ['Nightly report', true, false, 'client:deployer']);
  assert.equal((await ask('/clients/orders-app')).json.confidential, false);
  assert.equal((await stat(join(folder, 'secrets/orders-report'))).mode & 0o777, 0o600);
  const token = await (await askToken('orders-report', await secretOf('orders-report'))).json();
  assert.equal(token.scope, 'orders.example.com/read');
  assert.ok(!output.includes(await secretOf('orders-report')), 'no secret is said');
});

test('what was changed by hand comes back, and a change of an older version changes nothing', async () => {
  const from = output.length;
  const { etag } = await ask('/clients/orders-app');
  const patch = (name) => ask('/clients/orders-app', { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json', 'if-match': etag }, body: JSON.stringify({ name }) });
  assert.equal((await patch('By hand')).status, 200);
  assert.equal((await patch('By hand, too late')).status, 412);
  await says('changed client orders-app', from);
  assert.equal((await ask('/clients/orders-app')).json.name, 'Orders');
});

test('what the file no longer wants is deleted, and what it says otherwise is changed', async () => {
  const from = output.length;
  const text = await readFile(wanted, 'utf8');
  const kept = text.slice(0, text.lastIndexOf('[[client]]')).replace('"Nightly report"', '"Report of the night"');
  await want(kept);
  await says('changed client orders-report', from);
  await says('deleted client orders-app', from);
  assert.equal((await ask('/clients/orders-app')).status, 404);
  assert.equal((await ask('/clients/orders-report')).json.name, 'Report of the night');
});

test('what Grantor refuses is said with its reason and its trace, and the rest is done', async () => {
  const from = output.length;
  const text = await readFile(wanted, 'utf8');
  await want(`${text}\n[[client]]\nid = "wrong"\ngrants = ["authorization_code"]\nscopes = ["unknown.example.com/read"]\nredirect_uris = ["https://app.example.com/callback"]\n`);
  const signal = AbortSignal.timeout(30_000);
  while (!/create client wrong: 422 .*\n  \/scopes\/0: .*unknown.*\n  trace [0-9a-f]{32}\n/.test(output.slice(from))) await once(child.stdout, 'data', { signal });
  await want(text);
});

test('a secret is replaced without a gap', async () => {
  const before = await secretOf('orders-report');
  const env = { ...process.env, ISSUER: issuer, DEPLOYER_SECRET: await secretOf('deployer'), PYTHONPATH: folder };
  const command = ['reconcile.py', wanted, '--secrets', join(folder, 'secrets'), '--rotate', 'orders-report'];
  let rotating = true;
  const rotated = promisify(execFile)('.venv/bin/python', command, { cwd: FOLDER, env }).finally(() => (rotating = false));
  // As a client does that reads its secret again when it is refused.
  while (rotating) {
    const { status } = await askToken('orders-report', await secretOf('orders-report'));
    if (status === 401) assert.equal((await askToken('orders-report', await secretOf('orders-report'))).status, 200);
    else assert.equal(status, 200);
  }
  assert.equal((await rotated).stdout, 'rotated the secret of client orders-report\n');
  const now = await secretOf('orders-report');
  assert.notEqual(now, before);
  assert.equal((await askToken('orders-report', now)).status, 200);
  assert.equal((await askToken('orders-report', before)).status, 401);
  assert.equal((await ask('/clients/orders-report/secrets')).json.items.length, 1);
});
