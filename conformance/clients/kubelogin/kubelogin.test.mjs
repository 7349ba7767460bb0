// kubelogin, unmodified, with the arguments of docs/src/clients/kubelogin.md, and a real browser.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { beforeEach, test } from 'node:test';

import { signIn, usePage } from '../../../tests/node/lib/client_page.mjs';

const page = usePage('kubelogin');
const cache = () => page.path('cache');
beforeEach(() => rm(cache(), { recursive: true, force: true }));

/// Kubernetes checks its signature, as other tests do.
const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

/// Runs kubelogin to its end, while a person does in a browser what it asks for. The ID token's claims, and what was asked at Grantor.
async function token(more = [], sees = async (tab) => signIn(tab, page.server)) {
  const args = [...page.file('kubeconfig.yaml').matchAll(/^ +- (get-token|--\S+)$/gm)].map(([, argument]) => argument);
  const program = page.spawn('kubelogin', [...args, `--token-cache-dir=${cache()}`, '--skip-open-browser', '--listen-address=127.0.0.1:0', ...more]);
  let said = '';
  program.stdout.on('data', (text) => (said += text));
  const end = once(program, 'close');
  let asked;
  while (program.exitCode === null) {
    await Promise.race([once(program.stdout, 'data'), end]);
    const address = /Please visit the following URL in your browser: (\S+)/.exec(said);
    if (!address || asked) continue;
    asked = [];
    await page.visit(async (tab) => {
      await tab.goto(address[1]);
      asked = await sees(tab);
    });
  }
  await end;
  assert.equal(program.exitCode, 0, said);
  const { status } = JSON.parse(/^\{.*\}$/m.exec(said)[0]);
  page.server.remember(status.token);
  return { claims: claimsOf(status.token), token: status.token, asked };
}

test('a user signs in, and the ID token has the groups', async (t) => {
  const { claims, asked } = await token();
  assert.deepEqual(asked, ['sign-in', 'approve']);
  t.diagnostic(`the ID token says ${JSON.stringify(claims)}`);
  assert.deepEqual(claims.groups, ['cluster-admins']);
  assert.equal(claims.aud, 'kubernetes');
});

test('the token is kept, and refreshed without a browser', async () => {
  const first = await token();
  assert.deepEqual(await token(), { ...first, asked: undefined });
  const second = await token(['--force-refresh']);
  assert.equal(second.asked, undefined);
  assert.notEqual(second.token, first.token);
  assert.deepEqual(second.claims.groups, ['cluster-admins']);
});

test('a user signs in by a device code', async () => {
  const { claims, asked } = await token(['--grant-type=device-code'], async (tab) => {
    const first = await signIn(tab, page.server);
    await tab.click('button[value=continue]');
    await tab.click('button[value=approve]');
    await tab.locator('#done').waitFor();
    return first;
  });
  assert.deepEqual(asked, ['sign-in']);
  assert.deepEqual(claims.groups, ['cluster-admins']);
});
