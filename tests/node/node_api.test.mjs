// Libraries of Node for APIs, unmodified, as docs/src/clients/node-api.md has them.
import { writeFile } from 'node:fs/promises';
import { describe } from 'node:test';

import { CLIENT, TABLES, apiTests } from './lib/api_tests.mjs';
import { usePage } from './lib/client_page.mjs';
import { freePort, lineOf } from './lib/server.mjs';

const FILES = ['with_jose.mjs', 'with_bearer.mjs', 'with_express_jwt.mjs'];
/// At a signal, a day later begins.
const CLOCK = `
import { mock } from 'node:test';
process.on('SIGUSR2', () => {
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 86_400_000 });
  console.log('a day later');
});
`;
/// `{ origin, process }` by file and audience.
const apis = new Map();

const page = usePage('node-api', start, { tables: TABLES });

async function start(page) {
  await writeFile(page.path('clock.mjs'), CLOCK);
  for (const file of FILES) for (const audience of [undefined, CLIENT]) apis.set(key(file, audience), await startOne(page, file, audience));
}

const key = (file, audience) => `${file} ${audience}`;

async function startOne(page, file, audience) {
  const port = await freePort();
  const source = page.file(file).replaceAll(page.here('3001'), `${port}`);
  const name = `${audience}_${file}`;
  await writeFile(page.path(name), audience ? source.replace(`'orders.example.com'`, `'${audience}'`) : source);
  const process_ = await page.start(process.execPath, ['--import', page.path('clock.mjs'), page.path(name)]);
  return { origin: `http://127.0.0.1:${port}`, process: process_ };
}

for (const file of FILES) {
  const api = (audience) => apis.get(key(file, audience));
  async function aDayLater() {
    const said = lineOf(api().process, (line) => line === 'a day later', () => page.log());
    api().process.kill('SIGUSR2');
    await said;
  }
  describe(file, () => apiTests(page, { origin: (audience) => api(audience).origin, until: aDayLater, query: file === 'with_bearer.mjs' }));
}
