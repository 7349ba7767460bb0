// oauth2-proxy, unmodified, as docs/src/clients/oauth2-proxy.md sets it up, in a real browser before a page that shows what it is told.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { signIn, usePage } from '../../../tests/node/lib/client_page.mjs';
import { ROOT } from '../../../tests/node/lib/server.mjs';

const HOME = 'http://localhost:3000/';
const OTHER = 'http://localhost:3001/landed';

/// Shows the headers that it is told.
const site = createServer((request, response) => {
  const told = Object.fromEntries(Object.entries(request.headers).filter(([name]) => name.startsWith('x-forwarded-')));
  response.setHeader('content-type', 'text/html');
  response.end(`<!doctype html><title>site</title><link rel="icon" href="data:,"><h1>${request.url}</h1><pre>${JSON.stringify(told, null, 2)}</pre>`);
});
const other = createServer((request, response) => response.end('another site'));
after(() => [site, other].forEach((server) => server.close() && server.closeAllConnections()));

const page = usePage('oauth2-proxy', async (page) => {
  const listen = (server, url) => new Promise((resolve) => server.listen(new URL(page.here(url)).port, 'localhost', resolve));
  await Promise.all([listen(site, 'http://localhost:4000'), listen(other, OTHER)]);
  // The page's five minutes would be long here. The token is passed on to see that it is another.
  const sooner = ['--cookie-refresh=1s', '--pass-access-token'];
  await page.start(join(ROOT, 'target/clients/bin/oauth2-proxy'), ['--config', 'proxy.cfg', ...sooner], /OAuthProxy configured|Cookie settings/);
  await page.reachable('http://localhost:3000/ping');
});

const told = async (tab) => JSON.parse(await tab.textContent('pre'));

async function enter(tab, url = HOME, username = 'alice') {
  const [request] = await Promise.all([tab.waitForRequest(/\/oauth2\/authorize\?/), tab.goto(page.here(url))]);
  const { scope, code_challenge_method } = Object.fromEntries(new URL(request.url()).searchParams);
  assert.match(scope, /\bgroups\b/);
  assert.equal(code_challenge_method, 'S256');
  return signIn(tab, page.server, username);
}

test('a user of the group reaches the site, which is told name, address and groups', (t) =>
  page.visit(async (tab, shoot) => {
    assert.deepEqual(await enter(tab), ['sign-in', 'approve']);
    await tab.waitForURL(page.here(HOME));
    await shoot('signed-in');
    const headers = await told(tab);
    t.diagnostic(`the site is told ${JSON.stringify({ ...headers, 'x-forwarded-access-token': '…' })}`);
    assert.equal(headers['x-forwarded-email'], 'alice@example.com');
    assert.equal(headers['x-forwarded-groups'], 'staff');
    assert.equal(headers['x-forwarded-preferred-username'], 'alice');
  }));

test('a user outside of the group is refused by the proxy', () =>
  page.visit(async (tab) => {
    const refused = tab.waitForResponse((response) => response.status() === 403);
    await enter(tab, HOME, 'bob');
    assert.equal(new URL((await refused).url()).origin, new URL(page.here(HOME)).origin);
  }));

test('the proxy refreshes, until the user signs out at Grantor', () =>
  page.visit(async (tab) => {
    await enter(tab);
    const token = async () => (await told(tab))['x-forwarded-access-token'];
    const first = await token();
    page.server.remember(first);
    for (let attempt = 0; attempt < 1000 && (await token()) === first; attempt++) await tab.reload();
    assert.notEqual(await token(), first);
    page.server.remember(await token());
    await tab.goto(`${page.server.origin}/logout`);
    await tab.click('button[value=sign-out]');
    await tab.locator('#signed-out').waitFor();
    const signsIn = () => new URL(tab.url()).origin === page.server.origin;
    for (let attempt = 0; attempt < 1000 && (attempt === 0 || !signsIn()); attempt++) await tab.goto(page.here(HOME));
    assert.ok(signsIn(), tab.url());
  }));

test('a sign-in that begins at another origin ends there, and the one after it without a question', () =>
  page.visit(async (tab) => {
    const start = `${HOME}oauth2/start?rd=${encodeURIComponent(OTHER)}`;
    assert.deepEqual(await enter(tab, start), ['sign-in']);
    await tab.waitForURL(page.here(OTHER));
    await tab.context().clearCookies({ name: /_oauth2_proxy/ });
    await tab.goto(page.here(start));
    await tab.waitForURL(page.here(OTHER));
  }));

test('the address of the page signs out of the proxy and of Grantor', () =>
  page.visit(async (tab) => {
    await enter(tab);
    const signOut = /^\/oauth2\/sign_out\S+$/m.exec(await page.text())[0];
    await tab.goto(page.here(new URL(signOut, HOME).href));
    await tab.click('button[value=sign-out]');
    await tab.waitForURL((url) => url.origin === page.server.origin && url.pathname === '/login');
    assert.deepEqual(await signIn(tab, page.server), ['sign-in']);
    await tab.waitForURL(page.here(HOME));
  }));
