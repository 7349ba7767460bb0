// Debian's Apache with mod_auth_openidc before a page, unprivileged, in a folder of its own: it stops with the test. The page shows what it is told.
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ended, freePort, lineOf } from './server.mjs';

const MODULES = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'proxy', 'proxy_http', 'auth_openidc'];
/// Debian's `nobody`: Apache's own switch of users needs files of the system.
const NOBODY = 65534;

export class Apache {
  #folder;
  #process;
  #output = '';
  #pages = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    const told = Object.entries(request.headers).filter(([name]) => /^(oidc_|x-remote-user)/.test(name));
    const safe = JSON.stringify(Object.fromEntries(told)).replaceAll('<', '\\u003c');
    response.end(`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>A page</title><h1>${request.url}</h1><script type="application/json" id="told">${safe}</script></html>`);
  });

  /// Takes a port, which the server must know before it starts.
  async prepare() {
    this.origin = `http://127.0.0.1:${await freePort()}`;
    this.redirectUri = `${this.origin}/oidc`;
    return this;
  }

  /// `settings` are directives of the module.
  async start(settings) {
    this.#folder = await mkdtemp(join(tmpdir(), 'grantor-apache-'));
    this.#pages.listen(0, '127.0.0.1');
    await once(this.#pages, 'listening');
    const file = join(this.#folder, 'httpd.conf');
    await writeFile(file, this.#configuration(settings));
    const root = process.getuid() === 0;
    if (root) for (const path of [this.#folder, file]) await chown(path, NOBODY, NOBODY);
    const user = root ? { uid: NOBODY, gid: NOBODY } : {};
    this.#process = spawn('/usr/sbin/apache2', ['-f', file, '-D', 'FOREGROUND'], { ...user, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) stream.setEncoding('utf8').on('data', (text) => (this.#output += text));
    await this.says(/resuming normal operations/);
  }

  /// Waits until a line of its log, which has each request too, matches.
  says(pattern) {
    return lineOf(this.#process, (line) => pattern.test(line), () => this.#output);
  }

  log() {
    return this.#output;
  }

  async stop() {
    if (this.#process) await ended(this.#process, 'SIGTERM');
    this.#pages.close();
    this.#pages.closeAllConnections();
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }

  #configuration(settings) {
    const modules = MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
    const pages = `http://127.0.0.1:${this.#pages.address().port}`;
    return `
ServerRoot "${this.#folder}"
DefaultRuntimeDir "${this.#folder}"
PidFile "${this.#folder}/apache.pid"
ServerName 127.0.0.1
Listen ${new URL(this.origin).host}
${modules.join('\n')}
StartServers 1
ErrorLog "|/bin/cat"
LogFormat "%m %U%q %>s" request
CustomLog "|/bin/cat" request

OIDCRedirectURI ${this.redirectUri}
${Object.entries(settings).map(([name, value]) => `${name} "${value}"`).join('\n')}

<LocationMatch "^/(oidc|page)">
  AuthType openid-connect
  Require valid-user
</LocationMatch>
ProxyPass /page ${pages}/page
ProxyPass /bye ${pages}/bye
`;
  }
}
