// Apache with Debian's mod_auth_openidc, unmodified, before a page, and a real browser: sign-in, what the page is told, refresh, sign-out from both sides.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';

import { Apache } from './lib/apache.mjs';
import { browse } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { introspect } from './lib/wire.mjs';

const apache = new Apache();
const server = new Server();
const secret = randomBytes(24).toString('base64url');

before(async () => {
  await apache.prepare();
  await server.start({
    tables: `
[[client]]
id = "wiki"
name = "Wiki"
secret = "${secret}"
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email"]
redirect_uris = ["${apache.redirectUri}"]
post_logout_redirect_uris = ["${apache.origin}/bye"]
backchannel_logout_uri = "${apache.redirectUri}?logout=backchannel"
`,
  });
  server.remember(secret);
  server.secrets.wiki = secret;
  await apache.start({
    OIDCProviderMetadataURL: `${server.issuer}/.well-known/openid-configuration`,
    OIDCClientID: 'wiki',
    OIDCClientSecret: secret,
    OIDCScope: 'openid profile email',
    OIDCPKCEMethod: 'S256',
    OIDCRemoteUserClaim: 'email',
    OIDCAuthNHeader: 'X-Remote-User',
    OIDCCryptoPassphrase: randomBytes(24).toString('base64url'),
  });
});
afterEach((test) => {
  if (test.passed === false) console.error(server.log(), apache.log());
});
after(async () => {
  await apache.stop();
  await server.remove();
});

/// Waits until Grantor has told Apache that a session has ended (OpenID Connect Back-Channel Logout).
const apacheIsTold = () => apache.says(/^POST \/oidc\?logout=backchannel 200$/);

/// What the page behind Apache is told.
async function told(page) {
  const told = JSON.parse(await page.locator('#told').textContent());
  server.remember(told.oidc_access_token);
  return told;
}

async function signIn(page) {
  await page.goto(`${apache.origin}/page`);
  assert.equal(new URL(page.url()).origin, server.origin, 'somebody unknown is sent to Grantor');
  await page.locator('#username').fill('alice');
  await page.locator('#password').fill(server.passwords.alice);
  await page.locator('button[value=sign-in]').click();
  await page.locator('button[value=approve], #told').waitFor({ state: 'attached' });
  const approve = page.locator('button[value=approve]');
  if (await approve.isVisible()) await approve.click();
  await page.waitForURL(`${apache.origin}/page`);
  return await told(page);
}

test('a person signs in, is known to the page, and gets fresh tokens', () =>
  browse('apache', {}, async (page) => {
    const first = await signIn(page);
    assert.equal(first['x-remote-user'], 'alice@example.com');
    assert.equal(first.oidc_claim_iss, server.issuer);
    assert.equal(first.oidc_claim_aud, 'wiki');
    assert.equal(first.oidc_claim_given_name, 'Alice', 'from userinfo');

    // The module's own address for it.
    await page.goto(`${apache.redirectUri}?${new URLSearchParams({ refresh: `${apache.origin}/page`, access_token: first.oidc_access_token })}`);
    const refreshed = await told(page);
    assert.notEqual(refreshed.oidc_access_token, first.oidc_access_token);
    assert.equal(refreshed.oidc_claim_sub, first.oidc_claim_sub);
    assert.equal((await introspect(server, refreshed.oidc_access_token, 'wiki')).active, true);
  }));

test('a person signs out at Apache, which revokes its tokens and sends them on to Grantor', () =>
  browse('apache', {}, async (page) => {
    const { oidc_access_token } = await signIn(page);
    const isTold = apacheIsTold();
    await page.goto(`${apache.redirectUri}?${new URLSearchParams({ logout: `${apache.origin}/bye` })}`);
    if (new URL(page.url()).origin === server.origin) await page.locator('button[value=sign-out]').click();
    await page.waitForURL((url) => url.href.startsWith(`${apache.origin}/bye`));
    await isTold;
    assert.deepEqual(await introspect(server, oidc_access_token, 'wiki'), { active: false });
    await signIn(page);
  }));

test('a person signs out at Grantor, which tells Apache', () =>
  browse('apache', {}, async (page) => {
    await signIn(page);
    await page.goto(`${server.origin}/logout`);
    const isTold = apacheIsTold();
    await page.locator('button[value=sign-out]').click();
    await page.locator('#signed-out').waitFor();
    await isTold;
    await signIn(page);
  }));
