// The terminal of somebody who follows a page: one folder, variables that stay, servers in the background. Only the ports differ from the page.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { BINARY, ROOT, freePort, ready } from './server.mjs';
import { Visitor } from './visitor.mjs';

const PATIENCE = 120_000;

export class Terminal {
  #folder;
  #ports = new Map();
  #servers = [];
  #variables = {};
  #password;
  #said = '';

  async open() {
    this.#folder = await mkdtemp(join(tmpdir(), 'grantor-page-'));
    for (const port of ['8080', '8081']) this.#ports.set(`127.0.0.1:${port}`, `127.0.0.1:${await freePort()}`);
  }

  async close() {
    for (const server of this.#servers) {
      if (server.exitCode === null) {
        process.kill(-server.pid, 'SIGTERM');
        await once(server, 'close');
      }
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async write(name, text) {
    this.#password = /^password = "(.*)"$/m.exec(text)?.[1] ?? this.#password;
    await writeFile(join(this.#folder, name), this.here(text));
  }

  /// Runs commands; of a JSON answer each text becomes a variable for those that follow: `device_code` is `$DEVICE_CODE`.
  async run(commands) {
    const { stdout } = await promisify(execFile)('bash', ['-c', this.#script(commands)], this.#options());
    this.#said = stdout;
    const answer = json(stdout);
    for (const [name, value] of Object.entries(answer ?? {})) if (typeof value === 'string') await this.#set(name.toUpperCase(), value);
    return answer;
  }

  /// What the last command wrote to standard output.
  get said() {
    return this.#said;
  }

  /// For the commands that follow, whatever those before were given by this name.
  async #set(name, value) {
    this.#variables[name] = value;
    await appendFile(join(this.#folder, '.variables'), `declare -x ${name}='${value.replaceAll("'", "'\\''")}'\n`);
  }

  /// Starts a server, in a process group of its own, so that what a shell started ends with the shell.
  async background(commands) {
    const server = spawn('bash', ['-c', this.#script(commands)], { ...this.#options(), timeout: undefined, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#servers.push(server);
    let output = '';
    for (const stream of [server.stdout, server.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
    const signal = AbortSignal.timeout(PATIENCE);
    while (!output.includes('listening on')) {
      if (server.exitCode !== null) throw new Error(`ended with ${server.exitCode}\n${output}`);
      await Promise.race([once(server.stdout, 'data', { signal }), once(server, 'close')]);
    }
    await ready(this.#origin());
    this.#password = /^ *Password +(\S+)$/m.exec(output)?.[1] ?? this.#password;
  }

  /// alice, with the password of the file or of `grantor dev`, approves the device that asked last.
  async approve() {
    const { USER_CODE: user_code, VERIFICATION_URI_COMPLETE: verification_uri_complete } = this.#variables;
    await this.#alice().approve({ user_code, verification_uri_complete });
  }

  /// alice opens the address that was said last, and lets the app in: its code is `$CODE`.
  async signIn() {
    const { answer } = await this.#alice().authorize(this.#said.trim());
    await this.#set('CODE', answer.searchParams.get('code'));
  }

  #alice() {
    return new Visitor({ origin: this.#origin(), passwords: { alice: this.#password }, remember() {} });
  }

  /// The page's text, with the ports that are free here.
  here(text) {
    for (const [written, free] of this.#ports) text = text.replaceAll(written, free);
    return text;
  }

  #origin() {
    return `http://${this.here('127.0.0.1:8080')}`;
  }

  #script(commands) {
    const dev = `$1dev --listen ${this.here('127.0.0.1:8080')}`;
    const lines = this.here(commands)
      .replaceAll('cargo run --release --', `cargo run --quiet --release --manifest-path ${ROOT}/Cargo.toml --`)
      .replace(/(-- |grantor )dev\b/g, dev);
    return `set -euo pipefail; set -a; [ ! -e .variables ] || . ./.variables; trap 'export -p > .variables' EXIT\n${lines}`;
  }

  #options() {
    const PATH = `${join(BINARY, '..')}:${process.env.PATH}`;
    return { cwd: this.#folder, env: { ...process.env, ...this.#variables, PATH }, timeout: PATIENCE };
  }
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/// Whether an answer is what a page shows: the same members, and the same values but for those that hold `…`, texts of the form XXXX and moments.
export function assertShown(real, shown, { part = false, at = 'the answer' } = {}) {
  const kind = (value) => (Array.isArray(value) ? 'array' : typeof value);
  assert.equal(kind(real), kind(shown), at);
  if (Array.isArray(shown)) {
    if (!part) assert.equal(real.length, shown.length, `${at}: how many`);
    shown.forEach((value, index) => assertShown(real[index], value, { part, at: `${at}[${index}]` }));
  } else if (typeof shown === 'object') {
    if (!part) assert.deepEqual(Object.keys(real).sort(), Object.keys(shown).sort(), `the members of ${at}`);
    for (const [name, value] of Object.entries(shown)) assertShown(real[name], value, { part, at: `${at}.${name}` });
  } else if (typeof shown === 'string' && /…|XXXX/.test(shown)) {
    assert.ok(real.startsWith(shown.split(/…|XXXX/)[0]), `${at}: ${real}`);
  } else if (typeof shown !== 'number' || shown < 1e9) {
    assert.equal(real, shown, at);
  }
}

/// Whether commands wrote these lines; `…` stands for any text.
export function assertLines(real, shown) {
  const lines = shown.trimEnd().split('\n');
  const written = real.trimEnd().split('\n');
  const matches = (line, at) => {
    const pattern = line.split('…').map((text) => text.replace(/[^\w\s]/g, '\\$&')).join('.+');
    return new RegExp(`^${pattern}$`).test(written[at] ?? '');
  };
  assert.ok(lines.length === written.length && lines.every(matches), `it wrote\n${real}and not\n${shown}`);
}
