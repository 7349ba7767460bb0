// npm's oidc-client-ts, unmodified, in a real page of another site: a single-page app that signs its users in at Grantor. That it works at all proves CORS.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { createRemoteJWKSet, jwtVerify } from 'jose';

import { browse } from './lib/browser.mjs';
import { useServer } from './lib/server.mjs';
import { WebApp } from './lib/web_app.mjs';

const SCOPE = 'openid profile email orders.example.com/read';

const app = new WebApp('spa');
const second = new WebApp('spa2');
await Promise.all([app.start(), second.start()]);
after(() => Promise.all([app.stop(), second.stop()]));
const server = useServer({ tables: app.toml() + second.toml('consent = "skip"') });
for (const each of [app, second]) each.signsInAt(server);

test('signs in: state, iss and nonce come back, the tokens are right, userinfo tells who it is', () =>
  browse('oidc-client-ts', {}, async (page) => {
    const answer = await signIn(page, app, { nonce: 'a nonce' });
    assert.deepEqual([...answer.searchParams.keys()].sort(), ['code', 'iss', 'state']);
    assert.equal(answer.searchParams.get('iss'), server.issuer);
    const user = await finished(page);

    const keys = createRemoteJWKSet(new URL(server.url('/.well-known/jwks.json')));
    const { payload } = await jwtVerify(user.id_token, keys, { issuer: server.issuer, audience: 'spa' });
    assert.equal(payload.nonce, 'a nonce');
    assert.equal(payload.azp ?? 'spa', 'spa');
    assert.ok(payload.at_hash && payload.sid && payload.auth_time);
    const access = await jwtVerify(user.access_token, keys, { issuer: server.issuer, audience: 'orders.example.com', typ: 'at+jwt' });
    assert.equal(access.payload.sub, payload.sub);

    assert.equal(user.profile.sub, payload.sub);
    assert.equal(user.profile.name, 'Alice Example');
    assert.equal(user.profile.email, 'alice@example.com');
    assert.deepEqual(user.scope.split(' ').sort(), SCOPE.split(' ').sort());
  }));

test('an answer with a nonce or a state that it did not send is refused by it', () =>
  browse('oidc-client-ts', {}, async (page) => {
    await signIn(page, app, { nonce: 'a nonce' });
    const wrong = page.evaluate(() => {
      const [key] = Object.keys(localStorage).filter((key) => key.startsWith('oidc.'));
      localStorage.setItem(key, JSON.stringify({ ...JSON.parse(localStorage.getItem(key)), nonce: 'another' }));
      return manager.signinCallback();
    });
    await assert.rejects(wrong, /nonce in id_token does not match/);
    await assert.rejects(page.evaluate(() => manager.signinCallback()), /No matching state/, 'and the answer is used up');
  }));

test('signs in silently by its refresh token, again and again', () =>
  browse('oidc-client-ts', {}, async (page) => {
    await signIn(page, app);
    const first = await finished(page);
    const renewed = await silently(page);
    const again = await silently(page);
    assert.equal(new Set([first, renewed, again].map(({ access_token }) => access_token)).size, 3);
    assert.equal(new Set([first, renewed, again].map(({ refresh_token }) => refresh_token)).size, 3, 'each use brings the next one');
    assert.equal(again.profile.sub, first.profile.sub);
    assert.equal(again.profile.auth_time, first.profile.auth_time, 'a refresh is no new sign-in');
  }));

test('revokes its tokens, and reads what the server says of them then', () =>
  browse('oidc-client-ts', {}, async (page) => {
    await signIn(page, app);
    const { access_token, refresh_token } = await finished(page);
    assert.equal((await userinfo(page, access_token)).status, 200);
    await page.evaluate(() => manager.revokeTokens());

    page.removeAllListeners('response').removeAllListeners('console');
    const refused = await userinfo(page, access_token);
    assert.equal(refused.status, 401);
    assert.match(refused.challenge, /^Bearer .*error="invalid_token"/, 'the challenge can be read by another site');
    const refreshed = await token(page, { grant_type: 'refresh_token', client_id: 'spa', refresh_token });
    assert.equal(refreshed.status, 400);
    assert.equal(refreshed.json.error, 'invalid_grant');
  }));

test('signs in to a second app without a question, and out of both', () =>
  browse('oidc-client-ts', {}, async (page) => {
    await signIn(page, app);
    const first = await finished(page);
    const other = await page.context().newPage();
    await other.goto(second.origin);
    await begin(other, { prompt: 'none' });
    await other.waitForURL(`${second.origin}/callback?*`);
    const user = await finished(other);
    assert.equal(user.profile.sub, first.profile.sub);
    assert.equal(user.profile.auth_time, first.profile.auth_time, 'one sign-in serves both');

    // Its ID token is of this session, and it needs no consent: nothing is asked.
    await other.evaluate(() => void manager.signoutRedirect({ state: { from: 'second' } }));
    await other.waitForURL(`${second.origin}/signed-out?*`);
    assert.deepEqual(await other.evaluate(async () => (await manager.signoutCallback()).userState), { from: 'second' });

    page.removeAllListeners('response').removeAllListeners('console');
    const silent = page.evaluate(() => manager.signinSilent().catch(({ error }) => error));
    assert.equal(await silent, 'invalid_grant', 'the first app sees it at its next refresh');
    await page.goto(app.origin);
    await begin(page, { prompt: 'none' });
    await page.waitForURL(`${app.origin}/callback?*`);
    assert.equal(new URL(page.url()).searchParams.get('iss'), server.issuer, 'an error says too from whom it is');
    assert.equal(await page.evaluate(() => manager.signinCallback().catch(({ error }) => error)), 'login_required');
  }));

test('with offline_access it refreshes after the sign-out too', () =>
  browse('oidc-client-ts', {}, async (page) => {
    await signIn(page, app, { scope: `${SCOPE} offline_access`, prompt: 'consent' });
    await finished(page);
    const other = await page.context().newPage();
    await other.goto(server.url('/logout'));
    await other.click('button[value=sign-out]');
    await other.locator('#signed-out').waitFor();
    assert.ok((await silently(page)).access_token);
  }));

test('a user who says no is an error that the app can read', () =>
  browse('oidc-client-ts', {}, async (page) => {
    await page.goto(app.origin);
    await begin(page, { prompt: 'consent' });
    await password(page);
    await page.click('button[value=deny]');
    await page.waitForURL(`${app.origin}/callback?*`);
    const told = await page.evaluate(() => manager.signinCallback().catch(({ error, error_description, error_uri }) => ({ error, error_description, error_uri })));
    assert.equal(told.error, 'access_denied');
    assert.ok(told.error_description);
    assert.match(told.error_uri, /^https:/);
  }));

test("a page of another origin than the client's own reads no answer of the token endpoint", () =>
  browse('oidc-client-ts', {}, async (page) => {
    await signIn(page, app);
    const { refresh_token, access_token } = await finished(page);
    await page.goto(second.origin);
    page.removeAllListeners('console').removeAllListeners('requestfailed').removeAllListeners('response');
    await assert.rejects(token(page, { grant_type: 'refresh_token', client_id: 'spa', refresh_token }), /Failed to fetch/);
    await assert.rejects(userinfo(page, access_token), /Failed to fetch/);
    await page.goto(app.origin);
    assert.equal((await token(page, { grant_type: 'refresh_token', client_id: 'spa', refresh_token })).status, 200, 'its own origin does, within the grace');
  }));

/// To the answer at the app's callback, which is not yet taken.
async function signIn(page, app, args = {}) {
  await page.goto(app.origin);
  await begin(page, args);
  await password(page);
  // Remembered consent is not asked again.
  await page.waitForURL((url) => url.origin === app.origin || url.pathname === '/oauth2/authorize');
  if (new URL(page.url()).origin !== app.origin) await page.click('button[value=approve]');
  await page.waitForURL(`${app.origin}/callback?*`);
  const answer = new URL(page.url());
  server.remember(answer.searchParams.get('code'));
  return answer;
}

function begin(page, args) {
  return page.evaluate((args) => void manager.signinRedirect(args), { scope: SCOPE, ...args });
}

async function password(page) {
  await page.fill('#username', 'alice');
  await page.fill('#password', server.passwords.alice);
  await page.click('button[value=sign-in]');
}

async function finished(page) {
  return remembered(await page.evaluate(async () => ({ ...(await manager.signinCallback()) })));
}

async function silently(page) {
  return remembered(await page.evaluate(async () => ({ ...(await manager.signinSilent()) })));
}

function remembered(user) {
  server.remember(user.access_token, user.refresh_token, user.id_token);
  return user;
}

/// Asked by the page itself, as any script of it could.
function token(page, form) {
  const ask = async ([url, form]) => {
    const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
    return { status: response.status, json: await response.json() };
  };
  return page.evaluate(ask, [server.url('/oauth2/token'), form]);
}

function userinfo(page, accessToken) {
  const ask = async ([url, accessToken]) => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${accessToken}` } });
    return { status: response.status, challenge: response.headers.get('www-authenticate') };
  };
  return page.evaluate(ask, [server.url('/oauth2/userinfo'), accessToken]);
}
