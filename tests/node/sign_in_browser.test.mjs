// Signing in with a real browser that has several tabs, no cookies, a Back button, long requests, and apps that redirect on.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { DESK, PHONE, browse } from './lib/browser.mjs';
import { useServer } from './lib/server.mjs';
import { Proxy, Site, selfSigned } from './lib/sites.mjs';
import { deviceAuthorization } from './lib/wire.mjs';

const tls = selfSigned();
const third = new Site({}, { tls });
await third.start();
const landed = `https://third.localhost:${third.port}/landed`;
const secure = new Site({ '/callback': () => landed }, { tls });
const apps = new Site({ '/on': () => `http://127.0.0.1:${other.port}/landed`, '/post': (url) => poster(url) });
const other = new Site();
const proxy = new Proxy();
await Promise.all([secure, apps, other, proxy].map((site) => site.start()));
after(() => Promise.all([third, secure, apps, other, proxy].map((site) => site.stop())));

const client = (id, redirect, more = '') => `
[[client]]
id = "${id}"
name = "App ${id}"
grants = ["authorization_code"]
scopes = ["openid", "profile"]
redirect_uris = ["${redirect}"]
${more}
`;
const FIVE = [1, 2, 3, 4, 5].map((n) => `five${n}`);
const SKIP = 'consent = "skip"';
const tables = [
  ...FIVE.map((id) => client(id, `${apps.origin}/${id}`, SKIP)),
  client('asks', `${apps.origin}/asks`, `post_logout_redirect_uris = ["${apps.origin}/bye"]`),
  client('onward', `${secure.origin}/callback`, SKIP),
  client('onward-asks', `${secure.origin}/callback`),
  client('onward-here', `${apps.origin}/on`, SKIP),
].join('');
const server = useServer({ tables });

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const REDIRECTS = { asks: '/asks', 'onward-here': '/on' };

function request(id, more = {}, origin = server.origin) {
  const redirect_uri = id.startsWith('onward') && id !== 'onward-here' ? `${secure.origin}/callback` : `${apps.origin}${REDIRECTS[id] ?? `/${id}`}`;
  const query = { client_id: id, response_type: 'code', scope: 'openid', redirect_uri, code_challenge: CHALLENGE, code_challenge_method: 'S256', state: 'st', ...more };
  return `${origin}/oauth2/authorize?${new URLSearchParams(query)}`;
}

/// A page of another site with a form that posts the parameters of `to` there.
function poster(url) {
  const to = new URL(url.searchParams.get('to'));
  const fields = [...to.searchParams].map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`);
  return `<h1>go</h1><form method="post" action="${to.origin}${to.pathname}">${fields.join('')}<button>go</button></form>`;
}

async function signIn(page, name = 'alice') {
  await page.fill('#username', name);
  await page.fill('#password', server.passwords[name]);
  await page.click('button[value=sign-in]');
}

/// Also of the page with which Chromium asks, which is another one for a moment.
async function reload(page) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await page.reload();
    } catch (error) {
      if (attempt === 100 || !/Not attached|ERR_CACHE_MISS|interrupted/.test(error.message)) throw error;
    }
  }
}

/// The pages that tell of something wrong are looked at by the test itself.
const quietly = (page) => page.removeAllListeners('response').removeAllListeners('console').removeAllListeners('requestfailed');

test('five tabs of five apps, signed in from one browser, each reach their app', () =>
  browse('tabs', {}, async (page) => {
    const tabs = [page];
    while (tabs.length < FIVE.length) tabs.push(await page.context().newPage());
    for (const [n, tab] of tabs.entries()) await tab.goto(request(FIVE[n]));
    for (const [n, tab] of tabs.entries()) {
      await signIn(tab);
      await tab.waitForURL(`${apps.origin}/${FIVE[n]}?*`);
      assert.ok(new URL(tab.url()).searchParams.get('code'), tab.url());
    }
  }));

for (const [look, options] of Object.entries({
  '390-light': { viewport: PHONE, colorScheme: 'light' },
  '1280-dark': { viewport: DESK, colorScheme: 'dark' },
})) {
  test(`cookies that were cleared, and cookies that are blocked: the page says so and goes on, ${look}`, () =>
    browse(`sign-in/${look}`, options, async (page, look) => {
      quietly(page);
      await page.goto(request('five1'));
      await page.context().clearCookies();
      await signIn(page);
      assert.match(await page.textContent('#error'), /Allow cookies/);
      assert.equal(await page.inputValue('#username'), 'alice');
      assert.equal(await page.inputValue('#password'), '');
      await look('no-cookies');
      await signIn(page);
      await page.waitForURL(`${apps.origin}/five1?*`);

      // Blocked: no cookie ever comes back.
      await page.context().clearCookies();
      await page.goto(`${server.origin}/login`);
      for (let attempt = 0; attempt < 2; attempt++) {
        await page.context().clearCookies();
        await signIn(page);
        assert.match(await page.textContent('#error'), /Allow cookies/);
      }
    }));

  test(`a sign-in form that another tab made stale comes back filled in where the request needs it, ${look}`, () =>
    browse(`sign-in/${look}`, options, async (page, look) => {
      quietly(page);
      await page.goto(request('five1', { prompt: 'login' }));
      const tab = await page.context().newPage();
      await tab.goto(`${server.origin}/login`);
      await signIn(tab);
      await signIn(page);
      assert.match(await page.textContent('#error'), /enter your password again/);
      await look('stale');
      await page.fill('#password', server.passwords.alice);
      await page.click('button[value=sign-in]');
      await page.waitForURL(`${apps.origin}/five1?*`);
    }));
}

test('Back and Reload at each page of a sign-in, a sign-out and the account end in no error', () =>
  browse('back', {}, async (page) => {
    quietly(page);
    const shows = async (selector) => {
      await page.locator(selector).waitFor();
      assert.equal(await page.locator('#error').count(), 0, page.url());
    };
    await page.goto(request('asks'));
    await page.reload();
    await signIn(page);
    await shows('button[value=approve]');
    await page.reload();
    await shows('button[value=approve]');
    await page.goBack();
    await shows('#password');
    await page.reload();
    await signIn(page);
    await shows('button[value=approve]');
    await page.click('button[value=approve]');
    await page.waitForURL(`${apps.origin}/asks?*`);
    await page.reload();
    await page.goBack();
    await page.waitForURL(`${apps.origin}/asks?*`);

    await page.goto(`${server.origin}/account`);
    await page.click('form[action="/account/app"] button');
    await page.waitForURL('**/account?notice=app-removed');
    await page.reload();
    await shows('h1');
    await page.goBack();
    await shows('h1');

    await page.goto(`${server.origin}/logout`);
    await page.reload();
    await page.click('main button[value=sign-out]');
    await shows('#signed-out');
    await page.reload();
    await shows('#signed-out');
    await page.goBack();
    await shows('#signed-out');
  }));

for (const decision of ['approve', 'deny']) {
  test(`Back, Reload and a second press after a device was decided show what was decided: ${decision}`, () =>
    browse('device-back', {}, async (page) => {
      quietly(page);
      const device = await deviceAuthorization(server);
      await page.goto(device.verification_uri_complete);
      await signIn(page);
      await page.reload();
      await page.click('button[value=continue]');
      await page.locator('#code').waitFor();
      await page.reload();
      await page.locator('#code').waitFor();
      await page.click(`button[value=${decision}]`);
      await page.locator('#done').waitFor();
      const heading = await page.textContent('#done h1');
      await page.reload();
      assert.equal(await page.textContent('#done h1'), heading);
      // Chromium asks before it sends the form of that page again; a reload is the answer.
      await page.goBack().catch(() => {});
      await reload(page);
      assert.equal(await page.textContent('#done h1'), heading);
    }));
}

for (const javaScriptEnabled of [true, false]) {
  describe(javaScriptEnabled ? 'with scripts' : 'without scripts', () => {
    /// Without scripts, a page that sends itself has a button.
    const goOn = async (page) => {
      if (!javaScriptEnabled && (await page.locator('main form[action*="sent-itself"]').count())) await page.click('main button');
    };

    test('an app whose callback redirects on to a third origin', () =>
      browse('third', { javaScriptEnabled, ignoreHTTPSErrors: true }, async (page) => {
        await page.goto(request('onward'));
        await signIn(page);
        await page.waitForURL(landed);
        await page.goto(request('onward-asks', { prompt: 'consent' }));
        await page.click('button[value=approve]');
        await page.waitForURL(landed);
        await page.goto(request('onward-asks', { response_mode: 'form_post' }));
        if (!javaScriptEnabled) await page.click('main button');
        await page.waitForURL(landed);
        await page.context().clearCookies();
        await page.goto(request('onward-here'));
        await signIn(page);
        await page.waitForURL(`http://127.0.0.1:${other.port}/landed`).catch(() => {});
        assert.match(page.url(), /\/landed$/);
      }));

    test('a POST of another site with a hint of 7 KiB, to authorize and to logout', () =>
      browse('posts', { javaScriptEnabled }, async (page) => {
        const long = 'x'.repeat(7 * 1024);
        const go = async (to) => {
          await page.goto(`${apps.origin}/post?${new URLSearchParams({ to })}`);
          await page.click('button');
          await goOn(page);
        };
        await go(request('asks', { long, prompt: 'consent' }));
        await signIn(page);
        await goOn(page);
        await page.click('button[value=approve]');
        await page.waitForURL(`${apps.origin}/asks?*`);
        // The session's cookie comes with the second of the two: nothing is asked any more.
        await go(request('asks', { long, prompt: 'none' }));
        await page.waitForURL(`${apps.origin}/asks?*code=*`);

        await go(`${server.origin}/oauth2/logout?${new URLSearchParams({ client_id: 'asks', post_logout_redirect_uri: `${apps.origin}/bye`, long })}`);
        await page.click('main button[value=sign-out]');
        await page.waitForURL(`${apps.origin}/bye`);
      }));
  });
}

test('Chromium holds each later hop to form-action: one origin would not do', () =>
  browse('held', { ignoreHTTPSErrors: true }, async (page) => {
    quietly(page);
    let policy;
    await page.route(/\/login\?/, async (route) => {
      const response = await route.fetch({ maxRedirects: 0 });
      policy = response.headers()['content-security-policy'].replace(' https:', ` ${secure.origin}`);
      await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': policy } });
    });
    const { pathname, search } = new URL(request('onward'));
    await page.goto(`${server.origin}/login?${new URLSearchParams({ return_to: pathname + search })}`);
    assert.ok(policy.includes(` ${secure.origin};`), policy);
    const refused = page.waitForEvent('console', (message) => /form-action/.test(message.text()));
    await signIn(page);
    await refused;
    assert.notEqual(page.url(), landed);
  }));

describe('behind a proxy with the buffers of nginx', () => {
  const behind = useServer(() => ({ issuer: proxy.origin, tables }));

  test('a request of 8 KiB signs in and reaches its app', () =>
    browse('proxy', {}, async (page) => {
      proxy.for(behind);
      for (const first of [true, false]) {
        const prompt = first ? 'consent' : 'login';
        const short = request('asks', { long: '', prompt }, proxy.origin);
        const long = 'x'.repeat(8192 - 'GET  HTTP/1.1\r\n'.length - short.length + proxy.origin.length);
        await page.goto(request('asks', { long, prompt }, proxy.origin));
        await page.fill('#username', 'alice');
        await page.fill('#password', behind.passwords.alice);
        await page.click('button[value=sign-in]');
        if (first) await page.click('button[value=approve]');
        await page.waitForURL(`${apps.origin}/asks?*`);
        assert.ok(new URL(page.url()).searchParams.get('code'), page.url());
      }
      assert.deepEqual(proxy.refused, []);
    }));
});
