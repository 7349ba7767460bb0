// npm's openid-client, unmodified, signing people in: authorization code with PKCE, from the first redirect to the last.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as oidc from 'openid-client';

import { APP_SCOPE } from './lib/config.mjs';
import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';

const server = useServer();

const APPS = {
  web: { redirect_uri: 'https://shop.example.com/callback', bye: 'https://shop.example.com/bye' },
  app: { redirect_uri: 'https://app.example.com/callback', bye: 'https://app.example.com/bye' },
};

/// Discovers, and checks every ID token's signature too, not only its claims.
async function client(id, authentication = server.secrets[id] ? oidc.ClientSecretBasic(server.secrets[id]) : oidc.None()) {
  const execute = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks];
  return await oidc.discovery(new URL(server.issuer), id, undefined, authentication, { execute });
}

/// An authorization request, and the checks that belong to its answer.
async function begun(config, parameters = {}) {
  const { client_id } = config.clientMetadata();
  const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: APPS[client_id].redirect_uri,
    scope: APP_SCOPE,
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...parameters,
  });
  return { url, checks: { ...checks, idTokenExpected: true } };
}

/// What the app gets when `visitor` signs in to it, and what they were asked on the way.
async function signIn(config, { visitor = new Visitor(server), parameters, more, ...decision } = {}) {
  const { url, checks } = await begun(config, parameters);
  const { answer, asked } = await visitor.authorize(url, decision);
  const tokens = await oidc.authorizationCodeGrant(config, answer, { ...checks, ...more });
  server.remember(tokens.access_token, tokens.refresh_token, tokens.id_token);
  return { tokens, claims: tokens.claims(), asked, visitor, answer, checks };
}

const userinfo = (config, { tokens, claims }) => oidc.fetchUserInfo(config, tokens.access_token, claims.sub);

test('discovery names the code flow and what belongs to it', async () => {
  const metadata = (await client('web')).serverMetadata();
  assert.deepEqual(metadata.response_types_supported, ['code']);
  assert.deepEqual(metadata.response_modes_supported.toSorted(), ['form_post', 'query']);
  assert.ok(metadata.grant_types_supported.includes('authorization_code'));
  assert.equal(metadata.supportsPKCE(), true);
  assert.equal(metadata.authorization_response_iss_parameter_supported, true);
  assert.equal(metadata.authorization_endpoint, `${server.issuer}/oauth2/authorize`);
  assert.equal(metadata.end_session_endpoint, `${server.issuer}/oauth2/logout`);
});

const kinds = [
  ['a public client', 'app', () => oidc.None()],
  ['a confidential client by Basic', 'web', () => oidc.ClientSecretBasic(server.secrets.web)],
  ['a confidential client by the body', 'web', () => oidc.ClientSecretPost(server.secrets.web)],
];
for (const [what, id, authentication] of kinds) {
  test(`${what} signs somebody in, asks who it is, refreshes and revokes`, async () => {
    const config = await client(id, authentication());
    const { tokens, claims, asked } = await signIn(config, { parameters: { prompt: 'consent' } });
    assert.deepEqual(asked, ['sign-in', 'consent']);
    assert.equal(claims.iss, server.issuer);
    assert.equal(claims.aud, id);
    assert.deepEqual(claims.amr, ['pwd']);
    assert.ok(claims.auth_time <= claims.iat);
    assert.ok(claims.sid && claims.at_hash);
    assert.equal(claims.email, undefined, 'what an access token can ask for is not in the ID token');
    assert.deepEqual(tokens.scope.split(' ').sort(), APP_SCOPE.split(' ').sort());

    const person = await userinfo(config, { tokens, claims });
    assert.equal(person.email, 'alice@example.com');
    assert.equal(person.given_name, 'Alice');

    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
    server.remember(refreshed.access_token, refreshed.refresh_token, refreshed.id_token);
    assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
    const { sub, sid, auth_time } = refreshed.claims();
    assert.deepEqual({ sub, sid, auth_time }, { sub: claims.sub, sid: claims.sid, auth_time: claims.auth_time }, 'a refresh is no new sign-in');

    await oidc.tokenRevocation(config, refreshed.refresh_token);
    await assert.rejects(oidc.refreshTokenGrant(config, refreshed.refresh_token), { error: 'invalid_grant', status: 400 });
    await assert.rejects(userinfo(config, { tokens: refreshed, claims }), { status: 401 });
  });
}

test('an app introspects its own tokens, and an API those for it', async () => {
  const web = await client('web');
  const { tokens, claims } = await signIn(web);
  for (const id of ['web', 'orders']) {
    const seen = await oidc.tokenIntrospection(await client(id), tokens.access_token);
    assert.equal(seen.active, true, id);
    assert.deepEqual([seen.client_id, seen.sub, seen.aud], ['web', claims.sub, 'orders.example.com']);
  }
  assert.equal((await oidc.tokenIntrospection(web, tokens.refresh_token)).active, true);
  assert.deepEqual(await oidc.tokenIntrospection(await client('billing'), tokens.access_token), { active: false });
});

describe('the answer', () => {
  test('comes as a form where that is asked for', async () => {
    for (const id of ['web', 'app']) {
      const { answer, claims } = await signIn(await client(id), { parameters: { response_mode: 'form_post' } });
      assert.equal(answer.method, 'POST');
      assert.equal(answer.url, APPS[id].redirect_uri);
      assert.equal(claims.aud, id);
    }
  });

  test('names the issuer, and the client takes no other and none', async () => {
    const config = await client('web');
    const { url, checks } = await begun(config);
    const { answer } = await new Visitor(server).authorize(url);
    assert.equal(answer.searchParams.get('iss'), server.issuer);
    for (const change of [(query) => query.delete('iss'), (query) => query.set('iss', 'https://other.example.com')]) {
      const changed = new URL(answer);
      change(changed.searchParams);
      await assert.rejects(oidc.authorizationCodeGrant(config, changed, checks), { code: 'OAUTH_INVALID_RESPONSE' });
    }
    server.remember((await oidc.authorizationCodeGrant(config, answer, checks)).access_token);
  });

  test('comes to any port of this machine (RFC 8252 7.3), each time after consent', async () => {
    const config = await client('app');
    const visitor = new Visitor(server);
    for (const [port, asks] of [['49152', ['sign-in', 'consent']], ['65535', ['consent']]]) {
      const { answer, asked } = await signIn(config, { visitor, parameters: { redirect_uri: `http://127.0.0.1:${port}/callback` } });
      assert.equal(answer.port, port);
      assert.deepEqual(asked, asks);
    }
  });

  test('is an error when the person says no', async () => {
    for (const response_mode of ['query', 'form_post']) {
      const refused = signIn(await client('web'), { parameters: { response_mode, prompt: 'consent' }, decision: 'deny', username: 'bob' });
      await assert.rejects(refused, { error: 'access_denied' });
    }
  });

  test('is an error that the client understands, for what Grantor does not do', async () => {
    const config = await client('web');
    const faults = [
      [{ response_type: 'none' }, 'unsupported_response_type'],
      [{ scope: 'shipping.example.com/read' }, 'invalid_scope'],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ prompt: 'none login' }, 'invalid_request'],
      [{ response_type: 'code', request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
      [{ response_type: 'code', request_uri: 'https://shop.example.com/request' }, 'request_uri_not_supported'],
    ];
    for (const [parameters, error] of faults) {
      await assert.rejects(signIn(config, { parameters }), { code: 'OAUTH_AUTHORIZATION_RESPONSE_ERROR', error }, JSON.stringify(parameters));
    }
    // Where a client of that flow looks for it.
    const { url } = await begun(config, { response_type: 'id_token' });
    const { answer } = await new Visitor(server).authorize(url);
    assert.equal(answer.search, '');
    assert.equal(new URLSearchParams(answer.hash.slice(1)).get('error'), 'unsupported_response_type');
  });
});

test('a code is taken once; taken twice, what it gave is taken back', async () => {
  const config = await client('web');
  const first = await signIn(config);
  await assert.rejects(oidc.authorizationCodeGrant(config, first.answer, first.checks), { error: 'invalid_grant', status: 400 });
  await assert.rejects(userinfo(config, first), { status: 401 });
  await assert.rejects(oidc.refreshTokenGrant(config, first.tokens.refresh_token), { error: 'invalid_grant' });
});

test('a code without its verifier gives nothing', async () => {
  const config = await client('app');
  const { url, checks } = await begun(config);
  const { answer } = await new Visitor(server).authorize(url);
  for (const pkceCodeVerifier of [oidc.randomPKCECodeVerifier(), undefined]) {
    await assert.rejects(oidc.authorizationCodeGrant(config, answer, { ...checks, pkceCodeVerifier }), { error: 'invalid_grant' });
  }
});

describe('signed in once', () => {
  test('a person is asked nothing more, by the same app or with prompt=none', async () => {
    const config = await client('web');
    const { visitor, claims: first } = await signIn(config);
    for (const parameters of [{}, { prompt: 'none' }, { max_age: '10000' }, { id_token_hint: (await signIn(config, { visitor })).tokens.id_token, prompt: 'none' }]) {
      const { asked, claims } = await signIn(config, { visitor, parameters, more: { maxAge: 10_000 } });
      assert.deepEqual(asked, [], JSON.stringify(parameters));
      assert.deepEqual([claims.sub, claims.sid, claims.auth_time], [first.sub, first.sid, first.auth_time]);
    }
  });

  test('another app of the same browser asks for consent alone', async () => {
    const { visitor, claims } = await signIn(await client('web'));
    const other = await signIn(await client('app'), { visitor });
    assert.ok(!other.asked.includes('sign-in'));
    assert.deepEqual([other.claims.sub, other.claims.sid], [claims.sub, claims.sid]);
  });

  test('consent is asked again for more than before', async () => {
    const config = await client('web');
    const visitor = new Visitor(server);
    const ask = async (scope) => (await signIn(config, { visitor, parameters: { scope }, username: 'bob' })).asked;
    assert.deepEqual(await ask('openid'), ['sign-in', 'consent']);
    assert.deepEqual(await ask('openid'), []);
    assert.deepEqual(await ask('openid email'), ['consent']);
    assert.deepEqual(await ask('openid'), []);
  });

  test('prompt=login and max_age=0 ask for the password, and prompt=consent for consent', async () => {
    const config = await client('web');
    const { visitor, claims: first } = await signIn(config);
    for (const [parameters, asks] of [[{ prompt: 'login' }, ['sign-in']], [{ max_age: '0' }, ['sign-in']], [{ prompt: 'consent' }, ['consent']], [{ prompt: 'login consent' }, ['sign-in', 'consent']]]) {
      const { asked, claims } = await signIn(config, { visitor, parameters, more: { maxAge: 60 } });
      assert.deepEqual(asked, asks, JSON.stringify(parameters));
      assert.ok(claims.auth_time >= first.auth_time);
    }
  });

  test('prompt=none says what would have been asked', async () => {
    const config = await client('app');
    await assert.rejects(signIn(config, { parameters: { prompt: 'none' } }), { error: 'login_required' });
    const { visitor } = await signIn(await client('web'));
    const parameters = { prompt: 'none', redirect_uri: 'http://127.0.0.1:50000/callback' };
    await assert.rejects(signIn(config, { visitor, parameters }), { error: 'consent_required' });
  });
});

test('claims asked for by name come at userinfo, without the scope that they are of', async () => {
  const config = await client('web');
  const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
  const signed = await signIn(config, { parameters: { scope: 'openid', claims } });
  assert.equal((await userinfo(config, signed)).name, 'Alice Example');
  assert.equal(signed.claims.name, undefined);
});

describe('signing out', () => {
  const signOut = async (config, { visitor, tokens }, parameters = {}) => {
    const state = oidc.randomState();
    const { bye } = APPS[config.clientMetadata().client_id];
    const url = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: bye, state, ...parameters });
    return { back: await visitor.signOut(url), expected: `${bye}?state=${state}` };
  };

  test('ends the session and what was granted in it, and comes back to the app', async () => {
    for (const id of ['web', 'app']) {
      const config = await client(id);
      const signed = await signIn(config);
      const { back, expected } = await signOut(config, signed);
      assert.equal(back?.href, expected);
      await assert.rejects(signIn(config, { visitor: signed.visitor, parameters: { prompt: 'none' } }), { error: 'login_required' });
      await assert.rejects(oidc.refreshTokenGrant(config, signed.tokens.refresh_token), { error: 'invalid_grant' });
      await assert.rejects(userinfo(config, signed), { status: 401 });
    }
  });

  test('leaves what was granted with offline_access', async () => {
    const config = await client('web');
    const signed = await signIn(config, { parameters: { scope: `${APP_SCOPE} offline_access`, prompt: 'consent' } });
    await signOut(config, signed);
    const refreshed = await oidc.refreshTokenGrant(config, signed.tokens.refresh_token);
    server.remember(refreshed.access_token, refreshed.refresh_token, refreshed.id_token);
    assert.equal(refreshed.claims().sub, signed.claims.sub);
  });

  test('to an address that is not registered goes nowhere', async () => {
    const config = await client('web');
    const { back } = await signOut(config, await signIn(config), { post_logout_redirect_uri: 'https://shop.example.com/bye/' });
    assert.equal(back, undefined);
  });
});
