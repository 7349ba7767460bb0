// An API in Java without a framework, as docs/src/clients/java-api.md has it.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { CLIENT, TABLES, apiTests } from '../../../tests/node/lib/api_tests.mjs';
import { usePage } from '../../../tests/node/lib/client_page.mjs';
import { freePort } from '../../../tests/node/lib/server.mjs';

/// Maven may have to fetch the library.
const BUILD_TIMEOUT = 300_000;
/// Of the API by its audience.
const origins = new Map();

async function start(page) {
  for (const audience of [undefined, CLIENT]) {
    const [folder, port] = [page.path(`api-${audience}`), await freePort()];
    origins.set(audience, `http://127.0.0.1:${port}`);
    const source = page.file('Orders.java').replaceAll(page.here('3001'), `${port}`);
    await mkdir(folder);
    await writeFile(join(folder, 'Orders.java'), audience ? source.replace('"orders.example.com"', `"${audience}"`) : source);
    await copyFile(join(import.meta.dirname, 'pom.xml'), join(folder, 'pom.xml'));
    await promisify(execFile)('mvn', ['--batch-mode', '--quiet', 'compile', 'dependency:copy-dependencies'], { cwd: folder, timeout: BUILD_TIMEOUT });
    await page.start('java', ['-cp', `${folder}/target/classes:${folder}/target/dependency/*`, 'Orders']);
  }
}

const page = usePage('java-api', start, { tables: TABLES });
apiTests(page, { origin: (audience) => origins.get(audience) });
