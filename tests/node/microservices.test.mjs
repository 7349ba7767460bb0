// examples/microservices as a newcomer meets it: one command, a website in a real browser, three services that each see what its token says.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, afterEach, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { DESK, PHONE, browse } from './lib/browser.mjs';
import { Shop } from './lib/shop.mjs';
import { basic } from './lib/wire.mjs';

describe('the example', () => {
  const shop = new Shop();
  before(() => shop.start());
  afterEach(async (context) => {
    if (context.passed === false) console.error(await shop.log());
  });
  after(async () => {
    assert.deepEqual(await shop.stop(), [0, null], 'one command stops all of them');
    for (const origin of [shop.grantor, shop.website, shop.orders, shop.invoices, shop.shipping]) await assert.rejects(fetch(origin), `${origin} has ended`);
  });

  for (const [name, options] of [
    ['390-light', { viewport: PHONE, colorScheme: 'light' }],
    ['390-dark', { viewport: PHONE, colorScheme: 'dark' }],
    ['1280-light', { viewport: DESK, colorScheme: 'light' }],
    ['1280-dark', { viewport: DESK, colorScheme: 'dark' }],
  ]) {
    test(`a user sees orders, invoices and parcels, and each service saw what its token says, ${name}`, () =>
      browse(`shop-${name}`, options, async (page, look) => {
        await page.goto(shop.website);
        await look('1-signed-out');
        await signIn(page);
        assert.equal(await page.textContent('#name'), shop.username);
        assert.deepEqual(await page.locator('.orders dd').allTextContents(), ['1001', '€ 84.00, paid', 'Delivered on Tuesday', '1002', '€ 12.50, due on 1 December', 'On the van, here by 5 pm']);

        const [orders, invoices, shipping] = [await seen(page, 'orders'), await seen(page, 'invoices'), await seen(page, 'shipping')];
        const { sub } = orders;
        assert.match(sub, /^[0-9a-f-]{36}$/);
        const own = { sub, act: 'nobody but the user', client_id: 'website', aud: 'api.example.com', scope: 'api.example.com/invoices api.example.com/orders openid profile' };
        assert.deepEqual(orders, own);
        assert.deepEqual(invoices, own, 'one zone, one token');
        assert.deepEqual(shipping, { sub, act: 'orders', client_id: 'orders', aud: 'shipping.example.com', scope: 'shipping.example.com/track' }, 'another zone: the user, orders acting, one audience, one scope');

        await page.click('#wider');
        await page.locator('#try-wider .refused').waitFor();
        await look('2-tried');
      }));
  }

  const refusals = {
    wider: ['Grantor', /^invalid_scope: The scope is wider than what the subject token holds and the rule gives for it\.$/],
    elsewhere: ['Grantor', /^invalid_target: No rule lets the client exchange tokens for this audience\.$/],
    direct: ['Shipping', /^401 Unauthorized Bearer realm="shipping\.example\.com", error="invalid_token", error_description="the token is for another audience"$/],
    foreign: ['Grantor', /^invalid_request: The subject token is not valid, has ended, or was revoked\.$/],
    beyond: ['Shipping', /^403 Forbidden Bearer realm="shipping\.example\.com", error="insufficient_scope", .*scope="shipping\.example\.com\/report"$/],
  };

  test('each thing that must not work is refused, with its reason', () =>
    browse('shop', { viewport: DESK }, async (page) => {
      await page.goto(shop.website);
      await signIn(page);
      assert.deepEqual(await page.locator('form[action^="/try/"] button').evaluateAll((buttons) => buttons.map(({ id }) => id)), Object.keys(refusals));
      for (const [name, [who, said]] of Object.entries(refusals)) {
        await page.click(`#${name}`);
        const { by, why } = await refused(page, `#try-${name}`);
        assert.equal(by, `${who} refuses.`, name);
        assert.match(why, said, name);
        assert.equal(await page.locator('.refused').count(), 1, 'nothing else is');
      }
    }));

  test('who takes access back ends every exchange at once, and gives it back by signing in again', () =>
    browse('shop-1280-light', { viewport: DESK, colorScheme: 'light' }, async (page, look) => {
      await page.goto(shop.website);
      await signIn(page);
      const account = await page.context().newPage();
      await account.goto(await page.getAttribute('#account', 'href'));
      await account.getByRole('button', { name: /remove access/i }).click();
      await account.waitForLoadState();

      await page.reload();
      await revoked(page);
      assert.deepEqual(await page.locator('.orders li:first-child dd').allTextContents(), ['1001', '€ 84.00, paid', 'not known now'], 'what is checked by key is there until the token ends');
      await look('3-revoked');
      await page.getByRole('link', { name: 'Sign in again' }).click();
      await page.click('button[value=approve]');
      await page.locator('#shipping').waitFor();
      assert.equal(await page.locator('.refused').count(), 0);
    }));

  test('a user whom the operator disables is nobody to exchange for, at once', () =>
    browse('shop', { viewport: DESK }, async (page) => {
      await page.goto(shop.website);
      await signIn(page);
      try {
        await shop.run('user', 'disable', shop.username);
        await page.reload();
        await revoked(page);
      } finally {
        await shop.run('user', 'enable', shop.username);
      }
    }));

  test('signing out ends the session here and at Grantor', () =>
    browse('shop', { viewport: DESK }, async (page) => {
      await page.goto(shop.website);
      await signIn(page);
      await page.click('#sign-out');
      await page.click('button[value=sign-out]');
      await page.waitForURL(`${shop.website}/`);
      await page.click('#sign-in');
      await page.locator('#password').waitFor();
    }));

  test('nobody signs in with the answer of another browser, or of another server', () =>
    browse('shop', { viewport: PHONE }, async (page, look) => {
      page.removeAllListeners('response').removeAllListeners('console');
      await page.goto(`${shop.website}/callback?code=stolen&state=guessed&iss=${encodeURIComponent(shop.grantor)}`);
      await page.getByRole('alert').filter({ hasText: 'not to a question of this browser' }).waitFor();
      await look('problem');
      for (const wrong of [{ iss: 'https://evil.example' }, { state: 'guessed' }]) {
        const begun = await fetch(`${shop.website}/sign-in`, { redirect: 'manual' });
        const state = new URL(begun.headers.get('location')).searchParams.get('state');
        const answer = new URLSearchParams({ code: 'stolen', state, iss: shop.grantor, ...wrong });
        const [cookie] = begun.headers.get('set-cookie').split(';');
        const told = await fetch(`${shop.website}/callback?${answer}`, { headers: { cookie } });
        assert.equal(told.status, 400);
        assert.match(await told.text(), /not to a question of this browser/);
      }
    }));

  test('the browser holds a cookie that no script and no other site uses, and no token', () =>
    browse('shop', { viewport: DESK }, async (page) => {
      await page.goto(shop.website);
      await signIn(page);
      const cookie = (await page.context().cookies(shop.website)).find(({ name }) => name === 'shop');
      assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Lax']);
      assert.doesNotMatch(await page.content(), /eyJ|grantor_at_/);
      const foreign = await fetch(`${shop.website}/sign-out`, { method: 'POST', headers: { cookie: `shop=${cookie.value}`, origin: shop.grantor }, redirect: 'manual' });
      assert.equal(foreign.status, 403, 'a form of another origin is not taken, though it be of the same site');
    }));

  test('the nightly job gets its report in its own name, without a user', async () => {
    const { seen, parcels } = JSON.parse(await shop.run('nightly'));
    assert.deepEqual(seen, { service: 'shipping', subject: 'nightly', actors: [], client: 'nightly', audience: ['shipping.example.com'], scope: 'shipping.example.com/report' });
    assert.deepEqual(Object.keys(parcels), ['delivered', 'lost', 'under way']);
  });

  test('curl does what the job does, and what it has is of no use elsewhere', async () => {
    const { NIGHTLY_SECRET } = await shop.secrets();
    const token = JSON.parse(await curl('--user', `nightly:${NIGHTLY_SECRET}`, '--data', 'grant_type=client_credentials', `${shop.grantor}/oauth2/token`));
    assert.match(token.access_token, /^grantor_at_/, 'shipping has its tokens sealed');
    const bearer = ['--header', `Authorization: Bearer ${token.access_token}`];
    const { seen } = JSON.parse(await curl(...bearer, `${shop.shipping}/report`));
    assert.equal(seen.subject, 'nightly');
    assert.equal(await curl(...STATUS, ...bearer, `${shop.shipping}/parcels`), '403', 'a machine has no parcels');
    assert.equal(await curl(...STATUS, ...bearer, `${shop.orders}/orders`), '401', 'nor any business in another zone');
    assert.equal(await curl(...STATUS, `${shop.shipping}/report`), '401');
  });

  test('only who may exchange exchanges', async () => {
    const { NIGHTLY_SECRET, WEBSITE_SECRET } = await shop.secrets();
    const own = JSON.parse(await curl('--user', `nightly:${NIGHTLY_SECRET}`, '--data', 'grant_type=client_credentials', `${shop.grantor}/oauth2/token`)).access_token;
    const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: own, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', audience: 'shipping.example.com' });
    for (const [id, secret] of [['website', WEBSITE_SECRET], ['nightly', NIGHTLY_SECRET]]) {
      const answer = await fetch(`${shop.grantor}/oauth2/token`, { method: 'POST', headers: { authorization: basic(id, secret) }, body: form });
      assert.deepEqual([answer.status, (await answer.json()).error], [400, 'unauthorized_client'], id);
    }
  });

  test('no secret and no token is in a log', async () => {
    const log = await shop.log();
    for (const secret of Object.values(await shop.secrets())) assert.ok(!log.includes(secret));
    assert.doesNotMatch(log, /eyJ|grantor_at_[\w-]{20}/);
  });

  async function signIn(page) {
    await page.click('#sign-in');
    await page.fill('#username', shop.username);
    await page.fill('#password', shop.password);
    await page.click('button[value=sign-in]');
    await page.locator('button[value=approve], #name').first().waitFor();
    if (await page.locator('button[value=approve]').isVisible()) await page.click('button[value=approve]');
    await page.locator('#orders').waitFor();
  }
});

const STATUS = ['--output', '/dev/null', '--write-out', '%{http_code}'];

async function curl(...args) {
  const { stdout } = await promisify(execFile)('curl', ['--silent', '--show-error', ...args]);
  return stdout;
}

/// What the page says that a service saw, by the names of the claims.
async function seen(page, service) {
  const names = await page.locator(`#${service} dt code`).allTextContents();
  const values = await page.locator(`#${service} dd`).allTextContents();
  return Object.fromEntries(names.map((name, index) => [name, values[index].trim()]));
}

async function refused(page, within) {
  const refusal = page.locator(`${within} .refused`);
  return { by: await refusal.locator('b').textContent(), why: await refusal.locator('code').textContent() };
}

/// The user's token is no good for exchange any more.
async function revoked(page) {
  const { by, why } = await refused(page, '[role="alert"]');
  assert.equal(by, 'Grantor refuses.');
  assert.equal(why, 'invalid_request: The subject token is not valid, has ended, or was revoked.');
  assert.equal(await page.locator('#shipping').count(), 0);
  assert.equal(await page.locator('#orders').count(), 1);
}
