// `examples/spa-and-api/run`, as a newcomer runs it, on free ports; and its API alone, before an issuer of the test's own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { SignJWT, exportJWK, generateKeyPair } from 'jose';

import { BINARY, ROOT, ended, freePort, lineOf } from './server.mjs';

const FOLDER = join(ROOT, 'examples/spa-and-api');
/// Its packages may have to be installed.
const PATIENCE = 300_000;

export class Example {
  #process;
  #folder;
  #output = '';

  async start() {
    this.#folder = await mkdtemp(join(tmpdir(), 'grantor-example-'));
    const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
    const env = { ...process.env, PATH, PORT_BASE: '0', GRANTOR: BINARY, DATA: this.#folder };
    this.#process = spawn('./run', { cwd: FOLDER, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) stream.setEncoding('utf8').on('data', (text) => (this.#output += text));
    await lineOf(this.#process, (line) => line.startsWith('Ctrl-C'), () => this.#output, PATIENCE);
    this.grantor = this.#word(/^Grantor +(\S+)$/m);
    this.api = this.#word(/^API +(\S+)$/m);
    this.app = this.#word(/^App +(\S+)$/m);
    [, this.username, this.password] = /sign in as (\w+), password: (.+)$/m.exec(this.#output);
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
    return pattern.exec(this.#output)[1];
  }
}

/// The example's API, and an issuer whose every token the test writes.
export class LoneApi {
  #process;
  #issuer;
  #output = '';

  async start() {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    this.key = privateKey;
    this.jwk = { ...(await exportJWK(publicKey)), kid: 'right', alg: 'ES256', use: 'sig' };
    this.#issuer = createServer((request, response) => this.#tell(request, response)).listen(0, '127.0.0.1');
    await once(this.#issuer, 'listening');
    this.issuer = `http://127.0.0.1:${this.#issuer.address().port}`;
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    // uvicorn says that it runs on stderr.
    const command = `exec .venv/bin/python -m uvicorn main:app --port ${port} 2>&1`;
    this.#process = spawn('sh', ['-c', command], { cwd: join(FOLDER, 'api'), env: { ...process.env, ISSUER: this.issuer }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stdout.setEncoding('utf8').on('data', (text) => (this.#output += text));
    await lineOf(this.#process, (line) => line.includes('Uvicorn running'), () => this.#output);
  }

  async stop() {
    await ended(this.#process, 'SIGTERM');
    this.#issuer.close();
    await once(this.#issuer, 'close');
  }

  /// A token as Grantor signs it, but for what the test changes; a claim or a parameter that is `undefined` is left out.
  sign(claims = {}, header = {}, key = this.key) {
    const now = Math.floor(Date.now() / 1000);
    const right = { iss: this.issuer, aud: 'notes.example.com', sub: 'a-user', client_id: 'notes', jti: 'a-token', iat: now, exp: now + 60, scope: 'notes.example.com/read' };
    return new SignJWT({ ...right, ...claims }).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'right', ...header }).sign(key);
  }

  #tell(request, response) {
    const told = { '/.well-known/openid-configuration': { issuer: this.issuer, jwks_uri: `${this.issuer}/keys` }, '/keys': { keys: [this.jwk] } }[request.url];
    response.writeHead(told ? 200 : 404, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(told));
  }
}

/// Reads the notes, or sends `note`.
export async function notes(api, authorization, note) {
  const headers = { ...(authorization && { authorization }), ...(note && { 'content-type': 'application/json' }) };
  const body = note && JSON.stringify(note);
  const response = await fetch(`${api}/notes`, { method: body ? 'POST' : 'GET', headers, body });
  return { status: response.status, challenge: response.headers.get('www-authenticate'), json: await response.json() };
}
