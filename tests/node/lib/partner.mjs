// npm's oidc-provider, unmodified, as the issuer of a partner: whoever comes is signed in as `alice`. It runs in this process and stops with the test.
import { once } from 'node:events';
import { createServer } from 'node:http';

import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import * as oidc from 'openid-client';

const APP = { client_id: 'partner-app', client_secret: 'a secret of the partner', redirect_uri: 'https://app.partner.example/callback' };

export class Partner {
  #http;

  async start() {
    this.#http = createServer().listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
    this.issuer = `http://127.0.0.1:${this.#http.address().port}`;
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const provider = new Provider(this.issuer, {
      clients: [{ client_id: APP.client_id, client_secret: APP.client_secret, redirect_uris: [APP.redirect_uri] }],
      jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'of the partner' }] },
      cookies: { keys: ['of this test'] },
      features: { devInteractions: { enabled: false } },
      // What the app asks for is granted without a question.
      loadExistingGrant: async ({ oidc: { client, session, provider } }) => {
        const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
        grant.addOIDCScope('openid');
        await grant.save();
        return grant;
      },
      findAccount: (context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    });
    const answers = provider.callback();
    this.#http.on('request', (request, response) => {
      if (!request.url.startsWith('/interaction/')) return answers(request, response);
      return provider.interactionFinished(request, response, { login: { accountId: 'alice' } });
    });
  }

  /// An ID token of somebody who signed in to the partner's app.
  async idToken() {
    const { client_id, client_secret, redirect_uri } = APP;
    const config = await oidc.discovery(new URL(this.issuer), client_id, client_secret, undefined, { execute: [oidc.allowInsecureRequests] });
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const code_challenge = await oidc.calculatePKCECodeChallenge(pkceCodeVerifier);
    const parameters = { redirect_uri, scope: 'openid', code_challenge, code_challenge_method: 'S256' };
    const answer = await this.#follow(oidc.buildAuthorizationUrl(config, parameters), redirect_uri);
    const { id_token } = await oidc.authorizationCodeGrant(config, answer, { pkceCodeVerifier });
    return id_token;
  }

  async #follow(url, end) {
    const cookies = new Map();
    while (!url.href.startsWith(end)) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(url, { headers: { cookie }, redirect: 'manual' });
      for (const line of response.headers.getSetCookie()) {
        const [pair] = line.split(';');
        cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
      }
      const location = response.headers.get('location');
      if (!location) throw new Error(`${url} leads nowhere: ${response.status} ${await response.text()}`);
      url = new URL(location, url);
    }
    return url;
  }

  async stop() {
    this.#http?.close();
    this.#http?.closeAllConnections();
  }
}
