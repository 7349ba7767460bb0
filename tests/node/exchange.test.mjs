// Token exchange (RFC 8693) by npm's openid-client, unmodified: its generic grant. What it gets is verified by jose and aws-jwt-verify, as APIs do, and the
// partner who is trusted is npm's oidc-provider.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { JwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';

import { Partner } from './lib/partner.mjs';
import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const type = (name) => `urn:ietf:params:oauth:token-type:${name}`;
const ORDERS = 'orders.example.com';
const SHIPPING = 'https://shipping.example.com';
const FILES = 'files.example.com';
const REDIRECT_URI = 'https://site.example.com/callback';

const secrets = Object.fromEntries(['site', 'gateway', 'orders_api', 'shipping'].map((id) => [id, randomBytes(24).toString('base64url')]));
/// Whose people we do not know, and whose people are ours.
const partner = new Partner();
const sister = new Partner();
const server = useServer(async () => {
  await Promise.all([partner.start(), sister.start()]);
  server.remember(...Object.values(secrets));
  return { tables: tables() };
});
after(() => Promise.all([partner.stop(), sister.stop()]));

const tables = () => `
[[resource]]
identifier = "shipping.example.com"
uri = "${SHIPPING}"
scopes = { read = "Read shipments", write = "Send parcels" }

[[resource]]
identifier = "${FILES}"
scopes = { read = "Read files" }
token = "sealed"

# Signs people in, and may have tokens of its own for what they let it do.
[[client]]
id = "site"
secret = "${secrets.site}"
grants = ["authorization_code", "refresh_token", "token_exchange"]
scopes = ["openid", "email", "${ORDERS}/read"]
redirect_uris = ["${REDIRECT_URI}"]

# Signs people in too, and lets only shipping act for them.
[[client]]
id = "gateway"
secret = "${secrets.gateway}"
grants = ["authorization_code"]
scopes = ["openid", "${ORDERS}/read"]
redirect_uris = ["${REDIRECT_URI}"]
may_act = "shipping"

[[client]]
id = "orders_api"
secret = "${secrets.orders_api}"
grants = ["token_exchange", "refresh_token", "client_credentials"]
scopes = ["${ORDERS}/read"]
resources = ["${ORDERS}"]

[[client]]
id = "shipping"
secret = "${secrets.shipping}"
grants = ["token_exchange", "client_credentials"]
scopes = ["shipping.example.com/read", "${ORDERS}/read"]
default_scopes = ["shipping.example.com/read"]
resources = ["shipping.example.com"]

[[exchange]]
client = "orders_api"
audience = "${SHIPPING}"
scopes = { "${ORDERS}/read" = ["shipping.example.com/read"] }
tokens = ["access_token", "refresh_token"]

[[exchange]]
client = "shipping"
audience = "${FILES}"
scopes = { "shipping.example.com/read" = ["${FILES}/read"], "${ORDERS}/read" = ["${FILES}/read"] }
subject_audience = ["${ORDERS}"]

# Whoever asks orders to look into files says by a token who they are.
[[exchange]]
client = "orders_api"
audience = "${FILES}"
scopes = { "${ORDERS}/read" = ["${FILES}/read"] }
require_actor_token = true

[[exchange]]
client = "site"
audience = "${ORDERS}"
subject_tokens = ["id_token", "refresh_token"]
scopes = { "${ORDERS}/read" = ["${ORDERS}/read"] }

[[exchange]]
client = "site"
audience = "site"
subject_tokens = ["access_token"]
tokens = ["id_token"]
scopes = { "openid" = ["openid"] }

[[trusted_issuer]]
issuer = "${partner.issuer}"
audiences = ["partner-app"]

[[exchange]]
client = "orders_api"
audience = "${SHIPPING}"
subject_issuer = "${partner.issuer}"
gives = ["shipping.example.com/write"]

[[trusted_issuer]]
issuer = "${sister.issuer}"
audiences = ["partner-app"]
user_claim = "sub"

[[exchange]]
name = "the sister's people read shipments"
client = "orders_api"
audience = "${SHIPPING}"
subject_issuer = "${sister.issuer}"
gives = ["shipping.example.com/read"]
`;

const clients = new Map();

async function client(id) {
  if (!clients.has(id)) {
    const execute = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks];
    clients.set(id, await oidc.discovery(new URL(server.issuer), id, undefined, oidc.ClientSecretBasic(secrets[id] ?? server.secrets[id]), { execute }));
  }
  return clients.get(id);
}

/// What an app gets when alice signs in to it.
async function signIn(id = 'site', scope = `openid ${ORDERS}/read`) {
  const config = await client(id);
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const code_challenge = await oidc.calculatePKCECodeChallenge(pkceCodeVerifier);
  const parameters = { redirect_uri: REDIRECT_URI, scope, code_challenge, code_challenge_method: 'S256' };
  const { answer } = await new Visitor(server).authorize(oidc.buildAuthorizationUrl(config, parameters));
  const tokens = await oidc.authorizationCodeGrant(config, answer, { pkceCodeVerifier });
  server.remember(tokens.access_token, tokens.refresh_token, tokens.id_token);
  return tokens;
}

/// A machine's token for itself.
async function machine(id, scope) {
  const { access_token } = await oidc.clientCredentialsGrant(await client(id), { scope });
  server.remember(access_token);
  return access_token;
}

/// `subject` is an access token, unless `more` says otherwise.
async function exchange(id, subject, more) {
  const parameters = { subject_token: subject, subject_token_type: type('access_token'), ...more };
  server.remember(parameters.subject_token, parameters.actor_token);
  const answer = await oidc.genericGrantRequest(await client(id), EXCHANGE, parameters);
  server.remember(answer.access_token);
  return answer;
}

/// Whoever is refused is told why, and where the operator finds it.
async function refused(exchanging, error, description) {
  await assert.rejects(exchanging, (failure) => {
    assert.ok(failure instanceof oidc.ResponseBodyError, failure);
    assert.equal(failure.error, error, failure.error_description);
    assert.match(failure.error_description, description);
    assert.match(failure.cause.error_uri, /^https:/);
    assert.match(failure.cause.trace_id, /^[0-9a-f]{32}$/);
    return true;
  });
}

const keys = () => createRemoteJWKSet(new URL(server.url('/.well-known/jwks.json')));

/// Its own fetcher speaks https alone.
function awsVerifier(audience, scope) {
  const fetcher = { fetch: async (uri) => (await fetch(uri)).arrayBuffer() };
  return JwtVerifier.create({ issuer: server.issuer, audience, scope }, { jwksCache: new SimpleJwksCache({ fetcher }) });
}

test('discovery names the grant', async () => {
  assert.ok((await client('orders_api')).serverMetadata().grant_types_supported.includes(EXCHANGE));
});

for (const requested of [undefined, 'access_token', 'jwt']) {
  test(`a service acts for a user: ${requested ?? 'nothing named'} is asked for, and jose and aws-jwt-verify take it`, async () => {
    const tokens = await signIn();
    const given = await exchange('orders_api', tokens.access_token, { audience: SHIPPING, ...(requested && { requested_token_type: type(requested) }) });
    assert.equal(given.issued_token_type, type(requested ?? 'access_token'));
    assert.equal(given.token_type, 'bearer', 'openid-client lowers it');
    assert.equal(given.scope, 'shipping.example.com/read');
    assert.equal(given.refresh_token, undefined);
    assert.ok(given.expires_in <= tokens.expires_in);

    const { payload } = await jwtVerify(given.access_token, keys(), { issuer: server.issuer, audience: SHIPPING, typ: 'at+jwt' });
    const { sub } = tokens.claims();
    assert.deepEqual([payload.sub, payload.client_id, payload.scope], [sub, 'orders_api', 'shipping.example.com/read']);
    assert.deepEqual(payload.act, { sub: 'orders_api', client_id: 'orders_api' });
    assert.deepEqual(await awsVerifier(SHIPPING, 'shipping.example.com/read').verify(given.access_token), payload);
    await assert.rejects(awsVerifier(ORDERS).verify(given.access_token), 'it is for nobody else');
    const seen = await oidc.tokenIntrospection(await client('shipping'), given.access_token);
    assert.deepEqual([seen.active, seen.sub, seen.act], [true, sub, payload.act]);
  });
}

test('the next service goes on, with a sealed token that says who acted before', async () => {
  const tokens = await signIn();
  const first = await exchange('orders_api', tokens.access_token, { resource: SHIPPING });
  const second = await exchange('shipping', first.access_token, { audience: FILES });
  assert.match(second.access_token, /^grantor_at_/);
  const seen = await oidc.tokenIntrospection(await client('shipping'), second.access_token);
  assert.deepEqual([seen.active, seen.sub, seen.aud, seen.scope], [true, tokens.claims().sub, FILES, `${FILES}/read`]);
  assert.deepEqual(seen.act, { sub: 'shipping', client_id: 'shipping', act: { sub: 'orders_api', client_id: 'orders_api' } });
  await refused(exchange('shipping', first.access_token, { audience: FILES, requested_token_type: type('jwt') }), 'invalid_target', /sealed/);
});

test('an app exchanges its ID token and its refresh token, which stays good', async () => {
  const tokens = await signIn();
  for (const [name, token] of [['id_token', tokens.id_token], ['refresh_token', tokens.refresh_token]]) {
    const given = await exchange('site', token, { subject_token_type: type(name), audience: ORDERS });
    const { payload } = await jwtVerify(given.access_token, keys(), { issuer: server.issuer, audience: ORDERS });
    assert.deepEqual([payload.sub, payload.act], [tokens.claims().sub, { sub: 'site', client_id: 'site' }], name);
    await refused(exchange('orders_api', token, { subject_token_type: type(name), audience: SHIPPING }), 'invalid_request', /only by the client to which it was given/);
  }
  const refreshed = await oidc.refreshTokenGrant(await client('site'), tokens.refresh_token);
  server.remember(refreshed.access_token, refreshed.refresh_token, refreshed.id_token);
  assert.ok(refreshed.access_token);
});

test('an app gets an ID token, which is no access token', async () => {
  const tokens = await signIn();
  const given = await exchange('site', tokens.access_token, { audience: 'site', requested_token_type: type('id_token') });
  assert.equal(given.issued_token_type, type('id_token'));
  assert.equal(given.token_type, 'n_a');
  const { payload } = await jwtVerify(given.access_token, keys(), { issuer: server.issuer, audience: 'site', algorithms: ['RS256'] });
  assert.deepEqual([payload.sub, payload.act], [tokens.claims().sub, { sub: 'site', client_id: 'site' }]);
});

test('a refresh token is given where the rule says so, and ends with the grant that it came of', async () => {
  const tokens = await signIn();
  const given = await exchange('orders_api', tokens.access_token, { audience: SHIPPING, requested_token_type: type('refresh_token') });
  assert.deepEqual([given.issued_token_type, given.token_type], [type('refresh_token'), 'n_a']);
  const orders = await client('orders_api');
  const later = await oidc.refreshTokenGrant(orders, given.access_token);
  server.remember(later.access_token, later.refresh_token);
  const { payload } = await jwtVerify(later.access_token, keys(), { audience: SHIPPING });
  assert.deepEqual(payload.act, { sub: 'orders_api', client_id: 'orders_api' });

  await oidc.tokenRevocation(await client('site'), tokens.refresh_token);
  assert.deepEqual(await oidc.tokenIntrospection(await client('shipping'), later.access_token), { active: false });
  await assert.rejects(oidc.refreshTokenGrant(orders, later.refresh_token), { error: 'invalid_grant' });
  await refused(exchange('shipping', later.access_token, { audience: FILES }), 'invalid_request', /was revoked/);
});

test('an actor token says who acts, and must be there where the rule says so', async () => {
  const { access_token } = await signIn();
  await refused(exchange('orders_api', access_token, { audience: FILES }), 'invalid_request', /needs an actor token/);
  const actor = await machine('shipping', `${ORDERS}/read`);
  const given = await exchange('orders_api', access_token, { audience: FILES, actor_token: actor, actor_token_type: type('access_token') });
  const seen = await oidc.tokenIntrospection(await client('orders_api'), given.access_token);
  assert.deepEqual([seen.client_id, seen.act], ['orders_api', { sub: 'shipping', client_id: 'orders_api' }]);
  const stolen = { audience: FILES, actor_token: await machine('shipping', 'shipping.example.com/read'), actor_token_type: type('access_token') };
  await refused(exchange('orders_api', access_token, stolen), 'invalid_request', /The actor token is neither for a resource of this client, nor was it given to it/);
});

test('may_act in the token lets nobody act but whom it names', async () => {
  const { access_token } = await signIn('gateway');
  const { payload } = await jwtVerify(access_token, keys());
  assert.equal(payload.may_act.sub, 'shipping');
  await refused(exchange('orders_api', access_token, { audience: SHIPPING }), 'invalid_request', /says by may_act that somebody else may act/);
  const given = await exchange('shipping', access_token, { audience: FILES });
  assert.equal(given.scope, `${FILES}/read`);
});

test("a partner's ID token gives what the rule gives, and nothing else of the partner's does", async () => {
  const subject = await partner.idToken();
  for (const name of ['id_token', 'jwt']) {
    const given = await exchange('orders_api', subject, { subject_token_type: type(name), audience: SHIPPING });
    const { payload } = await jwtVerify(given.access_token, keys(), { issuer: server.issuer, audience: SHIPPING });
    assert.deepEqual([payload.sub, payload.scope], [`${partner.issuer}|alice`, 'shipping.example.com/write']);
    assert.deepEqual(payload.act, { sub: 'orders_api', client_id: 'orders_api' });
  }
  const wider = { subject_token_type: type('id_token'), audience: SHIPPING, scope: 'shipping.example.com/read' };
  await refused(exchange('orders_api', subject, wider), 'invalid_scope', /wider/);
  await refused(exchange('orders_api', subject, { audience: SHIPPING }), 'invalid_request', /not valid/);
  const [header, payload, signature] = subject.split('.');
  const forged = [header, payload, signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))].join('.');
  await refused(exchange('orders_api', forged, { subject_token_type: type('id_token'), audience: SHIPPING }), 'invalid_request', /not valid/);
});

test("a sister's ID token speaks of our user, where the claim holds a username, and `explain` says so beforehand", async () => {
  const subject = await sister.idToken();
  const file = await server.write('subject', subject);
  const asked = ['--client', 'orders_api', '--audience', SHIPPING, '--subject-token-file', file, '--subject-token-type', 'id_token'];
  const told = JSON.parse(await server.command('explain', 'exchange', ...asked, '--json'));
  assert.deepEqual(told.rules.filter(({ applies }) => applies).map(({ name }) => name), ["the sister's people read shipments"]);

  const given = await exchange('orders_api', subject, { subject_token_type: type('id_token'), audience: SHIPPING });
  const { payload } = await jwtVerify(given.access_token, keys(), { issuer: server.issuer, audience: SHIPPING });
  assert.equal(payload.sub, (await signIn()).claims().sub);
  const { exp, iat, jti, ...same } = payload;
  const { exp: toldExp, iat: toldIat, jti: toldJti, ...toldSame } = told.issued.claims;
  assert.deepEqual(toldSame, same);
  assert.ok(Math.abs(exp - toldExp) <= 60 && iat >= toldIat && jti !== toldJti);
});

const refusals = [
  ['an audience that nobody knows', 'orders_api', { audience: 'https://nobody.example.com' }, 'invalid_target', /not known here/],
  ['an audience without a rule', 'orders_api', { audience: 'billing.example.com' }, 'invalid_target', /No rule/],
  ['no audience where there are several', 'orders_api', {}, 'invalid_target', /Name the target/],
  ['a scope that no rule gives', 'orders_api', { audience: SHIPPING, scope: 'shipping.example.com/write' }, 'invalid_scope', /wider/],
  ['a token type that is not issued', 'orders_api', { audience: FILES, requested_token_type: type('refresh_token') }, 'invalid_target', /No rule issues/],
  ['a token type of others', 'orders_api', { audience: SHIPPING, requested_token_type: type('saml2') }, 'invalid_request', /not known here/],
  ['a subject token without its type', 'orders_api', { audience: SHIPPING, subject_token_type: '' }, 'invalid_request', /subject_token_type is missing/],
  ['an actor token without its type', 'orders_api', { audience: SHIPPING, actor_token: 'x' }, 'invalid_request', /actor_token_type is missing/],
  ['a resource that is no URI', 'orders_api', { resource: 'shipping' }, 'invalid_target', /absolute URI/],
  ['a user whom only an operator may assume', 'orders_api', { audience: SHIPPING, subject_token: '', assumed_user: 'alice', assumed_client: 'site' }, 'invalid_request', /subject_token is missing/],
  ['an access token that is called an ID token', 'orders_api', { audience: SHIPPING, subject_token_type: type('id_token') }, 'invalid_request', /not valid/],
];
for (const [what, id, more, error, description] of refusals) {
  test(`${what} is refused with ${error}`, async () => {
    const { access_token } = await signIn();
    await refused(exchange(id, access_token, more), error, description);
  });
}

test('what is for others, or of nobody, is no subject', async () => {
  const elsewhere = await machine('shipping', 'shipping.example.com/read');
  await refused(exchange('orders_api', elsewhere, { audience: SHIPPING }), 'invalid_request', /neither for a resource of this client/);
  await refused(exchange('orders_api', 'nonsense', { audience: SHIPPING }), 'invalid_request', /not valid/);
});

test('a client without the grant, and one without its secret, exchange nothing', async () => {
  const { access_token } = await signIn();
  await refused(exchange('web', access_token, { audience: SHIPPING }), 'unauthorized_client', /may not use this grant/);
  const form = { grant_type: EXCHANGE, client_id: 'orders_api', subject_token: access_token, subject_token_type: type('access_token'), audience: SHIPPING };
  const bare = await fetch(server.url('/oauth2/token'), { method: 'POST', body: new URLSearchParams(form) });
  assert.equal(bare.status, 401);
  assert.equal((await bare.json()).error, 'invalid_client');
});
