// crates/verify, by its example, as a service of Grantor's and of npm's oidc-provider, unmodified: whatever the issuer, the same tokens are good, and the
// same are not. An issuer in the shape of Amazon Cognito is among the crate's own tests.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { SignJWT, exportJWK, generateKeyPair, importJWK } from 'jose';
import Provider from 'oidc-provider';
import * as oidc from 'openid-client';

import { DEVICE_SCOPE } from './lib/config.mjs';
import { ResourceServer } from './lib/resource_server.mjs';
import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';

const READ = 'orders.example.com/read';
const INSECURE = { execute: [oidc.allowInsecureRequests] };

async function refused(service, path, token, status, challenge) {
  const answer = await service.ask(path, token);
  assert.equal(answer.status, status, answer.challenge);
  assert.match(answer.challenge, challenge);
}

describe('a service of Grantor', () => {
  const server = useServer();
  let orders;
  let billing;

  before(async () => {
    orders = await ResourceServer.start(server.issuer, 'orders.example.com', { scope: READ });
    const scope = 'billing.example.com/read';
    billing = await ResourceServer.start(server.issuer, 'billing.example.com', { scope, client: 'billing', secret: server.secrets.billing });
  });
  after(() => Promise.all([orders?.stop(), billing?.stop()]));

  async function machine(id, scope) {
    const config = await oidc.discovery(new URL(server.issuer), id, server.secrets[id], undefined, INSECURE);
    const { access_token } = await oidc.clientCredentialsGrant(config, { scope });
    server.remember(access_token);
    return access_token;
  }

  test('lets in who has the scope, and says what else lacks', async () => {
    const token = await machine('orders', READ);
    assert.deepEqual(await orders.ask('/orders', token), { status: 200, challenge: null, body: 'the orders of orders\n' });
    const other = await machine('orders', 'orders.example.com/write');
    assert.equal((await orders.ask('/whoami', other)).status, 200);
    await refused(orders, '/orders', other, 403, /^Bearer realm="orders\.example\.com", error="insufficient_scope", .*scope="orders\.example\.com\/read"$/);
    await refused(orders, '/orders', undefined, 401, /^Bearer realm="orders\.example\.com"$/);
    await refused(orders, '/orders', 'nonsense', 401, /error="invalid_token"/);
    await refused(orders, `/orders?access_token=${token}`, token, 400, /error="invalid_request"/);
  });

  test('knows a user, and takes neither ID token nor refresh token for an access token', async () => {
    const tv = await oidc.discovery(new URL(server.issuer), 'tv', undefined, oidc.None(), INSECURE);
    const device = await oidc.initiateDeviceAuthorization(tv, { scope: DEVICE_SCOPE });
    const [tokens] = await Promise.all([oidc.pollDeviceAuthorizationGrant(tv, device), new Visitor(server).approve(device, 'alice')]);
    server.remember(tokens.access_token, tokens.refresh_token, tokens.id_token);
    const told = JSON.parse((await orders.ask('/whoami', tokens.access_token)).body);
    assert.equal(told.subject, tokens.claims().sub);
    assert.equal(told.client, 'tv');
    assert.equal(told.actor, null);
    await refused(orders, '/orders', tokens.id_token, 401, /the token is no access token/);
    await refused(orders, '/orders', tokens.refresh_token, 401, /error="invalid_token"/);
    await refused(billing, '/whoami', tokens.access_token, 401, /the token is for another audience/);
  });

  test('asks about a sealed token', async () => {
    const token = await machine('billing', 'billing.example.com/read');
    assert.equal((await billing.ask('/orders', token)).status, 200);
    await refused(billing, '/orders', `${token.slice(0, -4)}AAAA`, 401, /the token is not active/);
    await refused(orders, '/orders', token, 401, /error="invalid_token"/);
  });
});

describe("a service of npm's oidc-provider", () => {
  const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
  const JWT_API = 'https://orders.example.com';
  const OPAQUE_API = 'https://billing.example.com';
  const SECRETS = { website: 'a secret of the website', orders: 'a secret of orders' };
  const keys = {};
  let http;
  let issuer;
  let orders;
  let billing;
  let algorithm;

  before(async () => {
    for (const alg of ALGORITHMS) {
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      keys[alg] = { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `key of ${alg}` };
    }
    http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    issuer = `http://127.0.0.1:${http.address().port}`;
    const client = (id) => ({ client_id: id, client_secret: SECRETS[id], grant_types: ['client_credentials'], redirect_uris: [], response_types: [] });
    const provider = new Provider(issuer, {
      clients: [client('website'), client('orders')],
      jwks: { keys: Object.values(keys) },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (ctx, resource) => ({
            scope: 'read write',
            accessTokenFormat: resource === JWT_API ? 'jwt' : 'opaque',
            jwt: { sign: { alg: algorithm } },
          }),
        },
      },
    });
    http.on('request', provider.callback());
    orders = await ResourceServer.start(issuer, JWT_API, { scope: 'read' });
    billing = await ResourceServer.start(issuer, OPAQUE_API, { scope: 'read', client: 'orders', secret: SECRETS.orders });
  });
  after(async () => {
    await Promise.all([orders?.stop(), billing?.stop()]);
    http?.close();
    http?.closeAllConnections();
  });

  async function token(resource, scope = 'read') {
    const config = await oidc.discovery(new URL(issuer), 'website', SECRETS.website, undefined, INSECURE);
    const { access_token } = await oidc.clientCredentialsGrant(config, { scope, resource });
    return access_token;
  }

  for (const alg of ALGORITHMS) {
    test(`verifies its JWTs by ${alg}`, async () => {
      algorithm = alg;
      const good = await token(JWT_API);
      assert.deepEqual(await orders.ask('/orders', good), { status: 200, challenge: null, body: 'the orders of website\n' });
      await refused(billing, '/orders', good, 401, /the token is for another audience/);
      await refused(orders, '/orders', await token(JWT_API, 'write'), 403, /scope="read"$/);
    });
  }

  test('asks about its opaque tokens', async () => {
    algorithm = 'RS256';
    const good = await token(OPAQUE_API);
    assert.ok(!good.includes('.'));
    assert.deepEqual(await billing.ask('/orders', good), { status: 200, challenge: null, body: 'the orders of website\n' });
    await refused(billing, '/orders', 'made-up', 401, /the token is not active/);
  });

  test('takes no ID token for an access token, and none for another', async () => {
    const { alg, kid } = keys.RS256;
    const key = await importJWK(keys.RS256);
    const signed = (typ, claims) =>
      new SignJWT({ sub: 'alice', iss: issuer, aud: JWT_API, client_id: 'website', scope: 'read', ...claims })
        .setProtectedHeader({ alg, kid, typ })
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(key);
    assert.equal((await orders.ask('/orders', await signed('at+jwt'))).status, 200);
    await refused(orders, '/orders', await signed('JWT'), 401, /the token is no access token/);
    await refused(orders, '/orders', await signed(undefined), 401, /the token is no access token/);
    await refused(orders, '/orders', await signed('at+jwt', { aud: 'website' }), 401, /the token is for another audience/);
    await refused(orders, '/orders', await signed('at+jwt', { iss: `${issuer}/` }), 401, /the token is of another issuer/);
  });
});
