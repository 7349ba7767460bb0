// The files that the book gives to operators (docs/files): each is held against the program that reads it, and against the names that the server uses.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

import { textOf } from './lib/pages.mjs';
import { BINARY, ROOT, ended, freePort, lineOf } from './lib/server.mjs';

const FILES = join(ROOT, 'docs/files');
const run = promisify(execFile);
const file = (name) => readFile(join(FILES, name), 'utf8');

async function inFolder(work) {
  const folder = await mkdtemp(join(tmpdir(), 'grantor-files-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('alerts and board', () => {
  const promtool = (...args) => run(existsSync(join(ROOT, '.tools/promtool')) ? join(ROOT, '.tools/promtool') : 'promtool', args, { cwd: FILES });

  test('Prometheus takes the rules and the configuration', async () => {
    await promtool('check', 'rules', 'grantor-alerts.yml');
    await promtool('check', 'config', 'prometheus.yml');
  });

  test('each alert fires on what it is for, and none in a usual hour', async () => {
    const alerts = names(await file('grantor-alerts.yml'), /alert: (\w+)/g);
    const tests = await file('grantor-alerts.test.yml');
    assert.deepEqual(names(tests, /alertname: (\w+)\n/g), alerts, 'fires');
    assert.deepEqual([...new Set(names(tests, /alertname: (\w+), exp_alerts: \[\]/g))], alerts, 'does not fire');
    await promtool('test', 'rules', 'grantor-alerts.test.yml');
  });

  test('the page has every alert', async () => {
    const page = await textOf('docs/src/operations/alerts.md');
    assert.deepEqual(names(page, /^\| `(Grantor\w+)` \|/gm), names(await file('grantor-alerts.yml'), /alert: (\w+)/g));
  });

  test('what the board asks is PromQL', () =>
    inFolder(async (folder) => {
      const rules = board(await file('grantor-board.json')).map((expr, at) => ({ record: `panel:${at}`, expr: expr.replaceAll('$__rate_interval', '5m') }));
      await writeFile(join(folder, 'board.yml'), JSON.stringify({ groups: [{ name: 'board', rules }] }));
      await promtool('check', 'rules', join(folder, 'board.yml'));
    }));

  test('metrics and labels of rules and board are those of the server, and the board has every metric', async () => {
    const listed = (await textOf('tests/names/stored-names.txt')).split('\n');
    const of = (kind) => listed.filter((line) => line.startsWith(`${kind} `)).map((line) => line.split(' ').slice(1));
    const series = new Map(of('metric').flatMap(([name, kind]) => SUFFIXES[kind].map((suffix) => [name + suffix, name])));
    const [, statuses] = /const STATUSES: .*= \[([^\]]*)\]/.exec(await textOf('crates/web/src/metrics.rs'));
    const values = { endpoint: of('endpoint').flat(), error: of('error').flat(), status: statuses.match(/\d+/g), job: ['grantor'] };
    const labels = ['instance', ...of('metric-label').map(([, label]) => label)];
    const rules = (await file('grantor-alerts.yml')).match(/(?<=expr: ).*/g);
    const onBoard = board(await file('grantor-board.json'));
    const wrong = [];
    for (const expr of [...rules, ...onBoard]) {
      for (const [name] of expr.matchAll(/\b(?:grantor|process)_\w+/g)) if (!series.has(name)) wrong.push(name);
      for (const [, label, value] of expr.matchAll(/(\w+)(?:=|!=|=~|!~)"([^"]*)"/g)) {
        if (label !== 'instance') wrong.push(...value.split('|').filter((one) => !values[label]?.includes(one)).map((one) => `${label}="${one}"`));
      }
      for (const [, list] of expr.matchAll(/\bby \(([^)]*)\)/g)) wrong.push(...list.split(', ').filter((label) => !labels.includes(label)));
    }
    assert.deepEqual(wrong, []);
    const shown = onBoard.flatMap((expr) => [...expr.matchAll(/\b(?:grantor|process)_\w+/g)].map(([name]) => series.get(name)));
    assert.deepEqual([...new Set(shown)].sort(), [...new Set(series.values())].sort());
  });

  const SUFFIXES = { counter: ['_total'], gauge: [''], histogram: ['_bucket', '_sum', '_count'], info: ['_info'] };
  const names = (text, pattern) => [...text.matchAll(pattern)].map(([, name]) => name);
  const board = (text) => JSON.parse(text).panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
});

describe('systemd', () => {
  test('the unit is right, alone and with what says where its log goes', async () => {
    for (const dropIn of [undefined, 'log-to-journal.conf', 'log-to-file.conf']) {
      await inFolder(async (folder) => {
        const unit = join(folder, 'grantor.service');
        await writeFile(unit, (await file('grantor.service')).replaceAll('/usr/local/bin/grantor', BINARY));
        if (dropIn) {
          await mkdir(`${unit}.d`);
          await cp(join(FILES, dropIn), join(`${unit}.d`, 'log.conf'));
        }
        // What is not known is told and ignored.
        const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', unit]);
        assert.equal(stdout + stderr, '', dropIn);
      });
    }
  });

  test('journald knows the settings of the journal', async () => {
    const [, ...keys] = (await file('journald@grantor.conf')).match(/^\w+(?==)|^\[Journal\]$/gm);
    const program = await readFile('/lib/systemd/systemd-journald', 'latin1');
    assert.ok(keys.length > 3);
    assert.deepEqual(keys.filter((key) => !program.includes(`\0Journal.${key}\0`)), []);
  });

  test('grantorctl is a shell script', () => run('sh', ['-n', join(FILES, 'grantorctl')]));
});

test('logrotate empties the file that the server writes, and the server goes on', () =>
  inFolder(async (folder) => {
    const log = join(folder, 'grantor.log');
    const config = join(folder, 'logrotate.conf');
    await writeFile(config, (await file('logrotate.conf')).replace('/var/log/grantor/grantor.log', log));
    await chmod(config, 0o644);
    const logrotate = (...args) => run('logrotate', ['-s', join(folder, 'state'), ...args, config], { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });

    const origin = `http://127.0.0.1:${await freePort()}`;
    await writeFile(join(folder, 'grantor.toml'), `issuer = "${origin}"\nlisten = "${origin.slice('http://'.length)}"\nstore = "sqlite:grantor.db"\n`);
    const appended = await open(log, 'a');
    const server = spawn(BINARY, ['serve', '--config', join(folder, 'grantor.toml')], { stdio: ['ignore', 'pipe', appended.fd] });
    await appended.close();
    const refused = async () => (await (await fetch(`${origin}/oauth2/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'nonsense', client_id: 'nobody' }) })).json()).trace_id;
    const text = (name) => readFile(join(folder, name), 'utf8');
    let before;
    let after;
    try {
      await lineOf(server, (line) => line === `listening on ${origin}`, () => '');
      before = await refused();
      // Lines are written by a thread of their own, and can come after the answer.
      while (!(await text('grantor.log')).includes(before)) await fetch(`${origin}/healthz`);
      await logrotate('--debug');
      await logrotate('--force');
      after = await refused();
    } finally {
      await ended(server, 'SIGTERM');
    }
    const rotated = (await readdir(folder)).filter((name) => name.startsWith('grantor.log'));
    assert.deepEqual(rotated.sort(), ['grantor.log', 'grantor.log.1']);
    assert.ok((await text('grantor.log.1')).includes(before));
    const now = await text('grantor.log');
    assert.ok(now.includes(after) && !now.includes(before) && !now.includes('\0'), now);
  }));
