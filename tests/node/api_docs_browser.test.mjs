// The documentation of the management API in a real browser: it signs in by PKCE, asks the API, and takes nothing from its address.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';

import { DESK, PHONE, SCREENSHOTS, browse } from './lib/browser.mjs';
import { useServer } from './lib/server.mjs';

const password = 'a correct horse of the administrators';
const tables = `
[api]
enabled = true

[[user]]
username = "ada"
password = "${password}"
groups = ["admins"]
`;
const server = useServer({ tables });

/// Another site, which must never be asked.
const elsewhere = createServer((request, response) => {
  asked.push(request.url);
  response.setHeader('access-control-allow-origin', '*').end('{"openapi": "3.1.0", "info": {"title": "Evil", "version": "1"}, "paths": {}}');
}).listen(0, '127.0.0.1');
const asked = [];
after(() => elsewhere.close());

async function look(page, name, part) {
  const path = join(SCREENSHOTS, `api-docs/${name}.png`);
  await mkdir(dirname(path), { recursive: true });
  if (part) await part.screenshot({ path });
  else await page.screenshot({ path, fullPage: true });
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(excess <= 0, `${name} scrolls sideways`);
}

/// Chooses scopes, and signs in and agrees in the window that opens.
async function authorize(page, scopes) {
  await page.click('.auth-wrapper .authorize');
  const form = page.locator('.auth-container').first();
  for (const scope of scopes) await form.locator('.scopes label', { hasText: scope }).click();
  const opened = page.context().waitForEvent('page');
  await form.locator('button.authorize').click();
  const popup = await opened;
  await popup.waitForLoadState();
  return { form, popup };
}

async function agree(popup, signIn = true) {
  if (signIn) {
    await popup.fill('#username', 'ada');
    await popup.fill('#password', password);
    await popup.click('button[value=sign-in]');
  }
  const closed = popup.waitForEvent('close');
  await popup.click('button[value=approve]');
  await closed;
}

/// Runs an operation, with this body if it has one; what it answered.
async function execute(page, operation, body) {
  const block = page.locator(`[id$="-${operation}"]`);
  await block.locator('.opblock-summary-control').click();
  await block.locator('button.try-out__btn').click();
  if (body) await block.locator('textarea').fill(JSON.stringify(body));
  const answered = page.waitForResponse((response) => response.url().includes('/api/v1/'));
  await block.locator('button.execute').click();
  const response = await answered;
  await block.locator('.live-responses-table').waitFor();
  return { status: response.status(), json: await response.json(), block };
}

for (const [name, options] of [
  ['390', { viewport: PHONE, colorScheme: 'light' }],
  ['1280', { viewport: DESK, colorScheme: 'light' }],
]) {
  test(`signs in by PKCE, agrees each time, asks who one is, and creates a client whose secret is shown once, ${name}`, () =>
    browse('api-docs', options, async (page) => {
      await page.goto(server.url('/api/docs/'));
      await page.locator('.opblock').first().waitFor();
      await look(page, `${name}-1-operations`);
      const { form, popup } = await authorize(page, ['grantor/self', 'grantor/clients:write']);
      const request = new URL(new URL(popup.url()).searchParams.get('return_to'), server.origin).searchParams;
      assert.equal(request.get('client_id'), 'grantor-docs');
      assert.equal(request.get('code_challenge_method'), 'S256');
      await agree(popup);
      await form.getByText('Authorized', { exact: true }).waitFor();
      await look(page, `${name}-2-authorized`);
      await form.getByRole('button', { name: 'Close' }).click();
      const { status, json, block } = await execute(page, 'get_me');
      assert.equal(status, 200);
      assert.deepEqual([json.username, json.client_id, json.rights], ['ada', 'grantor-docs', ['clients:write', 'self']]);
      await look(page, `${name}-3-answer`, block);

      const created = await execute(page, 'create_client', { name: 'Report', grants: ['client_credentials'], scopes: ['orders.example.com/read'] });
      assert.equal(created.status, 201);
      server.remember(created.json.secret);
      await look(page, `${name}-4-secret`, created.block.locator('.live-responses-table'));
      assert.match(await created.block.locator('.live-responses-table').textContent(), new RegExp(created.json.secret));
      const { json: clients } = await execute(page, 'list_clients');
      const listed = clients.items.find(({ id }) => id === created.json.id);
      assert.equal(listed.confidential, true);
      assert.doesNotMatch(JSON.stringify(clients), new RegExp(created.json.secret), 'a secret is shown once');

      // Nothing outside of the page's memory knows the token, and the next one is agreed to again.
      assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, '']);
      await page.reload();
      await page.locator('.opblock').first().waitFor();
      const again = await authorize(page, ['grantor/clients:write']);
      await agree(again.popup, false);
      await again.form.getByText('Authorized', { exact: true }).waitFor();
    }));
}

test('nothing in the address configures the page', () =>
  browse('api-docs', { viewport: DESK }, async (page) => {
    const evil = `http://127.0.0.1:${elsewhere.address().port}`;
    for (const query of [
      { url: `${evil}/a.json` },
      { configUrl: `${evil}/b.json` },
      { 'urls.primaryName': 'x', urls: `[{"url":"${evil}/c.json","name":"x"}]` },
      { oauth2RedirectUrl: `${evil}/d`, validatorUrl: `${evil}/e`, persistAuthorization: 'true', queryConfigEnabled: 'true' },
    ]) {
      await page.goto(server.url(`/api/docs/?${new URLSearchParams(query)}#${new URLSearchParams(query)}`));
      await page.locator('.opblock').first().waitFor();
      assert.match(await page.locator('.info .title').textContent(), /^Grantor management API/);
    }
    assert.deepEqual(asked, []);
  }));
