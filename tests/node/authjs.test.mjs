// Auth.js, unmodified, as docs/src/clients/authjs.md sets it up, in a real browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { signIn, usePage } from './lib/client_page.mjs';

const HOME = 'http://localhost:3000/';
const page = usePage('authjs', (page) => page.start(process.execPath, ['app.mjs']));

async function enter(tab) {
  await tab.goto(page.here(HOME));
  await tab.click('text=Sign in');
  await tab.click('text=Sign in with Example');
  const asked = await signIn(tab, page.server);
  await tab.waitForURL(page.here(HOME));
  return asked;
}

test('a person signs in and is called by name and address, once with consent', () =>
  page.visit(async (tab, shoot) => {
    assert.deepEqual(await enter(tab), ['sign-in', 'approve']);
    assert.equal(await tab.textContent('h1'), 'Alice Example, alice@example.com');
    await shoot('signed-in');
  }));

/// What Auth.js's `update()` does in a browser.
const update = (tab) =>
  tab.evaluate(async () => {
    const { csrfToken } = await (await fetch('/auth/csrf')).json();
    const response = await fetch('/auth/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ csrfToken }) });
    return response.json();
  });

test('the app refreshes its tokens, until the person signs out at Grantor', () =>
  page.visit(async (tab) => {
    await enter(tab);
    for (let time = 0; time < 2; time++) assert.equal((await update(tab)).user.name, 'Alice Example');
    await tab.goto(`${page.server.origin}/logout`);
    await tab.click('button[value=sign-out]');
    await tab.locator('#signed-out').waitFor();
    await tab.goto(page.here(HOME));
    assert.equal(await update(tab), null);
    await tab.reload();
    assert.equal(await tab.textContent('h1'), 'Web shop');
  }));

test('a person signs out of the app and of Grantor, and comes back', () =>
  page.visit(async (tab) => {
    await enter(tab);
    await tab.click('text=Sign out');
    await tab.click('button');
    await tab.click('button[value=sign-out]');
    await tab.waitForURL(page.here(HOME));
    assert.equal(await tab.textContent('h1'), 'Web shop');
    assert.deepEqual(await enter(tab), ['sign-in']);
  }));
