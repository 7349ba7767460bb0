// Go programs with x/oauth2 and go-oidc, unmodified, as docs/src/clients/go.md has them: an app in a real browser, a device, and an API.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

import { CLIENT, TABLES, apiTests } from '../../../tests/node/lib/api_tests.mjs';
import { signIn, usePage } from '../../../tests/node/lib/client_page.mjs';
import { ended, freePort, lineOf } from '../../../tests/node/lib/server.mjs';
import { Visitor } from '../../../tests/node/lib/visitor.mjs';

/// Go may have to fetch the modules.
const BUILD_TIMEOUT = 600_000;
const HOME = 'http://localhost:3000';
const API = 'http://127.0.0.1:3001';
/// Of the API for another audience.
let port;

const page = usePage('go', start, { tables: TABLES });

async function start(page) {
  port = await freePort();
  await writeFile(page.path('client_api.go'), page.file('api.go').replaceAll(page.here('3001'), `${port}`).replace('"orders.example.com"', `"${CLIENT}"`));
  for (const name of ['go.mod', 'go.sum']) await copyFile(join(import.meta.dirname, name), page.path(name));
  for (const name of ['app', 'device', 'api', 'client_api']) {
    await promisify(execFile)('go', ['build', '-o', name, `${name}.go`], { cwd: page.path('.'), timeout: BUILD_TIMEOUT });
  }
  for (const name of ['app', 'api', 'client_api']) await page.start(page.path(name), []);
}

test('a person signs in to the app, with PKCE, and is called by name and address', () =>
  page.visit(async (tab) => {
    const requests = [];
    tab.on('request', (request) => requests.push(new URL(request.url())));
    await tab.goto(page.here(`${HOME}/login`));
    assert.deepEqual(await signIn(tab, page.server), ['sign-in', 'approve']);
    await tab.waitForURL((url) => url.origin === page.here(HOME));
    assert.equal(await tab.locator('body').textContent(), 'Alice Example, alice@example.com');
    assert.equal(requests.find(({ pathname }) => pathname === '/oauth2/authorize').searchParams.get('code_challenge_method'), 'S256');
  }));

test('a person who refuses comes back to the app, which says so', () =>
  page.visit(async (tab) => {
    await tab.goto(page.here(`${HOME}/login`));
    await tab.locator('#username').fill('bob');
    await tab.locator('#password').fill(page.server.passwords.bob);
    await tab.locator('button[value=sign-in]').click();
    await tab.locator('button[value=deny]').click();
    await tab.locator('text=not signed in: access_denied').waitFor();
  }));

test('a device shows its secret, waits for its user, and asks the API', async () => {
  const device = spawn(page.path('device'), [], { env: { ...process.env, ...page.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [device.stdout, device.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  try {
    const asked = /^Open (\S+) and enter (\S+)$/.exec(await lineOf(device, (line) => line.startsWith('Open '), () => output));
    assert.ok(asked, output);
    const [, verification_uri, user_code] = asked;
    const ok = lineOf(device, (line) => line === '200 OK', () => output);
    await new Visitor(page.server).approve({ user_code, verification_uri_complete: `${verification_uri}?user_code=${user_code}` });
    await ok;
  } finally {
    await ended(device, 'SIGTERM');
  }
});

describe('the API', () => apiTests(page, { origin: (audience) => (audience ? `http://127.0.0.1:${port}` : page.here(API)), leeway: 0 }));
