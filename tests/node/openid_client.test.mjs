// npm's openid-client, unmodified: every call of it that Grantor has an endpoint for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as oidc from 'openid-client';

import { DEVICE_SCOPE } from './lib/config.mjs';
import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';

const server = useServer();

/// Discovers and checks every ID token's signature too, not only its claims.
async function client(id, authentication, algorithm = 'oidc') {
  const execute = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks];
  return await oidc.discovery(new URL(server.issuer), id, server.secrets[id], authentication, { execute, algorithm });
}

async function deviceFlow(config, username = 'alice') {
  const device = await oidc.initiateDeviceAuthorization(config, { scope: DEVICE_SCOPE });
  server.remember(device.device_code, device.user_code);
  const [tokens] = await Promise.all([oidc.pollDeviceAuthorizationGrant(config, device), new Visitor(server).approve(device, username)]);
  server.remember(tokens.access_token, tokens.refresh_token, tokens.id_token);
  return tokens;
}

for (const algorithm of ['oidc', 'oauth2']) {
  test(`discovery by ${algorithm} names what runs`, async () => {
    const metadata = (await client('tv', oidc.None(), algorithm)).serverMetadata();
    assert.equal(metadata.issuer, server.issuer);
    for (const grant of ['authorization_code', 'client_credentials', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code']) {
      assert.ok(metadata.grant_types_supported.includes(grant), grant);
    }
    assert.deepEqual(metadata.response_types_supported, ['code']);
    for (const endpoint of ['token', 'device_authorization', 'introspection', 'revocation', 'userinfo']) {
      assert.ok(metadata[`${endpoint}_endpoint`].startsWith(`${server.issuer}/oauth2/`), endpoint);
    }
  });
}

const kinds = [
  ['a public client', 'tv', oidc.None()],
  ['a confidential client by Basic', 'console', undefined],
  ['a confidential client by the body', 'console', 'post'],
];
for (const [what, id, authentication] of kinds) {
  test(`the device flow of ${what}, from codes to userinfo, refresh and revocation`, async () => {
    const how = authentication ?? oidc.ClientSecretBasic(server.secrets[id]);
    const config = await client(id, how === 'post' ? oidc.ClientSecretPost(server.secrets[id]) : how);
    const tokens = await deviceFlow(config);

    const claims = tokens.claims();
    assert.equal(claims.iss, server.issuer);
    assert.equal(claims.aud, id);
    assert.ok(claims.auth_time <= claims.iat);
    assert.deepEqual(tokens.scope.split(' ').sort(), DEVICE_SCOPE.split(' ').sort());

    const person = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
    assert.equal(person.email, 'alice@example.com');
    assert.equal(person.given_name, 'Alice');

    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
    server.remember(refreshed.access_token, refreshed.refresh_token, refreshed.id_token);
    assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
    assert.equal(refreshed.claims().sub, claims.sub);
    assert.equal(refreshed.claims().auth_time, claims.auth_time, 'a refresh is no new sign-in');

    await oidc.tokenRevocation(config, refreshed.refresh_token);
    await assert.rejects(oidc.refreshTokenGrant(config, refreshed.refresh_token), { error: 'invalid_grant', status: 400 });
  });
}

test('a device that is denied is told so', async () => {
  const config = await client('tv', oidc.None());
  const device = await oidc.initiateDeviceAuthorization(config, { scope: 'openid' });
  server.remember(device.device_code, device.user_code);
  await new Visitor(server).deny(device);
  await assert.rejects(oidc.pollDeviceAuthorizationGrant(config, device), { error: 'access_denied' });
});

test('client credentials, introspected and revoked', async () => {
  const config = await client('orders', oidc.ClientSecretBasic(server.secrets.orders));
  const tokens = await oidc.clientCredentialsGrant(config, { scope: 'orders.example.com/read' });
  server.remember(tokens.access_token);
  assert.equal(tokens.refresh_token, undefined);

  const seen = await oidc.tokenIntrospection(config, tokens.access_token);
  assert.equal(seen.active, true);
  assert.equal(seen.client_id, 'orders');
  assert.equal(seen.scope, 'orders.example.com/read');
  assert.equal(seen.aud, 'orders.example.com');

  await oidc.tokenRevocation(config, tokens.access_token);
  assert.deepEqual(await oidc.tokenIntrospection(config, tokens.access_token), { active: false });
});

test('an API introspects the tokens that devices bring to it, and no others', async () => {
  const tokens = await deviceFlow(await client('tv', oidc.None()));
  const orders = await client('orders', oidc.ClientSecretBasic(server.secrets.orders));
  const seen = await oidc.tokenIntrospection(orders, tokens.access_token);
  assert.equal(seen.active, true);
  assert.equal(seen.client_id, 'tv');
  assert.equal(seen.sub, tokens.claims().sub);

  const billing = await client('billing', oidc.ClientSecretBasic(server.secrets.billing));
  assert.deepEqual(await oidc.tokenIntrospection(billing, tokens.access_token), { active: false });
});
