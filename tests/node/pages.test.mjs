// Every page as Chromium shows it, with every sample in English and the main ones in every other language: for everyone (axe-core), without scrolling sideways, with no text cut off or on other text, at twice the text size too (WCAG 2.2 sections 1.4.4 and 1.4.10), and to be looked at in target/screenshots.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { DESK, PHONE, browse } from './lib/browser.mjs';
import { brokenLayout } from './lib/layout.mjs';
import { BUILT } from './lib/server.mjs';

const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };
/// What 1280 pixels are at a zoom of 400 %.
const NARROW = { width: 320, height: 256 };
const LOOKS = [
  { name: '390-light', viewport: PHONE, colorScheme: 'light', axe: true },
  { name: '390-dark', viewport: PHONE, colorScheme: 'dark' },
  { name: '1280-light', viewport: DESK, colorScheme: 'light' },
  { name: '1280-dark', viewport: DESK, colorScheme: 'dark', axe: true },
  { name: '390-light-200', viewport: PHONE, colorScheme: 'light', textSize: 2 },
  { name: '390-dark-200', viewport: PHONE, colorScheme: 'dark', textSize: 2, axe: true },
  { name: '1280-light-200', viewport: DESK, colorScheme: 'light', textSize: 2, axe: true },
  { name: '1280-dark-200', viewport: DESK, colorScheme: 'dark', textSize: 2 },
  { name: '320-light', viewport: NARROW, colorScheme: 'light' },
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

for (const { name, axe = false, ...options } of LOOKS) {
  test(`every page ${axe ? 'is for everyone' : 'fits'}, ${name}`, async () => {
    for (const locale of ['en', 'de', 'es', 'fr', 'ja']) {
      const pages = (await readdir(join(folder, locale))).filter((file) => file !== LONGEST).sort();
      assert.ok(pages.length > 40, `${pages.length} samples`);
      await browse(`pages/${locale}-${name}`, { ...options, locale }, async (page, look) => {
        for (const file of locale === 'en' ? pages : pages.filter(isMain)) {
          await page.goto(address(locale, file));
          assert.equal(await page.getAttribute('html', 'lang'), locale);
          await look(file.replace('.html', ''), { axe });
          assert.deepEqual(await brokenLayout(page), [], `${locale}/${file}`);
          if (!(await page.locator('details').count())) continue;
          await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
          if (axe && isMain(file)) await look(file.replace('.html', '-unfolded'), { axe });
          assert.deepEqual(await brokenLayout(page), [], `${locale}/${file}, unfolded`);
        }
      });
    }
  });
}

test('what a layout would break is found', () =>
  browse('pages/broken', { viewport: PHONE }, async (page) => {
    await page.setContent('<div style="height: 10px; overflow: hidden">Cut<br>off</div><p>below</p><p style="margin-top: -30px">on top</p><div class="card" style="width: 40px">Incomprehensibilities</div><p style="white-space: nowrap">one line that is much longer than a telephone is wide, and never broken</p>');
    const found = (await brokenLayout(page)).join('\n');
    for (const complaint of [/cuts off/, /lies on/, /runs out of its box/, /runs out of the window/, /scrolls sideways/]) assert.match(found, complaint);
  }));

/// RFC 10027 section 6.1.14: what is decided, and both buttons, are seen at once.
test('who asks for a device fits a telephone, to the buttons', () =>
  browse('pages/fits', { viewport: PHONE }, async (page) => {
    for (const locale of ['en', 'de', 'es', 'fr', 'ja']) {
      await page.goto(address(locale, 'device_confirm-1.html'));
      const { y, height } = await page.locator('.decision').boundingBox();
      assert.ok(y + height <= PHONE.height, `${locale}: the buttons end at ${y + height}`);
    }
  }));

test('signing out everywhere takes two presses, with a keyboard too', () =>
  browse('pages/everywhere', { viewport: PHONE }, async (page) => {
    await page.goto(address('en', 'account-1.html'));
    const confirm = page.locator('button[value=everywhere]');
    assert.equal(await confirm.isVisible(), false);
    await page.locator('.ask summary').focus();
    await page.keyboard.press('Enter');
    assert.equal(await confirm.isVisible(), true);
    assert.equal(page.url(), address('en', 'account-1.html'), 'nothing was sent yet');
  }));

function address(locale, file) {
  return `http://127.0.0.1:${server.address().port}/${locale}/${file}`;
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
