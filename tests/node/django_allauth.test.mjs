// django-allauth, unmodified, as docs/src/clients/django-allauth.md sets it up, in a real browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { signIn, usePage } from './lib/client_page.mjs';
import { VENV_PYTHON } from './lib/server.mjs';

const HOME = 'http://localhost:3000/';
const page = usePage('django-allauth', async (page) => {
  Object.assign(page.env, { PYTHONPATH: '.', DJANGO_SETTINGS_MODULE: 'settings', PYTHONUNBUFFERED: '1' });
  await page.start(VENV_PYTHON, ['-m', 'django', 'migrate'], /Applying sessions.0001_initial\.\.\. OK/);
  await page.start(VENV_PYTHON, ['-m', 'django', 'runserver', '--noreload', page.here('localhost:3000')], /Starting development server/);
  await page.reachable(HOME);
});

async function enter(tab) {
  await tab.goto(page.here(HOME));
  await tab.click('text=Sign in');
  const [request] = await Promise.all([tab.waitForRequest(/\/oauth2\/authorize/), tab.click('button')]);
  assert.equal(new URL(request.url()).searchParams.get('code_challenge_method'), 'S256');
  const asked = await signIn(tab, page.server);
  await tab.waitForURL(page.here(HOME));
  return asked;
}

test('a person signs in and is called by name and address, without a mail to verify it, and signs out of both', () =>
  page.visit(async (tab, shoot) => {
    assert.deepEqual(await enter(tab), ['sign-in', 'approve']);
    assert.equal(await tab.textContent('h1'), 'Alice Example, alice@example.com');
    await shoot('signed-in');
    assert.doesNotMatch(page.log(), /^Subject:/m);

    await tab.click('text=Sign out');
    await tab.click('button');
    await tab.click('button[value=sign-out]');
    await tab.waitForURL(page.here(HOME));
    assert.equal(await tab.textContent('h1'), 'Web shop');
    assert.deepEqual(await enter(tab), ['sign-in']);
  }));
