// Debian's Chromium, with a fresh profile each time, and what a page must be for everyone: no violation that axe-core finds, no sideways scrolling.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import axeCore from 'axe-core';
import { chromium } from 'playwright-core';

import { ROOT } from './server.mjs';

export const SCREENSHOTS = join(ROOT, 'target/screenshots');
export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1280, height: 800 };
export const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/// `name` is the screenshots' prefix; `textSize` is that of the browser's settings, by which text alone grows; the other options are playwright's. With `origin`, only what is amiss there counts.
export async function browse(name, { textSize = 1, origin = '', ...options }, visit) {
  await mkdir(dirname(join(SCREENSHOTS, name)), { recursive: true });
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: [...FLAGS, `--blink-settings=defaultFontSize=${16 * textSize}`] });
  try {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    const complaints = [];
    const complain = (url, text) => url.startsWith(origin) && complaints.push(text);
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complain(message.location().url, message.text()));
    // A page that is left before its pictures and its icon (of the type `other`) have come is no fault.
    const isLeft = (request) => ['image', 'other'].includes(request.resourceType()) && request.failure()?.errorText === 'net::ERR_ABORTED';
    page.on('requestfailed', (request) => isLeft(request) || complain(request.url(), `${request.url()}: ${request.failure()?.errorText}`));
    page.on('response', (response) => response.status() >= 400 && complain(response.url(), `${response.status()} ${response.url()}`));
    const scripted = options.javaScriptEnabled !== false;
    await visit(page, (step, { axe = scripted } = {}) => look(page, { scripted, axe }, join(SCREENSHOTS, `${name}-${step}.png`)));
    assert.deepEqual(complaints, [], 'the browser has nothing to complain of');
  } finally {
    await browser.close();
  }
}

async function look(page, { scripted, axe }, path) {
  await page.screenshot({ path, fullPage: true });
  assert.equal(await page.locator('h1').count(), 1, `${page.url()} has one heading`);
  if (!scripted) return;
  const { clientWidth, scrollWidth } = await page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    return { clientWidth, scrollWidth };
  });
  assert.ok(scrollWidth <= clientWidth, `${page.url()} scrolls sideways`);
  if (!axe) return;
  await page.evaluate(axeCore.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { preload: false }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`), [], `${page.url()} for everyone`);
}
