// The examples of the README and the book, run as they stand: commands in a shell, files by `grantor check`, answers beside the real ones. Each page is
// followed from its beginning, by somebody with a folder of their own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

import { ANSWER, APPROVES, EXAMPLE_PAGES, FILE, MARKS, RUN, SAME, SIGNS_IN, UNTRIED, parts, textOf } from './lib/pages.mjs';
import { BINARY, ROOT } from './lib/server.mjs';
import { Terminal, assertLines, assertShown } from './lib/terminal.mjs';

/// A hash that a page cuts short.
const HASH = '"$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$NIZzwR2U5Ii0yfKmSzy1gTcrtaFsWdFF5HSD2p5QKiI"';
/// What variables and files of secrets hold.
const SECRET = 'A-value-that-nobody-guesses_0123456789abcdef';

for (const page of EXAMPLE_PAGES) {
  const found = parts(await textOf(page));
  describe(page, () => {
    test('every block says whether it is run', () => {
      const unmarked = found.filter(({ language, mark }) => language !== undefined && !UNTRIED.includes(language) && !MARKS[language]?.some((known) => known.test(mark)));
      assert.deepEqual(unmarked.map(({ line, language, mark }) => `${page}:${line}: ${language || 'no language'}, marked "${mark}"`), []);
    });
    for (const { line, text } of found.filter(({ language }) => language === 'toml')) {
      test(`${page}:${line}: the settings are right`, () => checked(text));
    }
    for (const { line, text, mark } of found.filter(({ mark }) => SAME.test(mark))) {
      test(`${page}:${line}: the file is as it is shown`, async () => assert.equal(await readFile(join(ROOT, SAME.exec(mark).groups.path), 'utf8'), text));
    }
    if (found.some(({ mark }) => RUN.test(mark))) test('its commands do what it says', () => followed(page, found));
  });
}

async function followed(page, found) {
  const terminal = new Terminal();
  await terminal.open();
  let answer;
  try {
    for (const { line, language, text, mark } of found) {
      try {
        if (mark === APPROVES) await terminal.approve();
        else if (mark === SIGNS_IN) await terminal.signIn();
        else if (FILE.test(mark)) await terminal.write(FILE.exec(mark).groups.name, text);
        else if (ANSWER.test(mark) && language === 'text') assertLines(terminal.said, terminal.here(text));
        else if (ANSWER.test(mark)) assertShown(answer, JSON.parse(terminal.here(text)), { part: ANSWER.exec(mark).groups.part !== undefined });
        else if (RUN.exec(mark)?.groups.background) await terminal.background(text);
        else if (RUN.test(mark)) answer = await terminal.run(text);
      } catch (error) {
        throw new Error(`${page}:${line}: ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`, { cause: error });
      }
    }
  } finally {
    await terminal.close();
  }
}

/// A part of a file is checked as the rest of one.
async function checked(text) {
  const whole = (/^issuer\b/m.test(text) ? '' : 'issuer = "https://id.example.com"\n') + text.replace(/"\$argon2id\$[^"]*…"/g, HASH);
  const variables = Object.fromEntries([...whole.matchAll(/_env\s*=\s*"(\w+)"/g)].map(([, name]) => [name, SECRET]));
  const folder = await mkdtemp(join(tmpdir(), 'grantor-check-'));
  try {
    for (const [, file] of whole.matchAll(/^secret_file = "([\w.]+)"/gm)) await writeFile(join(folder, file), `${SECRET}\n`, { mode: 0o600 });
    await writeFile(join(folder, 'grantor.toml'), await withCertificate(here(whole), folder));
    await promisify(execFile)(BINARY, ['check', '--config', 'grantor.toml'], { cwd: folder, env: { ...process.env, ...variables } });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/// Store and key are in a folder that is there.
function here(text) {
  return text.replace(/^(store = "sqlite:|key_file = ")\/.*\/([^/"]+)"/gm, '$1$2"');
}

/// Files of TLS are of a certificate that is there.
async function withCertificate(text, folder) {
  if (!/\bcert = /.test(text)) return text;
  const made = ['-keyout', 'key.pem', '-out', 'cert.pem', '-subj', '/CN=id.example.com', '-addext', 'subjectAltName=DNS:id.example.com', '-days', '30'];
  await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...made], { cwd: folder });
  return text.replace(/\b(cert|key) = "[^"]*"/g, '$1 = "$1.pem"');
}
