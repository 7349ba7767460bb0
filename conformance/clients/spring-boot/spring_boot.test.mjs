// Spring Boot, unmodified, as docs/src/clients/spring-boot.md sets it up: the app in a real browser, and the API.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

import { TABLES, apiTests } from '../../../tests/node/lib/api_tests.mjs';
import { signIn, usePage } from '../../../tests/node/lib/client_page.mjs';
import { freePort, lineOf } from '../../../tests/node/lib/server.mjs';

/// Maven may have to fetch Spring.
const BUILD_TIMEOUT = 600_000;
/// On a busy machine.
const START_TIMEOUT = 120_000;
const SHOP = 'http://localhost:3000';
const API = 'http://localhost:3001';
/// The API for another audience.
let forClient;

const page = usePage('spring-boot', start, { tables: TABLES });

async function start(page) {
  await build('shop', 'Shop.java', 'application.yaml', 'spring-boot-starter-security-oauth2-client');
  await build('orders', 'Orders.java', 'api.yaml', 'spring-boot-starter-security-oauth2-resource-server');
  forClient = `http://localhost:${await freePort()}`;
  await run('shop');
  await run('orders');
  await run('orders', `--server.port=${new URL(forClient).port}`, '--spring.security.oauth2.resourceserver.jwt.audiences=tv');
}

function run(name, ...more) {
  const app = page.spawn('java', ['-jar', page.path(`${name}/target/app.jar`), `--spring.config.additional-location=file:${page.path(name)}/`, ...more]);
  return lineOf(app, (line) => /Started \w+ in/.test(line), () => page.log(), START_TIMEOUT);
}

async function build(name, source, settings, starter) {
  const folder = page.path(name);
  await mkdir(folder);
  await copyFile(page.path(source), join(folder, source));
  await copyFile(page.path(settings), join(folder, 'application.yaml'));
  await copyFile(join(import.meta.dirname, 'pom.xml'), join(folder, 'pom.xml'));
  await promisify(execFile)('mvn', ['--batch-mode', '--quiet', `-Dstarter=${starter}`, 'package'], { cwd: folder, timeout: BUILD_TIMEOUT });
}

describe('the app', () => {
  const shown = (tab) => tab.locator('body').textContent();
  async function enter(tab, path = '/') {
    await tab.goto(page.here(SHOP + path));
    const asked = await signIn(tab, page.server);
    await tab.waitForURL((url) => url.href.startsWith(page.here(SHOP + path)));
    return asked;
  }

  test('a person signs in, with PKCE, and is called by name and address', () =>
    page.visit(async (tab) => {
      const requests = [];
      tab.on('request', (request) => requests.push(new URL(request.url())));
      assert.deepEqual(await enter(tab), ['sign-in', 'approve']);
      assert.equal(await shown(tab), 'Alice Example, alice@example.com');
      const asked = requests.find(({ pathname }) => pathname === '/oauth2/authorize').searchParams;
      assert.equal(asked.get('code_challenge_method'), 'S256');
      assert.equal(asked.get('scope'), 'openid profile email groups');
    }));

  test('a group is a role', () =>
    page.visit(async (tab) => {
      await enter(tab, '/staff');
      assert.equal(await shown(tab), 'For staff');
    }));

  test('a person signs out of the app and of Grantor, and comes back', () =>
    page.visit(async (tab) => {
      await enter(tab);
      await tab.goto(page.here(`${SHOP}/logout`));
      await tab.locator('button').click();
      await tab.locator('button[value=sign-out]').click();
      // The app's first page asks for a sign-in at once, which is not silent any more.
      await tab.locator('#password').waitFor();
      assert.deepEqual(await enter(tab), ['sign-in']);
    }));

  test('a person signs out at Grantor, which tells the app', () =>
    page.visit(async (tab) => {
      await enter(tab);
      const { cookies } = await tab.context().storageState();
      const session = cookies.find(({ name }) => name === 'JSESSIONID').value;
      const asThem = () => fetch(page.here(`${SHOP}/`), { headers: { cookie: `JSESSIONID=${session}` }, redirect: 'manual' });
      assert.equal((await asThem()).status, 200);
      await tab.goto(`${page.server.origin}/logout`);
      await tab.locator('button[value=sign-out]').click();
      await tab.locator('#signed-out').waitFor();
      for (let attempt = 0; (await asThem()).status === 200; attempt++) assert.ok(attempt < 1000, 'the session at the app ends');
    }));
});

describe('the API', () => apiTests(page, { origin: (audience) => (audience ? forClient : page.here(API)), groups: true }));
