// npm's aws-jwt-verify, unmodified, in an API: its `JwtVerifier`, which APIs behind Amazon Cognito have, verifies Grantor's tokens by issuer and audience.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JwtVerifier } from 'aws-jwt-verify';
import * as errors from 'aws-jwt-verify/error';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import * as oidc from 'openid-client';

import { APP_SCOPE } from './lib/config.mjs';
import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';

const server = useServer();
const READ = 'orders.example.com/read';
let jwksFetched;
let signedIn;

/// The tokens of somebody who has signed in, once for all tests.
function tokens() {
  signedIn ??= signIn();
  return signedIn;
}

async function signIn() {
  const app = await oidc.discovery(new URL(server.issuer), 'app', undefined, oidc.None(), { execute: [oidc.allowInsecureRequests] });
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const code_challenge = await oidc.calculatePKCECodeChallenge(pkceCodeVerifier);
  const redirect_uri = 'https://app.example.com/callback';
  const url = oidc.buildAuthorizationUrl(app, { redirect_uri, scope: APP_SCOPE, code_challenge, code_challenge_method: 'S256' });
  const { answer } = await new Visitor(server).authorize(url);
  const tokens = await oidc.authorizationCodeGrant(app, answer, { pkceCodeVerifier });
  server.remember(tokens.access_token, tokens.refresh_token, tokens.id_token);
  return tokens;
}

/// Its own fetcher speaks https alone.
function verifier(options) {
  jwksFetched = [];
  const fetcher = {
    fetch: async (uri) => {
      jwksFetched.push(uri);
      return await (await fetch(uri)).arrayBuffer();
    },
  };
  return JwtVerifier.create({ issuer: server.issuer, ...options }, { jwksCache: new SimpleJwksCache({ fetcher }) });
}

const isAccessToken = ({ header }) => assert.equal(header.typ, 'at+jwt');

test('an access token is verified by issuer, audience, scope and type, with one look at the keys', async () => {
  const api = verifier({ audience: 'orders.example.com', scope: READ, customJwtCheck: isAccessToken });
  const { access_token } = await tokens();
  const claims = await api.verify(access_token);
  assert.deepEqual([claims.client_id, claims.aud], ['app', 'orders.example.com']);
  assert.deepEqual(await api.verify(access_token), claims);
  assert.deepEqual(jwksFetched, [`${server.issuer}/.well-known/jwks.json`], 'where it looks without being told');
});

test('an ID token is verified for its app', async () => {
  const { id_token } = await tokens();
  assert.equal((await verifier({ audience: 'app' }).verify(id_token)).aud, 'app');
});

test('both are verified without the network, once the keys are there', async () => {
  const api = verifier({ audience: null });
  await api.hydrate();
  const { access_token, id_token } = await tokens();
  assert.equal(api.verifySync(access_token).sub, api.verifySync(id_token).sub);
});

const refusals = [
  ['a token for another API', ({ access_token }) => access_token, { audience: 'billing.example.com' }, errors.JwtInvalidAudienceError],
  ['a token without the scope', ({ access_token }) => access_token, { audience: 'orders.example.com', scope: 'orders.example.com/write' }, errors.JwtInvalidScopeError],
  ['an ID token in the place of an access token', ({ id_token }) => id_token, { audience: 'orders.example.com' }, errors.JwtInvalidAudienceError],
  ['an ID token, by its type', ({ id_token }) => id_token, { audience: null, customJwtCheck: isAccessToken }, assert.AssertionError],
  ['an access token in the place of an ID token', ({ access_token }) => access_token, { audience: 'app' }, errors.JwtInvalidAudienceError],
  ['a token that somebody changed', ({ access_token }) => tampered(access_token), { audience: 'orders.example.com' }, errors.JwtInvalidSignatureError],
  ['a token of another issuer', ({ access_token }) => access_token, { issuer: 'https://id.example.com', jwksUri: () => `${server.issuer}/.well-known/jwks.json`, audience: null }, errors.JwtInvalidIssuerError],
  ['a refresh token', ({ refresh_token }) => refresh_token, { audience: null }, errors.JwtParseError],
];
for (const [what, token, { jwksUri, ...options }, refusal] of refusals) {
  test(`${what} is refused`, async () => {
    const api = verifier({ ...options, ...(jwksUri && { jwksUri: jwksUri() }) });
    await assert.rejects(api.verify(token(await tokens())), refusal);
  });
}

function tampered(token) {
  const [header, payload, signature] = token.split('.');
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url')), scope: 'orders.example.com/write' };
  return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
}
