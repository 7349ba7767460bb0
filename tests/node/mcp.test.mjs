// The SDKs of the Model Context Protocol, unmodified, as docs/src/clients/mcp.md sets them up: the client of each calls a tool of each one's server.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';

import { signIn, usePage } from './lib/client_page.mjs';
import { VENV_PYTHON, ended } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';
import { clientCredentials, deviceAuthorization, poll } from './lib/wire.mjs';

const SECRET = randomBytes(24).toString('base64url');
const machine = (id, scope) => `
[[client]]
id = "${id}"
secret = "${SECRET}"
grants = ["client_credentials"]
scopes = ["${scope}"]
`;
const tables = `
[[resource]]
identifier = "orders.example.com"
scopes = { read = "Read orders" }
${machine('tools', 'http://localhost:3000/tools')}${machine('orders', 'orders.example.com/read')}
[[client]]
id = "tv"
grants = ["device_code"]
scopes = ["openid"]
id_token_alg = "ES256"
`;
const page = usePage('mcp', undefined, { tables });
const kept = () => page.path('tokens.json');

/// For the SDK in Python, the first token is over at once; it says when it has got another.
const OVER_AT_ONCE = `
import mcp.client.auth.oauth2 as sdk
lifetime, first = sdk.calculate_token_expiry, [1.0]
def expiry(seconds):
    if first:
        return first.pop()
    print("refreshed", flush=True)
    return lifetime(seconds)
sdk.calculate_token_expiry = expiry
exec(open("client.py").read())
`;

/// Runs a client to its end; where it asks for a sign-in, a person does it in a browser. What it said, and what was asked at Grantor.
async function run(command, ...args) {
  const program = page.spawn(command, args);
  let said = '';
  program.stdout.on('data', (text) => (said += text));
  const end = once(program, 'close');
  const asked = [];
  const requests = () => [...said.matchAll(/^Open (\S+)$/gm)].map(([, url]) => new URL(url));
  while (program.exitCode === null) {
    await Promise.race([once(program.stdout, 'data'), end]);
    const request = requests()[0];
    if (!request || asked.length) continue;
    await page.visit(async (tab) => {
      await tab.goto(request.href);
      asked.push(...(await signIn(tab, page.server)));
      await tab.getByText('You can close this window.').waitFor();
    });
  }
  await end;
  assert.equal(program.exitCode, 0, said);
  return { said: said.replace(/^Open .*\n/gm, ''), asked, requests: requests() };
}

const GREETING = /^hello [0-9a-f-]{36}\n$/;

const CLIENTS = {
  /// Signs in, and refreshes when it is refused, also after it was started again.
  async TypeScript() {
    await rm(kept(), { force: true });
    const first = await run(process.execPath, 'client.mjs');
    assert.match(first.said, GREETING);
    const tokens = JSON.parse(await readFile(kept(), 'utf8'));
    await writeFile(kept(), JSON.stringify({ ...tokens, access_token: 'of yesterday' }));
    assert.deepEqual(await run(process.execPath, 'client.mjs'), { said: first.said, asked: [], requests: [] });
    const fresh = JSON.parse(await readFile(kept(), 'utf8'));
    page.server.remember(tokens.access_token, tokens.refresh_token, fresh.access_token, fresh.refresh_token);
    assert.notEqual(fresh.refresh_token, tokens.refresh_token);
    return first;
  },
  async Python() {
    const refreshed = await run(VENV_PYTHON, '-c', OVER_AT_ONCE);
    assert.match(refreshed.said.replace(/^refreshed\n/, ''), GREETING);
    assert.match(refreshed.said, /^refreshed$/m);
    assert.match(refreshed.requests[0].searchParams.get('scope'), / offline_access$/, 'which the SDK adds by itself');
    return refreshed;
  },
};

const SERVERS = {
  TypeScript: () => page.start(process.execPath, ['server.mjs'], /^listening/),
  Python: () => page.start(VENV_PYTHON, ['server.py'], /Uvicorn running/),
};

for (const [written, start] of Object.entries(SERVERS)) {
  for (const [language, connect] of Object.entries(CLIENTS)) {
    test(`a client in ${language} signs in to a server in ${written}, calls its tool and refreshes`, async () => {
      const server = await start();
      try {
        const { asked, requests } = await connect();
        assert.deepEqual(asked, ['sign-in', 'approve']);
        assert.equal(requests.length, 1);
        const asks = requests[0].searchParams;
        assert.equal(asks.get('code_challenge_method'), 'S256');
        assert.equal(asks.get('resource').endsWith('/'), written === 'TypeScript', 'which that SDK adds by itself');
      } finally {
        await ended(server, 'SIGTERM');
      }
    });
  }
}

async function idToken() {
  const device = await deviceAuthorization(page.server, 'tv', { scope: 'openid' });
  await new Visitor(page.server).approve(device);
  return (await poll(page.server, device.device_code)).json.id_token;
}

for (const [written, start] of Object.entries(SERVERS)) {
  test(`a server in ${written} refuses tokens for others, ID tokens and what is no token, and says where to sign in`, async () => {
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
    const ask = (token) => fetch(page.here('http://localhost:3000/'), { method: 'POST', headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) }, body });
    Object.assign(page.server.secrets, { tools: SECRET, orders: SECRET });
    const token = async (id) => (await clientCredentials(page.server, id)).access_token;
    const server = await start();
    try {
      assert.equal((await ask(await token('tools'))).status, 200);
      for (const wrong of [undefined, 'x', 'a.b.c', await token('orders'), await idToken()]) {
        const { status, headers } = await ask(wrong);
        assert.equal(status, 401, `${wrong}`);
        assert.match(headers.get('www-authenticate'), /resource_metadata="http:\/\/localhost:\d+\/\.well-known\/oauth-protected-resource\/?"/);
      }
    } finally {
      await ended(server, 'SIGTERM');
    }
  });
}
