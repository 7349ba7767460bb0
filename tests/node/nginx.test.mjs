// nginx before Grantor at a path, as docs/src/clients/nginx.md has both: real clients and a real browser that know only nginx.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, test } from 'node:test';
import * as oidc from 'openid-client';

import { browse } from './lib/browser.mjs';
import { signIn } from './lib/client_page.mjs';
import { Nginx } from './lib/nginx.mjs';
import { BOOK, FILE, parts, textOf } from './lib/pages.mjs';
import { Server, freePort } from './lib/server.mjs';
import { Site, selfSigned } from './lib/sites.mjs';

const certificate = selfSigned();
// All of it is on this machine.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

const blocks = parts(await textOf(`${BOOK}/clients/nginx.md`)).filter(({ mark }) => FILE.test(mark));
const files = Object.fromEntries(blocks.map(({ mark, text }) => [FILE.exec(mark).groups.name, text]));

const app = new Site();
const nginx = new Nginx();
const server = new Server();
let host;

/// A page's file, with the addresses of here.
function here(text) {
  return text
    .replaceAll('https://www.example.com', host)
    .replaceAll('127.0.0.1:8080', new URL(server.origin).host)
    .replace('listen 443 ssl', `listen localhost:${new URL(host).port} ssl`)
    .replace('www.example.com;', 'localhost;')
    .replace(/\/etc\/letsencrypt\/live\/[^/]*\/fullchain\.pem/, 'HERE/cert.pem')
    .replace(/\/etc\/letsencrypt\/live\/[^/]*\/privkey\.pem/, 'HERE/key.pem')
    .replace('/var/log/nginx/', 'HERE/')
    .replace('/var/www/html', 'HERE/site');
}

/// The page's settings, and an app and a user for the tests.
const configuration = ({ passwords }) => `${here(files['grantor.toml'])}
[[client]]
id = "shop"
name = "Web shop"
grants = ["authorization_code"]
scopes = ["openid", "profile"]
redirect_uris = ["${app.origin}/callback"]
post_logout_redirect_uris = ["${app.origin}/bye"]

[[user]]
username = "alice"
password = "${passwords.alice}"
claims = { name = "Alice Example" }
`;

before(async () => {
  host = `https://localhost:${await freePort()}`;
  await app.start();
  await server.start({ file: configuration, issuer: `${host}/auth` });
  await nginx.start(here(files['nginx.conf']), host, certificate);
});
afterEach((test) => {
  if (test.passed === false) console.error(server.log(), nginx.log());
});
after(async () => {
  await nginx.stop();
  await app.stop();
  await server.remove();
});

const status = async (url) => (await fetch(url, { redirect: 'manual' })).status;

test('clients of OpenID Connect and of OAuth find the metadata, each where its specification has it', async () => {
  for (const algorithm of ['oidc', 'oauth2']) {
    const config = await oidc.discovery(new URL(`${host}/auth`), 'shop', undefined, oidc.None(), { algorithm });
    const { issuer, token_endpoint, jwks_uri } = config.serverMetadata();
    assert.deepEqual({ issuer, token_endpoint, jwks_uri }, { issuer: `${host}/auth`, token_endpoint: `${host}/auth/oauth2/token`, jwks_uri: `${host}/auth/.well-known/jwks.json` });
    assert.equal(await status(jwks_uri), 200);
  }
});

test('the rest of the host is the site, with or without the beginning of the path', async () => {
  assert.equal(await (await fetch(`${host}/`)).text(), '<h1>The site</h1>');
  for (const path of ['/authority', '/.well-known/openid-configuration', '/.well-known/oauth-authorization-server', '/login', '/oauth2/token']) {
    assert.equal(await status(host + path), 404, path);
  }
  for (const path of ['/auth', '/auth/']) assert.notEqual(await status(host + path), 404, path);
  const { status: moved, headers } = await fetch(`${host}/.well-known/change-password`, { redirect: 'manual' });
  assert.deepEqual([moved, new URL(headers.get('location'), host).pathname.startsWith('/auth/')], [303, true]);
});

test('a person signs in to an app and signs out, in a browser that sees only the path', () =>
  browse('nginx', { ignoreHTTPSErrors: true }, async (tab, look) => {
    const config = await oidc.discovery(new URL(`${host}/auth`), 'shop', undefined, oidc.None(), { execute: [oidc.enableNonRepudiationChecks] });
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    // Longer than the answer's head may be with nginx's default buffers.
    const expectedState = 's'.repeat(5000);
    const code_challenge = await oidc.calculatePKCECodeChallenge(pkceCodeVerifier);
    const url = oidc.buildAuthorizationUrl(config, { redirect_uri: `${app.origin}/callback`, scope: 'openid profile', state: expectedState, code_challenge, code_challenge_method: 'S256' });
    await tab.goto(url.href);
    await look('sign-in');
    assert.deepEqual(await signIn(tab, { origin: host, passwords: server.passwords }), ['sign-in', 'approve']);
    await tab.waitForURL(`${app.origin}/callback?*`);
    const tokens = await oidc.authorizationCodeGrant(config, new URL(tab.url()), { pkceCodeVerifier, expectedState });
    server.remember(tokens.access_token, tokens.id_token, new URL(tab.url()).searchParams.get('code'));
    const { name } = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    assert.equal(name, 'Alice Example');

    const cookies = await tab.context().cookies();
    assert.ok(cookies.length > 0);
    for (const { name, path, secure, httpOnly } of cookies) assert.deepEqual([name, secure, httpOnly, path.startsWith('/auth')], [name, true, true, true]);
    await tab.goto(`${host}/auth/account`);
    await look('account');

    await tab.goto(oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: `${app.origin}/bye` }).href);
    await tab.locator('button[value=sign-out]').click();
    await tab.waitForURL(`${app.origin}/bye`);
    const lines = (await nginx.requests()).join('\n');
    assert.match(lines, /GET \/auth\/oauth2\/authorize /);
    assert.doesNotMatch(lines, /\?|ssss/, 'the log of nginx has no query');
  }));

/// A request from 127.0.0.2, which is no proxy, and says that it is one for another.
async function claims(url, { from, headers }) {
  const claimed = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'http', 'content-type': 'application/x-www-form-urlencoded', ...headers };
  const request = from.request(url, { method: 'POST', headers: claimed, localAddress: '127.0.0.2' });
  request.end(new URLSearchParams({ grant_type: 'authorization_code', client_id: 'no one', code: 'x' }).toString());
  const [answer] = await once(request, 'response');
  const { error, trace_id } = JSON.parse(await text(answer));
  assert.equal(error, 'invalid_client');
  await server.logged(trace_id);
  return JSON.parse(server.log().split('\n').find((line) => line.includes(trace_id)));
}

test('a client is where nginx saw it, whatever it writes, and both logs name the request', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const line = await claims(`${host}/auth/oauth2/token`, { from: https, headers: { traceparent } });
  assert.deepEqual([line.address, line.traceparent], ['127.0.0.2', traceparent]);
  assert.ok((await nginx.requests()).some((request) => request.startsWith('127.0.0.2 ') && request.endsWith(` ${line.trace_id}`)));
});

test('a client that comes past nginx is where it is, whatever it writes', async () => {
  assert.equal((await claims(`${server.origin}/auth/oauth2/token`, { from: http })).address, '127.0.0.2');
});
