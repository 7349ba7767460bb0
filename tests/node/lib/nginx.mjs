// Debian's nginx with a configuration of the book, unprivileged, in a folder of its own: it stops with the test.
import { spawn } from 'node:child_process';
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ended } from './server.mjs';

/// Debian's `nobody`, which reads what it serves.
const NOBODY = 65534;

export class Nginx {
  #folder;
  #process;
  #output = '';

  /// `server` is what stands in the block `http`; it listens at `origin`, and its folder is `HERE` in it.
  async start(server, origin, { key, cert }) {
    this.#folder = await mkdtemp(join(tmpdir(), 'grantor-nginx-'));
    await mkdir(join(this.#folder, 'site'));
    const files = { 'key.pem': key, 'cert.pem': cert, 'nginx.conf': this.#configuration(server), 'site/index.html': '<h1>The site</h1>' };
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.#folder, name), text);
    const root = process.getuid() === 0;
    if (root) for (const path of ['', 'site', ...Object.keys(files)]) await chown(join(this.#folder, path), NOBODY, NOBODY);
    const user = root ? { uid: NOBODY, gid: NOBODY } : {};
    this.#process = spawn('/usr/sbin/nginx', ['-c', join(this.#folder, 'nginx.conf'), '-e', 'stderr'], { ...user, stdio: ['ignore', 'inherit', 'pipe'] });
    this.#process.stderr.setEncoding('utf8').on('data', (text) => (this.#output += text));
    await this.#listens(origin);
  }

  async #listens(origin) {
    for (let attempt = 0; ; attempt++) {
      const error = await fetch(origin).then(() => undefined, ({ cause }) => cause);
      if (!error) return;
      if (attempt === 10_000 || error.code !== 'ECONNREFUSED' || this.#process.exitCode !== null) throw new Error(`nginx does not answer\n${this.#output}`, { cause: error });
    }
  }

  /// Its line for each request.
  async requests() {
    return (await readFile(join(this.#folder, 'access.log'), 'utf8')).split('\n');
  }

  log() {
    return this.#output;
  }

  async stop() {
    if (this.#process) await ended(this.#process, 'SIGTERM');
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }

  #configuration(server) {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${this.#folder}/${name};`);
    return `
daemon off;
pid ${this.#folder}/nginx.pid;
error_log stderr;
worker_processes 1;
events {}
http {
${temporary.join('\n')}
types { text/html html; }
${server.replaceAll('HERE', this.#folder)}
}
`;
  }
}
