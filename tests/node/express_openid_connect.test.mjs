// Auth0's express-openid-connect, unmodified, as docs/src/clients/express-openid-connect.md sets it up, in a real browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { signIn, usePage } from './lib/client_page.mjs';

const HOME = 'http://localhost:3000/';
const page = usePage('express-openid-connect', (page) => page.start(process.execPath, ['app.mjs']));

async function enter(tab) {
  await tab.goto(page.here(HOME));
  await tab.click('text=Your profile');
  const asked = await signIn(tab, page.server);
  await tab.waitForURL(page.here(`${HOME}profile`));
  return asked;
}

test('a person signs in and is called by name and address, once with consent', () =>
  page.visit(async (tab, shoot) => {
    assert.deepEqual(await enter(tab), ['sign-in', 'approve']);
    assert.equal(await tab.textContent('h1'), 'Alice Example, alice@example.com');
    await shoot('signed-in');
  }));

test('the app refreshes its tokens, until the person signs out at Grantor', () =>
  page.visit(async (tab) => {
    await enter(tab);
    const refresh = page.here(`${HOME}refresh`);
    for (let time = 0; time < 2; time++) {
      await tab.goto(refresh);
      assert.deepEqual(JSON.parse(await tab.textContent('body')), { expires_in: 600 });
    }
    await tab.goto(page.here(`${HOME}profile`));
    assert.equal(await tab.textContent('h1'), 'Alice Example, alice@example.com');
    await tab.goto(`${page.server.origin}/logout`);
    await tab.click('button[value=sign-out]');
    await tab.locator('#signed-out').waitFor();
    await tab.goto(refresh);
    assert.deepEqual(await signIn(tab, page.server), ['sign-in']);
    await tab.waitForURL(refresh);
  }));

test('a person signs out of the app and of Grantor, and comes back', () =>
  page.visit(async (tab) => {
    await enter(tab);
    await tab.click('text=Sign out');
    await tab.click('button[value=sign-out]');
    await tab.waitForURL(page.here(HOME));
    assert.deepEqual(await enter(tab), ['sign-in']);
  }));
