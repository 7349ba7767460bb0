// `examples/microservices/run`, as a newcomer runs it, on free ports.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { BINARY, BUILT, ROOT, ended, lineOf } from './server.mjs';

const FOLDER = join(ROOT, 'examples/microservices');
/// Six programs start.
const PATIENCE = 60_000;

export class Shop {
  #process;
  #folder;
  #output = '';

  async start() {
    this.#folder = await mkdtemp(join(tmpdir(), 'grantor-shop-'));
    this.#process = spawn('./run', { cwd: FOLDER, env: this.#environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) stream.setEncoding('utf8').on('data', (text) => (this.#output += text));
    await lineOf(this.#process, (line) => line.startsWith('Ctrl-C'), () => this.#output, PATIENCE);
    for (const name of ['Grantor', 'Website', 'Orders', 'Invoices', 'Shipping']) {
      this[name.toLowerCase()] = new RegExp(`^${name} +(\\S+)$`, 'm').exec(this.#output)[1];
    }
    [, this.username, this.password] = /sign in as (\w+), password: (.+)$/m.exec(this.#output);
  }

  /// What the same command does beside the one that runs: the nightly job, and what an operator does to users.
  async run(...args) {
    const { stdout } = await promisify(execFile)('./run', args, { cwd: FOLDER, env: this.#environment() });
    return stdout;
  }

  /// The secrets that were drawn, by the name of their variable.
  async secrets() {
    const settings = await readFile(join(this.#folder, 'settings'), 'utf8');
    return Object.fromEntries([...settings.matchAll(/^(\w+_SECRET)=(.+)$/gm)].map(([, name, value]) => [name, value]));
  }

  /// What it said, and what Grantor wrote into its log.
  async log() {
    return this.#output + (await readFile(join(this.#folder, 'grantor.log'), 'utf8'));
  }

  async stop() {
    const end = this.#process && (await ended(this.#process, 'SIGTERM'));
    await rm(this.#folder, { recursive: true, force: true });
    return end;
  }

  #environment() {
    return { ...process.env, PORT_BASE: '0', GRANTOR: BINARY, SERVICES: BUILT, DATA: this.#folder };
  }
}
