// `cargo run --release -- dev` as a newcomer runs it, and the commands that it prints: what it prints is all that the tests know.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ROOT, ended, freePort, lineOf, ready } from './server.mjs';

/// Cargo may have to wait for another build, or to build.
const PATIENCE = 300_000;

export class Dev {
  #process;
  #folder;
  #output = '';

  async start() {
    this.#folder = await mkdtemp(join(tmpdir(), 'grantor-dev-'));
    const address = `127.0.0.1:${await freePort()}`;
    this.origin = `http://${address}`;
    this.#process = spawn('cargo', ['run', '--release', '--', 'dev', '--data', join(this.#folder, 'data'), '--listen', address], { stdio: ['ignore', 'pipe', 'pipe'], cwd: ROOT });
    for (const stream of [this.#process.stdout, this.#process.stderr]) stream.setEncoding('utf8').on('data', (text) => (this.#output += text));
    await lineOf(this.#process, (line) => line.trim() === `listening on ${this.origin}`, () => this.#output, PATIENCE);
    await ready(this.origin);
    this.username = this.#word(/^ *User +(\S+)$/m);
    this.password = this.#word(/^ *Password +(\S+)$/m);
    this.deviceLogin = this.#word(/^ *(cargo run --release -- device-login .*)$/m);
    this.machine = this.#word(/^ *(curl .*)$/m);
  }

  /// A command that was printed, run by a shell as it stands, or with more at its end.
  run(line) {
    return new Command(spawn('sh', ['-c', `exec ${line}`], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  log() {
    return this.#output;
  }

  async stop() {
    const end = this.#process && (await ended(this.#process, 'SIGTERM'));
    await rm(this.#folder, { recursive: true, force: true });
    return end;
  }

  #word(pattern) {
    const found = pattern.exec(this.#output);
    if (!found) throw new Error(`grantor dev printed nothing like ${pattern}:\n${this.#output}`);
    return found[1];
  }
}

/// A running command and what it has said so far.
class Command {
  output = '';
  errors = '';
  #child;

  constructor(child) {
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text) => (this.output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (this.errors += text));
    this.end = once(child, 'close');
  }

  /// Waits until the output matches.
  async says(pattern) {
    const signal = AbortSignal.timeout(PATIENCE);
    while (!pattern.test(this.output)) {
      if (this.#child.exitCode !== null) throw new Error(`ended with ${this.#child.exitCode}\n${this.output}\n${this.errors}`);
      await Promise.race([once(this.#child.stdout, 'data', { signal }), this.end]);
    }
    return pattern.exec(this.output);
  }

  async exit() {
    const [code] = await this.end;
    return code;
  }

  stop() {
    this.#child.kill('SIGKILL');
  }
}
