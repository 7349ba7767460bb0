// The links between the pages of the repository, and that the book has all of its own.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

import { ALL_PAGES, BOOK, EXAMPLE_PAGES, textOf } from './lib/pages.mjs';
import { ROOT } from './lib/server.mjs';

const LINK = /\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]*\]: (\S+)$|<img [^>]*src="([^"]+)"/gm;

/// The words of a page: code has no links and no headings.
const prose = (text) => text.replace(/^\s*```[\s\S]*?^\s*```/gm, '');

test('every link leads somewhere', async () => {
  const lost = [];
  for (const page of ALL_PAGES) {
    for (const [, text, reference, image] of prose(await textOf(page)).replace(/`[^`]*`/g, '').matchAll(LINK)) {
      const link = text ?? reference ?? image;
      if (/^(https?|mailto):/.test(link)) continue;
      const [path, anchor] = link.split('#');
      const target = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(join(ROOT, target))) lost.push(`${page}: ${link}`);
      else if (anchor !== undefined && (statSync(join(ROOT, target)).isDirectory() || !(await anchors(target)).has(anchor))) lost.push(`${page}: ${link}`);
    }
  }
  assert.deepEqual(lost, []);
});

test('the summary has every page of the book once', async () => {
  const listed = [...(await textOf(`${BOOK}/SUMMARY.md`)).matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => join(BOOK, path));
  const pages = EXAMPLE_PAGES.filter((page) => page.startsWith(BOOK) && !page.endsWith('SUMMARY.md'));
  assert.deepEqual(listed.sort(), pages.sort());
});

test('the page of clients leads to each page of a client', async () => {
  const linked = [...(await textOf(`${BOOK}/clients.md`)).matchAll(/\]\((clients\/[^)]+)\)/g)].map(([, path]) => join(BOOK, path));
  assert.deepEqual(linked.sort(), EXAMPLE_PAGES.filter((page) => page.startsWith(`${BOOK}/clients/`)).sort());
});

test('what the page of errors quotes is what the server says', async () => {
  const folders = ['crates/core/src', 'crates/web/src'].map((folder) => join(ROOT, folder));
  const files = folders.flatMap((folder) => readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.rs')).map((name) => readFileSync(join(folder, name), 'utf8')));
  const quoted = [...(await textOf(`${BOOK}/errors.md`)).matchAll(/^> (.*)$/gm)].map(([, text]) => text);
  assert.ok(quoted.length > 15);
  assert.deepEqual(quoted.filter((text) => !files.some((file) => file.includes(`"${text}"`))), []);
});

const MISSING = `${BOOK}/what-it-does-not-do.md`;

test('the README names all that the page of missing things has', async () => {
  const sections = (await textOf(MISSING)).split(/^## /m).slice(1);
  const rows = sections.map((section) => {
    const names = [...section.matchAll(/^\| (?!not there)([^|-][^|]*) \|/gm)].map(([, name]) => name);
    return `| ${section.split('\n', 1)[0]} | ${names.join('; ')} |`;
  });
  assert.equal(rows.length, 4);
  const [, listed] = (await textOf('README.md')).split(/^## What it does not do$/m);
  assert.deepEqual(listed.match(/^\| \w.*/gm), rows);
});

test('the page of missing things has each setting without effect', async () => {
  const page = await textOf(MISSING);
  const settings = [...(await textOf('crates/config/src/not_built.rs')).matchAll(/self\.((?:device\.)?\w+)/g)].map(([, name]) => name);
  const shown = { store: '`postgres:`', dialects: '`dialects`', providers: '`[[provider]]`', 'device.tokens': '`device.tokens`', 'device.token_set': '`token_set`' };
  assert.ok(settings.length >= 5);
  assert.deepEqual(settings.filter((name) => !page.includes(shown[name])), []);
});

const WATCHING = `${BOOK}/operations/watching.md`;

test('the page of metrics has all of them', async () => {
  const names = (await textOf('crates/server/src/metrics.rs')).matchAll(/"((?:grantor|process)_[a-z_]+)"/g);
  const told = (await textOf(WATCHING)).matchAll(/`((?:grantor|process)_[a-z_]+?)(?:_total|_info)?`/g);
  const sorted = (found) => [...new Set([...found].map(([, name]) => name))].sort();
  assert.deepEqual(sorted(told), sorted(names));
});

test('the page of events has all of them', async () => {
  const [, kinds] = /pub enum EventKind \{([\s\S]*?)\}/.exec(await textOf('crates/core/src/engine/event.rs'));
  const names = [...kinds.matchAll(/^ +(\w+),/gm)].map(([, name]) => name.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase());
  const [, page] = (await textOf(WATCHING)).split('## Events');
  const told = [...page.matchAll(/^\| (`[a-z_`, ]+) \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  assert.deepEqual(told.sort(), names.sort());
});

/// What GitHub and mdBook make of a page's headings.
async function anchors(page) {
  const headings = prose(await textOf(page)).matchAll(/^#+ (.*)$/gm);
  return new Set([...headings].map(([, heading]) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').trim().replaceAll(' ', '-')));
}
