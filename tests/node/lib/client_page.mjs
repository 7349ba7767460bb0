// A page of docs/src/clients, as its reader follows it: Grantor from the file that it shows, the product from those that it shows beside it. The ports
// are free ones, and the variables that the page exports are secrets of this run.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';

import { SCREENSHOTS, browse } from './browser.mjs';
import { BOOK, FILE, parts, textOf } from './pages.mjs';
import { ROOT, Server, ended, freePort, lineOf } from './server.mjs';

const CONFIGURATION = 'grantor.toml';
/// A port of this machine, wherever it stands in an address; it then stands for that port in the whole page.
const LOCAL_PORT = /\b(?:localhost|127\.0\.0\.1):(\d+)\b/g;
const SECRET = /^export (\w+)=\$\(openssl rand -hex (\d+)\)$/gm;

/// A page for all tests of a file, with its server running and then its products. All their logs are shown when a test fails.
/// `tables` are what the tests need besides what the page declares.
export function usePage(name, startProducts = () => {}, { tables = '' } = {}) {
  const page = new ClientPage(name, tables);
  before(async () => {
    await page.open();
    await startProducts(page);
  });
  afterEach((test) => {
    if (test.passed === false) console.error(page.server.log(), page.log());
  });
  after(() => page.close());
  return page;
}

export class ClientPage {
  server = new Server();
  /// The variables of the reader's shell.
  env = {};
  #name;
  #tables;
  #files;
  #ports = new Map();
  #folder;
  #products = [];
  #log = '';

  constructor(name, tables) {
    this.#name = name;
    this.#tables = tables;
  }

  async open() {
    const text = await this.text();
    const blocks = parts(text).filter(({ mark }) => FILE.test(mark));
    this.#files = new Map(blocks.map(({ mark, text }) => [FILE.exec(mark).groups.name, text]));
    for (const [, variable, bytes] of text.matchAll(SECRET)) {
      this.env[variable] = randomBytes(Number(bytes)).toString('hex');
      this.server.remember(this.env[variable]);
      // The server's own, which it reads itself.
      process.env[variable] = this.env[variable];
    }
    this.#folder = await mkdtemp(join(tmpdir(), 'grantor-client-'));
    await symlink(join(ROOT, 'tests/node/node_modules'), join(this.#folder, 'node_modules'));
    for (const [, port] of text.matchAll(LOCAL_PORT)) if (!this.#ports.has(port)) this.#ports.set(port, `${await freePort()}`);
    await this.server.start({ file: (server) => this.#configuration(server) });
    for (const name of this.#files.keys()) await writeFile(join(this.#folder, name), this.file(name));
  }

  /// The page's file for Grantor, at the port that is free now; whose password it is follows the user's name.
  #configuration(server) {
    const text = this.#files.get(CONFIGURATION) + this.#tables;
    const [, written] = /^listen = "127\.0\.0\.1:(\d+)"$/m.exec(text);
    this.#ports.set(written, new URL(server.origin).port);
    server.passwords = Object.fromEntries([...text.matchAll(/^username = "(.*)"\npassword = "(.*)"$/gm)].map(([, name, password]) => [name, password]));
    return this.here(text);
  }

  text() {
    return textOf(`${BOOK}/clients/${this.#name}.md`);
  }

  file(name) {
    return this.here(this.#files.get(name));
  }

  /// An address or a text of the page, with the ports that are free here; also where an address stands encoded in another.
  here(text) {
    return text.replace(/(?<!\d)\d{4,5}(?!\d)/g, (number) => this.#ports.get(number) ?? number);
  }

  path(name) {
    return join(this.#folder, name);
  }

  /// Starts a product beside its files, until a line that it says matches.
  async start(command, args, says = /listening/) {
    const product = this.spawn(command, args);
    await lineOf(product, (line) => says.test(line), () => this.#log);
    return product;
  }

  /// Waits until something listens at an address of the page.
  async reachable(url) {
    for (let attempt = 0; ; attempt++) {
      const failed = await fetch(this.here(url), { redirect: 'manual' }).then(() => undefined, ({ cause }) => cause);
      if (!failed) return;
      if (attempt === 10_000 || failed.code !== 'ECONNREFUSED') throw failed;
    }
  }

  /// All that it says is on its standard output.
  spawn(command, args) {
    const options = { cwd: this.#folder, env: { ...process.env, ...this.env }, stdio: ['ignore', 'pipe', 'inherit'] };
    const product = spawn('sh', ['-c', 'exec "$0" "$@" 2>&1', command, ...args], options);
    this.#products.push(product);
    product.stdout.setEncoding('utf8').on('data', (text) => (this.#log += text));
    return product;
  }

  /// A browser before the product: only what is amiss at Grantor counts. Pages that `shoot` is called at are kept as screenshots.
  visit(see) {
    return browse(`clients/${this.#name}`, { origin: this.server.origin }, (tab) =>
      see(tab, (step) => tab.screenshot({ path: join(SCREENSHOTS, `clients/${this.#name}-${step}.png`) })));
  }

  /// What the products said.
  log() {
    return this.#log;
  }

  async close() {
    for (const product of this.#products) await ended(product, 'SIGTERM');
    await this.server.remove();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/// Does what Grantor's pages ask of the person in a browser that a product has sent there, and says what it was.
export async function signIn(page, server, username = 'alice') {
  const asked = [];
  const buttons = { 'sign-in': () => fill(page, username, server.passwords[username]), approve: () => {} };
  for (const [value, prepare] of Object.entries(buttons)) {
    const button = page.locator(`button[value=${value}]`);
    if (new URL(page.url()).origin !== server.origin || !(await button.isVisible())) continue;
    asked.push(value);
    await prepare();
    await Promise.all([page.waitForEvent('load'), button.click()]);
  }
  return asked;
}

async function fill(page, username, password) {
  await page.locator('#username').fill(username);
  await page.locator('#password').fill(password);
}
