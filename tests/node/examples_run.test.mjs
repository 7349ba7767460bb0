// How `examples/*/run` begin: what is missing is named before anything is built, cargo's target folder counts, and two of them have ports of their own.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { ROOT } from './lib/server.mjs';

const run = promisify(execFile);
const EXAMPLES = ['microservices', 'spa-and-api'];

let folder;
before(async () => (folder = await mkdtemp(join(tmpdir(), 'grantor-run-'))));
after(() => rm(folder, { recursive: true, force: true }));

/// The path of a program that is there.
const found = async (name) => (await run('bash', ['-c', `command -v ${name}`])).stdout.trim();

for (const example of EXAMPLES) {
  test(`${example}: what is missing is named before anything is built`, async () => {
    const programs = await mkdtemp(join(folder, 'programs-'));
    for (const name of ['bash', 'env', 'dirname', 'mkdir']) await symlink(await found(name), join(programs, name));
    await writeFile(join(programs, 'cargo'), `#!/bin/sh\n: >${join(programs, 'built')}\n`);
    await chmod(join(programs, 'cargo'), 0o755);
    const error = await run(join(ROOT, 'examples', example, 'run'), [], { env: { PATH: programs } }).then(
      () => assert.fail('it needs curl'),
      (error) => error,
    );
    assert.equal(error.code, 1);
    assert.match(error.stderr, /^curl is needed: /m);
    await assert.rejects(access(join(programs, 'built')), 'cargo was called');
  });
}

/// Runs a line in the folder of an example, with what the examples share.
const shared = (line, env = {}) =>
  spawn('bash', ['-ec', `. ../common.sh; ${line}`], { cwd: join(ROOT, 'examples/spa-and-api'), env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });

async function firstLine(process) {
  const [text] = await once(process.stdout.setEncoding('utf8'), 'data');
  return text.trim();
}

test('programs are taken from where cargo builds them', async () => {
  assert.equal(await firstLine(shared('target_folder', { CARGO_TARGET_DIR: folder })), folder);
});

test('two that start at once have ports of their own', async () => {
  // Each holds its ports until its input ends.
  const both = EXAMPLES.map(() => shared('take_ports 5; echo "${ports[@]}"; read -r || true', { PORT_BASE: '' }));
  const ports = (await Promise.all(both.map(firstLine))).flatMap((line) => line.split(' '));
  assert.equal(new Set(ports).size, 10, `${ports}`);
  for (const process of both) process.stdin.end();
});

test('ports that are in use are not taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address();
  const refused = shared('take_ports 1', { PORT_BASE: `${port}` });
  const [code] = await once(refused, 'close');
  assert.equal(code, 1);
  taken.close();
});
