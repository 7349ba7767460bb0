// Every page as Chromium shows it, with every sample in English and the main ones in every other language: for everyone (axe-core: both widths, both schemes), without scrolling sideways, and to be looked at in target/screenshots.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { DESK, PHONE, browse } from './lib/browser.mjs';
import { BUILT } from './lib/server.mjs';

const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };
const LOOKS = [
  { name: '390-light', viewport: PHONE, colorScheme: 'light', axe: true },
  { name: '390-dark', viewport: PHONE, colorScheme: 'dark', axe: false },
  { name: '1280-light', viewport: DESK, colorScheme: 'light', axe: false },
  { name: '1280-dark', viewport: DESK, colorScheme: 'dark', axe: true },
];
/// The account with as many rows as there can be, all alike: there is nothing new to see, and axe-core looks at it for a minute.
const LONGEST = 'account-3.html';

let folder, server;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grantor-pages-'));
  await promisify(execFile)(join(BUILT, 'examples/pages'), [folder]);
  server = createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

for (const { name, axe, ...options } of LOOKS) {
  test(`every page ${axe ? 'is for everyone' : 'fits'}, ${name}`, async () => {
    for (const locale of ['en', 'de', 'fr', 'ja']) {
      const pages = (await readdir(join(folder, locale))).filter((file) => file !== LONGEST).sort();
      assert.ok(pages.length > 40, `${pages.length} samples`);
      await browse(`pages/${locale}-${name}`, { ...options, locale }, async (page, look) => {
        for (const file of locale === 'en' ? pages : pages.filter(isMain)) {
          await page.goto(`http://127.0.0.1:${server.address().port}/${locale}/${file}`);
          assert.equal(await page.getAttribute('html', 'lang'), locale);
          await look(file.replace('.html', ''), { axe });
        }
      });
    }
  });
}

/// Of each page the first sample, and of the errors two of the longest.
function isMain(file) {
  return /-1\.html$|^error-[45]\.html$/.test(file);
}

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://127.0.0.1');
  // The script would send its form away at once.
  if (pathname.endsWith('.js')) return response.setHeader('content-type', 'text/javascript').end();
  try {
    const body = await readFile(join(folder, pathname));
    response.setHeader('content-type', TYPES[extname(pathname)]).end(body);
  } catch {
    response.writeHead(404).end();
  }
}
