// Sites of other origins: apps that wait for their users, as plain as can be, and a proxy with the buffers of nginx.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/// A site at `localhost`, which is another site than 127.0.0.1. Each path is a page with that path as its heading, but for those of `routes`: a function
/// of the request's URL that gives an address to redirect to, or HTML. What was posted is ignored.
export class Site {
  #server;
  #routes;

  constructor(routes = {}, { tls } = {}) {
    this.#routes = routes;
    this.#server = tls ? https.createServer(tls, (request, response) => this.#answer(request, response)) : http.createServer((request, response) => this.#answer(request, response));
    this.scheme = tls ? 'https' : 'http';
  }

  async start() {
    this.#server.listen(0, 'localhost');
    await once(this.#server, 'listening');
    this.port = this.#server.address().port;
    this.origin = `${this.scheme}://localhost:${this.port}`;
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(request, response) {
    const url = new URL(request.url, this.origin);
    const answer = this.#routes[url.pathname]?.(url) ?? `<h1>${url.pathname}</h1>`;
    request.resume().on('end', () => {
      if (/^https?:/.test(answer)) response.writeHead(302, { location: answer, connection: 'close' }).end();
      else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', connection: 'close' }).end(`<!doctype html><html lang="en"><title>app</title><link rel="icon" href="data:,">${answer}`);
    });
  }
}

/// A key and a certificate that no one else knows, for `localhost` and the names below it.
export function selfSigned() {
  const folder = mkdtempSync(join(tmpdir(), 'grantor-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,DNS:third.localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return pair;
}

/// What nginx has by default: 8 KiB for the request line and for each header (`large_client_header_buffers`), 4 KiB for the head of an answer
/// (`proxy_buffer_size`).
export class Proxy {
  #server;
  refused = [];

  async start() {
    this.#server = http.createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => this.#forward(request, response)).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.origin = `http://127.0.0.1:${this.#server.address().port}`;
  }

  /// The server behind it.
  for(server) {
    this.behind = server;
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #forward(request, response) {
    const { method, url, headers } = request;
    const lines = [`${method} ${url} HTTP/1.1`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
    if (lines.some((line) => line.length + 2 > 8192)) return this.#refuse(request, response, 414);
    const { hostname, port } = new URL(this.behind.origin);
    const inner = http.request({ hostname, port, method, path: url, headers, maxHeaderSize: 64 * 1024 }, (answer) => {
      const head = answer.rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
      if (head > 4096) return this.#refuse(request, response, 502);
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    request.pipe(inner);
  }

  #refuse(request, response, status) {
    this.refused.push(`${status} ${request.method} ${request.url.slice(0, 60)}`);
    request.resume();
    response.writeHead(status, { connection: 'close' }).end();
  }
}
