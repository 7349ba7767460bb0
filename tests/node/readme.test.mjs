// The README's commands, run as they stand. A block is marked by the comment before it: `<!-- run -->`, or `<!-- run: background -->` for a server, which
// the later blocks find running. Only the port and the data folder differ: the port is a free one, the data folder is thrown away.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

import { ROOT, freePort } from './lib/server.mjs';

const README_ADDRESS = '127.0.0.1:8080';
const README_DATA = 'grantor-dev';
const BLOCK = /^<!-- run(: background)? -->\n+```sh\n([\s\S]*?)^```$/gm;

const text = await readFile(join(ROOT, 'README.md'), 'utf8');
const blocks = [...text.matchAll(BLOCK)].map(([, background, commands]) => ({ background: background !== undefined, commands }));
const address = `127.0.0.1:${await freePort()}`;
const folder = await mkdtemp(join(tmpdir(), 'grantor-readme-'));
const data = join(folder, README_DATA);
const servers = [];

after(async () => {
  for (const server of servers) {
    if (server.exitCode === null) {
      process.kill(-server.pid, 'SIGTERM');
      await once(server, 'close');
    }
  }
  await rm(folder, { recursive: true, force: true });
});

test('some blocks are marked to be run', () => assert.ok(blocks.length > 0));

for (const { background, commands } of blocks) {
  test(commands.trim().split('\n').join(' ; '), async () => {
    const script = elsewhere(commands);
    if (background) await listening(spawn('bash', ['-c', script], { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }));
    else await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: ROOT, timeout: 120_000 });
  });
}

function elsewhere(commands) {
  return commands.replaceAll(README_ADDRESS, address).replaceAll('grantor-dev/', `${data}/dev/`).replace(/(-- |grantor )dev\b(?!.*--listen)/g, `$1dev --listen ${address} --data ${data}/dev`);
}

/// Its own process group, so that what a shell started ends with the shell.
async function listening(server) {
  servers.push(server);
  let output = '';
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const signal = AbortSignal.timeout(120_000);
  while (!output.includes('listening on')) {
    if (server.exitCode !== null) throw new Error(`ended with ${server.exitCode}\n${output}`);
    await Promise.race([once(server.stdout, 'data', { signal }), once(server, 'close')]);
  }
}
