// The example of crates/verify: a service that accepts an issuer's access tokens. It stops with the test.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BUILT, ended, lineOf } from './server.mjs';

const BINARY = join(BUILT, 'examples/resource-server');
const LISTENING = /^listening on (\S+)$/;

export class ResourceServer {
  #process;
  #folder;
  #output = '';

  /// `options` are the example's; `secret` is that of `client`.
  static async start(issuer, audience, { secret, ...options } = {}) {
    const service = new ResourceServer();
    if (secret) {
      service.#folder = await mkdtemp(join(tmpdir(), 'grantor-service-'));
      options.secret_file = join(service.#folder, 'secret');
      await writeFile(options.secret_file, secret);
    }
    const given = Object.entries(options).map(([name, value]) => `${name}=${value}`);
    service.#process = spawn(BINARY, [issuer, audience, ...given], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [service.#process.stdout, service.#process.stderr]) stream.setEncoding('utf8').on('data', (text) => (service.#output += text));
    const line = await lineOf(service.#process, (line) => LISTENING.test(line), () => service.#output);
    service.origin = LISTENING.exec(line)[1];
    return service;
  }

  /// Asks with a token: status, challenge and body.
  async ask(path, token) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(new URL(path, this.origin), { headers });
    return { status: response.status, challenge: response.headers.get('www-authenticate'), body: await response.text() };
  }

  async stop() {
    await ended(this.#process, 'SIGTERM');
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }
}
