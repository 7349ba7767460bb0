// The configuration of conformance/openid-suite.md without the suite: the server as it stands there, the commands of the plans in a browser, and a site
// in the suite's place.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { chromium } from 'playwright-core';

import { FLAGS } from './lib/browser.mjs';
import { BINARY, ROOT, ended, freePort, lineOf } from './lib/server.mjs';

const FOLDER = join(ROOT, 'conformance/openid-suite');
const PLANS = ['basic.json', 'logout.json', 'backchannel.json'];
const run = promisify(execFile);

describe('the conformance suite', () => {
  let folder;
  let browser;
  let server;
  let suite;
  let ca;
  const received = [];
  const ports = {};
  /// The text of a file, with ports that are free here.
  const here = (text) => text.replaceAll(/localhost:(8443|9443)|127\.0\.0\.1:9443/g, (address, port) => address.replace(/\d+$/, ports[port ?? '9443']));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'grantor-suite-'));
    await cp(FOLDER, folder, { recursive: true, filter: (path) => !/\.(pem|srl|key|db.*)$|events$/.test(path) });
    await run(join(folder, 'certificates'), { cwd: folder });
    ca = await readFile(join(folder, 'ca.pem'));
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
    Object.assign(ports, { 8443: await freePort(), 9443: await freePort() });
    await writeFile(join(folder, 'grantor.toml'), here(await readFile(join(folder, 'grantor.toml'), 'utf8')), { mode: 0o600 });
    const tls = { key: await readFile(join(folder, 'suite-key.pem')), cert: await readFile(join(folder, 'suite.pem')) };
    suite = https.createServer(tls, async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      received.push({ method: request.method, url: request.url, body, tls: request.socket.getProtocol() });
      suite.emit('received');
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Suite</title><link rel=icon href=data:,><h1 id="submission_complete">Done</h1>');
    });
    suite.listen(ports[8443], '127.0.0.1');
    await once(suite, 'listening');
    server = spawn(BINARY, ['serve', '--config', 'grantor.toml'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    server.stderr.on('data', (text) => (log += text));
    await lineOf(server, (line) => line.startsWith('listening on https://'), () => log);
    while ((await ask('/readyz')).status !== 200);
  });

  after(async () => {
    await browser.close();
    await ended(server, 'SIGTERM');
    suite.closeAllConnections();
    suite.close();
    await rm(folder, { recursive: true, force: true });
  });

  /// Asks Grantor.
  async function ask(path, { body, client } = {}) {
    const headers = body ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
    const auth = client && `${client.client_id}:${client.client_secret}`;
    const request = https.request(`https://localhost:${ports[9443]}${path}`, { ca, method: body ? 'POST' : 'GET', headers, auth });
    const [response] = await once(request.end(body?.toString()), 'response');
    let text = '';
    for await (const part of response) text += part;
    return { status: response.statusCode, json: () => JSON.parse(text) };
  }

  const plan = async (name) => JSON.parse(here(await readFile(join(folder, name), 'utf8')));
  const callback = () => here('https://localhost:8443/test/a/grantor/callback');
  const authorize = (client, more = {}) => {
    const query = { response_type: 'code', client_id: client.client_id, scope: 'openid', redirect_uri: callback(), state: 'as it was', ...more };
    return here(`https://localhost:9443/oauth2/authorize?${new URLSearchParams(query)}`);
  };
  const logout = (query) => here(`https://localhost:9443/oauth2/logout?${new URLSearchParams(query)}`);

  /// A browser that knows nobody yet, and takes the suite's certificates.
  async function visit(work) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    await work(await context.newPage());
    await context.close();
  }

  /// The last callback, whether by redirect or by POST.
  function answer() {
    const { method, url, body } = received.findLast(({ url }) => url.includes('/callback'));
    return new URLSearchParams(method === 'POST' ? body : url.split('?')[1]);
  }

  async function idToken(client) {
    const code = answer().get('code');
    const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: callback() });
    return (await ask('/oauth2/token', { body, client })).json().id_token;
  }

  test('each plan names clients, secrets and addresses of the configuration', async () => {
    const config = await readFile(join(folder, 'grantor.toml'), 'utf8');
    for (const name of PLANS) {
      const { alias, server, client, client2 } = await plan(name);
      assert.equal(server.discoveryUrl, here('https://localhost:9443/.well-known/openid-configuration'));
      for (const { client_id, client_secret } of [client, client2].filter(Boolean)) {
        const [, table] = config.split(`id = "${client_id}"\n`);
        assert.ok(table?.startsWith(`secret = "${client_secret}"\n`), `${name}: ${client_id}`);
        assert.ok(table.split('[[')[0].includes(here(`"https://localhost:8443/test/a/${alias}/callback"`)), `${name}: ${client_id}`);
        assert.equal(table.split('[[')[0].includes('backchannel_logout_uri'), name === 'backchannel.json', `${name}: ${client_id}`);
      }
    }
  });

  test('a user signs in and allows, and signs in again where the plan says so', async () => {
    const { client, client2, browser: usual, override } = await plan('basic.json');
    await visit(async (page) => {
      await follow(page, authorize(client), usual);
      assert.ok(answer().get('code') && answer().get('state') === 'as it was');
      await follow(page, authorize(client, { prompt: 'login' }), override['oidcc-prompt-login'].browser);
      await follow(page, authorize(client, { max_age: '0' }), override['oidcc-max-age-1'].browser);
      await follow(page, authorize(client2, { redirect_uri: `${callback()}?dummy1=lorem&dummy2=ipsum`, response_mode: 'form_post' }), usual);
      assert.ok(answer().get('code'));
      assert.equal(received.at(-1).method, 'POST');
      await follow(page, authorize(client, { prompt: 'consent', scope: 'openid offline_access' }), usual);
    });
  });

  test('a redirect URI that is not registered is an error page', async () => {
    const { client, override } = await plan('basic.json');
    await visit(async (page) => {
      for (const [module, uri] of [['oidcc-ensure-registered-redirect-uri', `${callback()}/more`], ['oidcc-redirect-uri-query-added', `${callback()}?foo=bar`]]) {
        await follow(page, authorize(client, { redirect_uri: uri }), override[module].browser);
      }
    });
  });

  test('signing out returns, says that it is done, or says what is wrong', async () => {
    const { client, browser: usual, override } = await plan('logout.json');
    const bye = here('https://localhost:8443/test/a/grantor/post_logout_redirect');
    const requests = (hint) => ({
      'no-params': {},
      'only-state': { state: 's' },
      'no-post-logout-redirect-uri': { id_token_hint: hint, state: 's' },
      'no-id-token-hint': { post_logout_redirect_uri: bye, state: 's' },
      'bad-post-logout-redirect-uri': { id_token_hint: hint, post_logout_redirect_uri: `${bye}/foo`, state: 's' },
      'query-added-to-post-logout-redirect-uri': { id_token_hint: hint, post_logout_redirect_uri: `${bye}?foo=bar`, state: 's' },
      'modified-id-token-hint': { id_token_hint: `${hint.slice(0, -8)}AAAAAAAA`, post_logout_redirect_uri: bye, state: 's' },
      'bad-id-token-hint': { id_token_hint: `eyJhbGciOiJub25lIn0.${hint.split('.')[1]}.`, post_logout_redirect_uri: bye, state: 's' },
    });
    assert.deepEqual(Object.keys(override).sort(), Object.keys(requests('')).map((name) => `oidcc-rp-initiated-logout-${name}`).sort());
    for (const [module, { browser: entries }] of Object.entries(override)) {
      await visit(async (page) => {
        await follow(page, authorize(client), entries);
        const request = requests(await idToken(client))[module.replace('oidcc-rp-initiated-logout-', '')];
        const before = received.length;
        await follow(page, logout(request), entries);
        assert.equal(received.length, before, `${module} returns nobody`);
      });
    }
    await visit(async (page) => {
      await follow(page, authorize(client), usual);
      await follow(page, logout({ id_token_hint: await idToken(client), post_logout_redirect_uri: bye, state: 's' }), usual);
      assert.equal(received.at(-1).url, '/test/a/grantor/post_logout_redirect?state=s');
    });
  });

  test('a client with a back-channel address is told', async () => {
    const { client, browser: usual } = await plan('backchannel.json');
    await visit(async (page) => {
      await follow(page, authorize(client), usual);
      await follow(page, logout({ id_token_hint: await idToken(client), post_logout_redirect_uri: here('https://localhost:8443/test/a/grantor/post_logout_redirect') }), usual);
    });
    const told = () => received.find(({ url }) => url === '/test/a/grantor/backchannel_logout');
    const signal = AbortSignal.timeout(20_000);
    while (!told()) await once(suite, 'received', { signal });
    assert.match(told().body, /^logout_token=eyJ/);
    assert.equal(told().tls, 'TLSv1.3');
  });

  test('keys rotate, and none is of a kind that the suite cannot compare', async () => {
    const keys = async () => (await ask('/.well-known/jwks.json')).json().keys;
    const before = await keys();
    await run(BINARY, ['keys', 'rotate'], { cwd: folder });
    const after = await keys();
    assert.deepEqual(after.filter(({ kty }) => !['RSA', 'EC'].includes(kty)), []);
    assert.ok(after.some(({ kid }) => !before.some((key) => key.kid === kid)), 'a new key');
    const kept = after.filter(({ kid }) => before.some((key) => key.kid === kid));
    assert.ok(kept.length > 0, 'the key that signed before is published');
  });

  test('nginx takes the front', () => run('/usr/sbin/nginx', ['-t', '-p', folder, '-c', join(folder, 'nginx.conf')]));
});

/// Opens an address and does what a plan says, as the suite's BrowserControl does: each task in turn where its page is there, with its commands.
async function follow(page, url, entries) {
  const entry = entries.find(({ match }) => matches(match, url));
  assert.ok(entry, `${url} is of no entry`);
  await page.goto(url);
  for (const { task, match, optional, commands = [] } of entry.tasks) {
    if (!matches(match, page.url())) {
      assert.ok(optional, `${task}: not at ${page.url()}`);
      continue;
    }
    for (const [command, kind, target, ...rest] of commands) {
      const element = page.locator(kind === 'id' ? `#${target}` : target).first();
      const left = rest.includes('optional') && (await element.count()) === 0;
      if (left) continue;
      assert.ok((await element.count()) > 0, `${task}: no ${target} at ${page.url()}\n${await page.content()}`);
      if (command === 'text') await element.fill(rest[0]);
      else if (command === 'click') await Promise.all([page.waitForEvent('load'), element.click()]);
      else assert.match(await element.innerText(), new RegExp(rest[1] ?? ''), task);
    }
  }
}

const matches = (pattern, text) => new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(text);
