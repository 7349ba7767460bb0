// Ten thousand parallel tries stay inside the limits of DESIGN section 6, and right ones are held back too once the limit is reached.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { storm } from './lib/raw.mjs';
import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';
import { assertOAuthError, deviceAuthorization, poll, post } from './lib/wire.mjs';

const TRIES = 10_000;
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

/// A different wrong code each time.
const code = (at) => Array.from({ length: 8 }, (_, place) => LETTERS[Math.floor(at / 20 ** place) % 20]).join('');

function formOf(page, field) {
  const form = page.forms.find(({ names }) => names.has(field));
  assert.ok(form, page.text);
  return form.values;
}

const cookieOf = (visitor) => ({ cookie: [...visitor.cookies].map((pair) => pair.join('=')).join('; ') });

/// All but 429s: the tries that were looked at.
function lookedAt(statuses) {
  const total = [...statuses.values()].reduce((sum, count) => sum + count, 0);
  for (const status of statuses.keys()) assert.ok(status < 500, `no 5xx: ${JSON.stringify([...statuses])}`);
  return total - (statuses.get(429) ?? 0);
}

describe('user codes of one account', () => {
  const server = useServer();

  test('10,000 parallel wrong codes: 20 are looked at, and then not even the right one', async () => {
    const device = await deviceAuthorization(server);
    const alice = new Visitor(server);
    await alice.signIn('alice');
    const page = await alice.get('/device');
    const values = formOf(page, 'user_code');
    const headers = cookieOf(alice);
    const statuses = await storm(server, { count: TRIES, make: (at) => ({ path: '/device', form: { ...values, user_code: code(at) }, headers }) });
    assert.equal(lookedAt(statuses), 20, JSON.stringify([...statuses]));

    const late = await alice.submit(await alice.get('/device'), { user_code: device.user_code });
    assert.equal(late.status, 429);
    assert.ok(Number(late.headers.get('retry-after')) > 0);
    assert.doesNotMatch(late.text, /Living-room/);

    await new Visitor(server).approve(device, 'bob');
    assert.equal((await poll(server, device.device_code)).status, 200, 'another account goes on');
  });
});

describe('user codes of one address', () => {
  const names = Array.from({ length: 12 }, (_, at) => `guest${at}`);
  const tables = names.map((name) => `\n[[user]]\nusername = "${name}"\npassword = "password of ${name}"\n`).join('');
  const server = useServer({ tables });

  test('many accounts together have 200', async () => {
    let total = 0;
    for (const name of names) {
      const guest = new Visitor(server);
      await guest.signIn(name, { password: `password of ${name}` });
      const values = formOf(await guest.get('/device'), 'user_code');
      total += lookedAt(await storm(server, { count: 100, make: (at) => ({ path: '/device', form: { ...values, user_code: code(at) }, headers: cookieOf(guest) }) }));
    }
    assert.equal(total, 200);
  });
});

describe('right codes', () => {
  const server = useServer();

  test('are given back to the limit: 40 right ones in a row are all taken', async () => {
    const alice = new Visitor(server);
    for (let at = 0; at < 40; at++) {
      const asked = await alice.ask(await deviceAuthorization(server));
      assert.ok(asked.has('approve'), `${at}: ${asked.status}`);
    }
  });
});

describe('passwords', () => {
  const server = useServer();

  test('10,000 parallel wrong passwords: 10 are looked at, and then not even the right one', async () => {
    const known = new Visitor(server);
    await known.signIn('bob');
    const guesser = new Visitor(server);
    const values = formOf(await guesser.get('/login'), 'password');
    const headers = cookieOf(guesser);
    const statuses = await storm(server, { count: TRIES, make: (at) => ({ path: '/login', form: { ...values, username: 'alice', password: `wrong ${at}` }, headers }) });
    assert.equal(lookedAt(statuses), 10, JSON.stringify([...statuses]));

    const late = await new Visitor(server).signIn('alice');
    assert.equal(late.status, 429);
    assert.ok(Number(late.headers.get('retry-after')) > 0);
    assert.ok(!(await known.get('/device')).has('password'), 'who is signed in stays signed in');
    assert.ok((await new Visitor(server).signIn('bob')).status < 400, 'another account can sign in');
  });

  test('unknown accounts are limited like known ones', async () => {
    const guesser = new Visitor(server);
    const values = formOf(await guesser.get('/login'), 'password');
    const statuses = await storm(server, { count: 100, make: (at) => ({ path: '/login', form: { ...values, username: 'nobody', password: `wrong ${at}` }, headers: cookieOf(guesser) }) });
    assert.equal(lookedAt(statuses), 10, JSON.stringify([...statuses]));
  });
});

describe('device codes', () => {
  const server = useServer({ device: 'max_pending = 50' });

  test('a client holds so many pending codes and no more; other clients go on', async () => {
    const statuses = await storm(server, { count: 2000, make: () => ({ path: '/oauth2/device_authorization', form: { client_id: 'tv' } }) });
    assert.deepEqual(Object.fromEntries(statuses), { 200: 50, 429: 1950 });
    const refused = await post(server, '/oauth2/device_authorization', { client_id: 'tv' });
    assertOAuthError(refused, 429);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    await deviceAuthorization(server, 'tv2');
  });
});
