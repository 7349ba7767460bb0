// examples/spa-and-api as a newcomer meets it: one command, a React app in a real browser, an API that believes the access token and nothing else.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { exportSPKI, generateKeyPair, importJWK } from 'jose';

import { browse } from './lib/browser.mjs';
import { Example, LoneApi, notes } from './lib/example.mjs';
import { exchange } from './lib/raw.mjs';

const PHONE = { viewport: { width: 390, height: 844 } };
const DESK = { viewport: { width: 1280, height: 800 } };

describe('the example', () => {
  const example = new Example();
  before(() => example.start());
  afterEach((context) => {
    if (context.passed === false) console.error(example.log());
  });
  after(async () => {
    assert.deepEqual(await example.stop(), [0, null], 'one command stops all three');
    for (const origin of [example.grantor, example.api, example.app]) await assert.rejects(fetch(origin), `${origin} has ended`);
  });

  test('a user says no, then yes, and adds a note, by keyboard alone', () =>
    browse('spa-1280-light', { ...DESK, colorScheme: 'light' }, async (page, look) => {
      await page.goto(example.app);
      await look('1-signed-out');
      await press(page, 'sign-in');
      await typeInto(page, 'username', example.username);
      await typeInto(page, 'password', example.password);
      await page.keyboard.press('Enter');
      await page.locator('button[value=deny]').waitFor();
      await look('2-consent');
      await press(page, 'deny');
      await told(page, 'You did not let this app in.');
      assert.equal(page.url(), `${example.app}/`, 'nothing of the answer stays in the address');
      await look('3-denied');

      await press(page, 'sign-in');
      await press(page, 'approve');
      await typeInto(page, 'text', 'Buy milk');
      assert.equal(await page.textContent('#name'), 'Alice Example');
      assert.equal(await page.textContent('#email'), 'alice@example.com');
      assert.equal(await page.locator('#problem p').count(), 0, 'what went wrong before is over');
      await page.keyboard.press('Enter');
      await page.getByText('Buy milk').waitFor();
      assert.equal(await page.inputValue('#text'), '');
      assert.equal(await page.textContent('#owner'), await page.textContent('#subject'), 'the API knows the user by the token');
      await look('4-notes');
    }));

  for (const [name, options] of [
    ['390-light', { ...PHONE, colorScheme: 'light' }],
    ['390-dark', { ...PHONE, colorScheme: 'dark' }],
    ['1280-dark', { ...DESK, colorScheme: 'dark' }],
  ]) {
    test(`looks right, ${name}`, () =>
      browse(`spa-${name}`, options, async (page, look) => {
        await page.goto(example.app);
        await look('1-signed-out');
        await signIn(page);
        await page.fill('#text', 'Call mother');
        await page.click('#add');
        await page.getByText('Call mother').first().waitFor();
        await look('4-notes');
      }));
  }

  test('refreshes by itself before the access token ends, and keeps nothing outside of its tab', () =>
    browse('spa', DESK, async (page) => {
      await page.clock.install();
      await page.goto(example.app);
      await signIn(page);
      const before = await tokens(page);
      await page.clock.fastForward('09:30');
      await page.getByText('1', { exact: true }).and(page.locator('#refreshes')).waitFor();
      const after = await tokens(page);
      assert.notEqual(after.access_token, before.access_token);
      assert.notEqual(after.refresh_token, before.refresh_token);
      assert.deepEqual(await page.evaluate(() => ({ ...localStorage })), { 'notes.signed-in': 'yes' }, 'no token there');
      assert.equal((await page.context().cookies(example.app)).filter(({ value }) => value.includes(after.access_token)).length, 0);
      await page.reload();
      await page.locator('#name').waitFor();
      assert.equal((await tokens(page)).access_token, after.access_token, 'a reload keeps the tokens of the tab');
    }));

  test('gets a new token when the API refuses the one it has', () =>
    browse('spa', DESK, async (page) => {
      await page.goto(example.app);
      await signIn(page);
      page.removeAllListeners('response').removeAllListeners('console');
      const broken = { authorization: 'Bearer broken' };
      await page.route(`${example.api}/notes`, (route) => route.continue({ headers: { ...route.request().headers(), ...broken } }), { times: 1 });
      const refused = page.waitForResponse((response) => response.url() === `${example.api}/notes` && response.status() === 401);
      await page.fill('#text', 'Written twice');
      await page.click('#add');
      await refused;
      await page.getByText('Written twice').first().waitFor();
      assert.equal(await page.textContent('#refreshes'), '1');
    }));

  test('a second tab signs in without a question; who signs out there is out everywhere', () =>
    browse('spa', DESK, async (page) => {
      await page.goto(example.app);
      await signIn(page);
      const { refresh_token } = await tokens(page);
      const tab = await page.context().newPage();
      await tab.goto(example.app);
      await tab.locator('#name').waitFor();
      assert.notEqual((await tokens(tab)).refresh_token, refresh_token, 'each tab has a grant of its own');

      await tab.click('#sign-out');
      await tab.click('button[value=sign-out]');
      await tab.waitForURL(`${example.app}/`);
      await tab.locator('#sign-in').waitFor();
      await told(page, 'You signed out in another tab.');
      assert.equal((await refreshed(refresh_token)).json.error, 'invalid_grant', 'the end of the session ends the grant of the first tab');
      await page.click('#sign-in');
      await page.locator('#password').waitFor();
    }));

  test('tells when the session was ended elsewhere', () =>
    browse('spa', DESK, async (page) => {
      await page.goto(example.app);
      await signIn(page);
      const tab = await page.context().newPage();
      await tab.goto(`${example.grantor}/logout`);
      await tab.click('button[value=sign-out]');
      await tab.locator('#signed-out').waitFor();
      page.removeAllListeners('response').removeAllListeners('console');
      await page.click('#refresh');
      await told(page, 'Your session has ended. Sign in again.');
      await page.locator('#sign-in').waitFor();
    }));

  test('shows what goes wrong: an answer that nobody asked for, one of another issuer, a note that the API refuses', () =>
    browse('spa', DESK, async (page) => {
      await page.goto(`${example.app}/callback?code=stolen&state=unknown&iss=${encodeURIComponent(example.grantor)}`);
      await told(page, 'No matching state found in storage');
      await page.goto(`${example.app}/callback?code=mixed-up&state=unknown&iss=https://evil.example`);
      await told(page, 'The answer is not from the server that was asked.');
      await page.goto(example.app);
      await signIn(page);
      page.removeAllListeners('response').removeAllListeners('console');
      await page.fill('#text', '  ');
      await page.click('#add');
      await told(page, /at least 1 character.*\(422\)/);
    }));

  test('the API believes access tokens alone, and no body', () =>
    browse('spa', DESK, async (page) => {
      await page.goto(example.app);
      await signIn(page);
      const { access_token, id_token, refresh_token } = await tokens(page);
      assert.equal((await notes(example.api, `Bearer ${access_token}`)).status, 200);
      assert.deepEqual((await notes(example.api, `Bearer ${access_token}`, { text: 'For Bob', owner: 'bob' })).json.detail.map(({ type, loc }) => [type, ...loc]), [['extra_forbidden', 'body', 'owner']]);
      assertRefused(await notes(example.api, `Bearer ${id_token}`), 401, 'invalid_token');

      const narrow = (await refreshed(refresh_token, 'openid notes.example.com/read')).json.access_token;
      assert.equal((await notes(example.api, `Bearer ${narrow}`)).status, 200);
      assertRefused(await notes(example.api, `Bearer ${narrow}`, { text: 'Not allowed' }), 403, 'insufficient_scope', ', scope="notes.example.com/write"');
    }));

  async function signIn(page) {
    await page.click('#sign-in');
    await page.fill('#username', example.username);
    await page.fill('#password', example.password);
    await page.click('button[value=sign-in]');
    await page.locator('button[value=approve], #name').first().waitFor();
    if (await page.locator('button[value=approve]').isVisible()) await page.click('button[value=approve]');
    await page.locator('#notes').or(page.getByText('None yet.')).first().waitFor({ state: 'attached' });
  }

  async function refreshed(refresh_token, scope) {
    const form = { grant_type: 'refresh_token', client_id: 'notes', refresh_token, ...(scope ? { scope } : {}) };
    const response = await fetch(`${example.grantor}/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) });
    return { status: response.status, json: await response.json() };
  }
});

describe('its API', () => {
  const api = new LoneApi();
  before(() => api.start());
  after(() => api.stop());

  test('takes a token that is right', async () => {
    const { status, json } = await notes(api.url, `bearer ${await api.sign()}`);
    assert.equal(status, 200, 'and the scheme in any case');
    assert.deepEqual(json, { owner: 'a-user', notes: [] });
  });

  test('without a token it only asks for one, and with two headers it takes neither', async () => {
    for (const authorization of [undefined, 'Basic YTpi']) {
      const { status, challenge } = await notes(api.url, authorization);
      assert.deepEqual([status, challenge], [401, 'Bearer realm="notes"'], 'RFC 6750 3.1: no error code');
    }
    const token = await api.sign();
    assert.equal((await fetch(`${api.url}/notes?access_token=${token}`)).status, 401, 'a token in the query is none');
    const header = `authorization: Bearer ${token}\r\n`;
    const twice = await exchange({ origin: api.url }, `GET /notes HTTP/1.1\r\nhost: ${new URL(api.url).host}\r\nconnection: close\r\n${header}${header}\r\n`);
    assert.equal(twice.status, 400);
    assert.match(twice.headers.get('www-authenticate'), /error="invalid_request"/);
  });

  const wrong = {
    'another issuer': { iss: 'https://evil.example' },
    'another API': { aud: 'orders.example.com' },
    'no audience': { aud: undefined },
    'no end': { exp: undefined },
    'a past end': { exp: 1 },
    'no user': { sub: undefined },
    'no client': { client_id: undefined },
  };
  for (const [what, claims] of Object.entries(wrong)) {
    test(`refuses a token with ${what}`, async () => {
      assertRefused(await notes(api.url, `Bearer ${await api.sign(claims)}`), 401, 'invalid_token');
    });
  }

  const forged = {
    'the type of an ID token': () => api.sign({}, { typ: 'JWT' }),
    'no type': () => api.sign({}, { typ: undefined }),
    'a key that nobody published': () => api.sign({}, { kid: 'unknown' }),
    'no key named': () => api.sign({}, { kid: undefined }),
    'the signature of another key': async () => api.sign({}, {}, (await generateKeyPair('ES256')).privateKey),
    'alg none': async () => [encoded({ alg: 'none', typ: 'at+jwt', kid: 'right' }), (await api.sign()).split('.')[1], ''].join('.'),
    'an HMAC made with the public key': async () => {
      const pem = await exportSPKI(await importJWK(api.jwk));
      return api.sign({}, { alg: 'HS256' }, new TextEncoder().encode(pem));
    },
    'a claim changed': async () => {
      const [header, claims, signature] = (await api.sign()).split('.');
      return [header, encoded({ ...JSON.parse(Buffer.from(claims, 'base64url')), sub: 'bob' }), signature].join('.');
    },
    'nothing of a token': () => 'x',
  };
  for (const [what, make] of Object.entries(forged)) {
    test(`refuses a token with ${what}`, async () => {
      assertRefused(await notes(api.url, `Bearer ${await make()}`), 401, 'invalid_token');
    });
  }

  test('refuses a token whose scope is too small, and says which it needs', async () => {
    assertRefused(await notes(api.url, `Bearer ${await api.sign()}`, { text: 'Not allowed' }), 403, 'insufficient_scope', ', scope="notes.example.com/write"');
    assertRefused(await notes(api.url, `Bearer ${await api.sign({ scope: undefined })}`), 403, 'insufficient_scope', ', scope="notes.example.com/read"');
  });

  test('keeps the notes of each user apart', async () => {
    const scope = 'notes.example.com/read notes.example.com/write';
    const [carol, dave] = await Promise.all(['carol', 'dave'].map(async (sub) => `Bearer ${await api.sign({ sub, scope })}`));
    assert.equal((await notes(api.url, carol, { text: "Carol's" })).status, 201);
    assert.deepEqual((await notes(api.url, dave)).json, { owner: 'dave', notes: [] });
    assert.deepEqual((await notes(api.url, carol)).json.notes.map(({ text }) => text), ["Carol's"]);
  });
});

async function told(page, text) {
  await page.getByRole('alert').filter({ hasText: text }).waitFor();
}

/// Tabs to an element, as somebody without a mouse does. Buttons of the server's pages have no id, but a value.
async function tabTo(page, name) {
  const selector = `#${name}, button[value="${name}"]`;
  await page.locator(selector).waitFor();
  const isFocused = () => page.evaluate((selector) => document.activeElement?.matches(selector), selector);
  for (let tabs = 0; !(await isFocused()); tabs++) {
    assert.ok(tabs < 20, `${name} is reached by Tab`);
    await page.keyboard.press('Tab');
  }
}

async function press(page, id) {
  await tabTo(page, id);
  await page.keyboard.press('Enter');
}

async function typeInto(page, id, text) {
  await tabTo(page, id);
  await page.keyboard.type(text);
}

/// What oidc-client-ts keeps in the tab.
function tokens(page) {
  return page.evaluate(() => JSON.parse(sessionStorage.getItem(Object.keys(sessionStorage).find((key) => key.startsWith('user.')))));
}

function encoded(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function assertRefused({ status, challenge }, expected, error, more = '') {
  assert.equal(status, expected);
  assert.match(challenge, new RegExp(`^Bearer realm="notes", error="${error}", error_description="[^"]+"${more}$`));
}
