// A web app of another site: one page at every path, with oidc-client-ts as its makers ship it. The page does nothing by itself; tests call its `manager`.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { ROOT } from './server.mjs';

const LIBRARY = join(ROOT, 'tests/node/node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js');

export class WebApp {
  #server;
  #grantor;

  constructor(id) {
    this.id = id;
  }

  /// `localhost` is another site than 127.0.0.1, where Grantor is: what a browser keeps apart by site is kept apart here.
  async start() {
    const library = await readFile(LIBRARY);
    this.#server = createServer((request, response) => {
      const [type, body] = request.url === '/oidc-client-ts.js' ? ['text/javascript', library] : ['text/html; charset=utf-8', this.#page()];
      response.writeHead(200, { 'content-type': type, connection: 'close' }).end(body);
    }).listen(0, 'localhost');
    await once(this.#server, 'listening');
    this.origin = `http://localhost:${this.#server.address().port}`;
  }

  /// The server, of which it knows nothing but the issuer.
  signsInAt(server) {
    this.#grantor = server;
  }

  async stop() {
    this.#server.close();
    await once(this.#server, 'close');
  }

  /// The client in Grantor's file.
  toml(more = '') {
    return `
[[client]]
id = "${this.id}"
name = "App ${this.id}"
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "offline_access", "orders.example.com/read"]
redirect_uris = ["${this.origin}/callback"]
post_logout_redirect_uris = ["${this.origin}/signed-out"]
${more}
`;
  }

  #page() {
    const { id, origin } = this;
    const settings = { authority: this.#grantor.issuer, client_id: id, redirect_uri: `${origin}/callback`, post_logout_redirect_uri: `${origin}/signed-out`, loadUserInfo: true, automaticSilentRenew: false };
    return `<!doctype html>
<html lang="en"><title>${id}</title><link rel="icon" href="data:,"><h1>${id}</h1>
<script src="/oidc-client-ts.js"></script>
<script>const manager = new oidc.UserManager(${JSON.stringify(settings)});</script>`;
  }
}
