// The real binary, as an operator runs it: `grantor serve --config FILE`, in a folder of its own, on a free port. It must stop on SIGTERM with 0, and its
// output must hold no secret, code or token that a test has seen.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { promisify } from 'node:util';

import { credentials, toml } from './config.mjs';

export const ROOT = resolve(import.meta.dirname, '../../..');
/// Where cargo builds.
export const BUILT = join(resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target'), 'release');
export const BINARY = process.env.GRANTOR ?? join(BUILT, 'grantor');
/// The interpreter with the Python clients.
export const VENV_PYTHON = join(ROOT, 'tests/python/.venv/bin/python');

const START_TIMEOUT = 20_000;
const STOP_TIMEOUT = 15_000;

/// A server for all tests of a file (or of a `describe`): started before them, stopped and searched after them, its log shown when one fails. What it
/// is told may depend on what must begin first: then `options` is a function.
export function useServer(options) {
  const server = new Server();
  before(async () => server.start(typeof options === 'function' ? await options() : options));
  afterEach((test) => {
    if (test.passed === false) console.error(server.log());
  });
  after(() => server.remove());
  return server;
}

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/// Waits until the users of the file are written: on a busy machine, later than the server says that it listens.
export async function ready(origin) {
  for (let attempt = 0; attempt < 10_000; attempt++) {
    if ((await fetch(`${origin}/readyz`)).status === 200) return;
  }
  throw new Error(`${origin} never got ready`);
}

export class Server {
  #process;
  #output = '';
  #folder;
  #seen = new Set();

  /// A free port can be taken before the server binds it: then another. `file` gives the whole configuration, instead of the tests' own.
  async start(options = {}) {
    this.#folder = await mkdtemp(join(tmpdir(), 'grantor-'));
    Object.assign(this, credentials());
    for (const value of [...Object.values(this.passwords), ...Object.values(this.secrets)]) this.remember(value);
    for (let attempt = 1; ; attempt++) {
      this.origin = `http://127.0.0.1:${await freePort()}`;
      this.issuer = options.issuer ?? this.origin;
      await writeFile(join(this.#folder, 'grantor.toml'), options.file?.(this) ?? toml({ ...this, ...options }));
      try {
        return await this.#run();
      } catch (error) {
        if (attempt === 5 || !/address (already )?in use/i.test(this.#output)) throw error;
      }
    }
  }

  /// The same folder and port again, after `stop` or `kill`.
  async restart() {
    await this.#run();
  }

  async #run() {
    this.#process = spawn(BINARY, ['serve', '--config', join(this.#folder, 'grantor.toml')], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.#output += text));
    }
    await lineOf(this.#process, (line) => line === `listening on ${this.origin}`, () => this.#output);
    await ready(this.origin);
  }

  /// A file beside the server; its name.
  async write(name, text) {
    await writeFile(join(this.#folder, name), text);
    return name;
  }

  /// Runs a command beside the server, in its folder, and gives what it says.
  async command(...args) {
    const { stdout } = await promisify(execFile)(BINARY, args, { cwd: this.#folder });
    return stdout;
  }

  log() {
    return this.#output;
  }

  /// Waits until the log holds this: its lines are written by a thread of their own.
  async logged(text) {
    const signal = AbortSignal.timeout(10_000);
    while (!this.#output.includes(text)) await once(this.#process.stderr, 'data', { signal });
  }

  url(path) {
    return new URL(path, this.origin).href;
  }

  /// What must never stand in the log.
  remember(...values) {
    for (const value of values) if (typeof value === 'string' && value.length >= 8) this.#seen.add(value);
  }

  async stop() {
    const [code, signal] = await ended(this.#process, 'SIGTERM');
    assert.deepEqual([code, signal], [0, null], `a server that is told to stop ends with 0\n${this.#output}`);
  }

  /// As a power cut would.
  async kill() {
    await ended(this.#process, 'SIGKILL');
  }

  async remove() {
    try {
      if (this.#process && this.#process.exitCode === null && this.#process.signalCode === null) await this.stop();
      assert.doesNotMatch(this.#output, /panicked at/, 'the server must not panic');
      const told = [...this.#seen].filter((value) => this.#output.includes(value));
      assert.deepEqual(told.map((value) => lineWith(this.#output, value)), [], 'the log must hold no secret');
    } finally {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }
}

function lineWith(text, value) {
  return text.split('\n').find((line) => line.includes(value));
}

/// Waits for a line of standard output.
export function lineOf(child, matches, log, timeout = START_TIMEOUT) {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => fail(`said nothing for ${timeout} ms`), timeout);
    const look = (data) => {
      text += data;
      const line = text.split('\n').slice(0, -1).find(matches);
      if (line !== undefined) settle(() => resolve(line));
    };
    const exited = (code, signal) => fail(`ended with ${code ?? signal}`);
    const failed = (error) => fail(error.message);
    const fail = (why) => settle(() => reject(new Error(`${child.spawnfile} ${why}\n${log()}`)));
    const settle = (end) => {
      clearTimeout(timer);
      child.stdout.off('data', look);
      child.off('exit', exited).off('error', failed);
      end();
    };
    child.stdout.on('data', look);
    child.on('exit', exited).on('error', failed);
  });
}

/// Sends `signal` and waits until the process has ended and its output is read.
export async function ended(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return [child.exitCode, child.signalCode];
  const closed = once(child, 'close');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT);
  const end = await closed;
  clearTimeout(timer);
  return end;
}
