// What an attacker tries on the pages: forged and foreign forms, frames, planted cookies, links that approve, redirects that leave.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';
import { assertOAuthError, deviceAuthorization, poll } from './lib/wire.mjs';

describe('over plain HTTP on loopback', () => {
  const server = useServer();

  const stillPending = async (device) => assertOAuthError(await poll(server, device.device_code), 400, 'authorization_pending');
  const formWith = (page, button) => page.forms.find((form) => form.buttons.has(button));

  /// Posts to where the form of `page` with `button` goes, but whatever is in `fields`.
  const forge = (visitor, page, button, fields) => visitor.request(formWith(page, button).action, { method: 'POST', body: new URLSearchParams(fields) });

  test('CSRF: an approval without the form token, or with a foreign one, is refused and approves nothing', async () => {
    const device = await deviceAuthorization(server);
    const [alice, bob] = [new Visitor(server), new Visitor(server)];
    const asked = await alice.ask(device, 'alice');
    const foreign = formWith(await bob.ask(device, 'bob'), 'approve').values.form_token;
    const own = formWith(asked, 'approve').values;
    const beforeSignIn = formWith(await new Visitor(server).get('/login'), 'sign-in').values.form_token;
    for (const form_token of [undefined, '', 'x', foreign, beforeSignIn, `${own.form_token}x`, own.form_token.slice(0, -1)]) {
      const fields = { ...own, decision: 'approve', ...(form_token === undefined ? {} : { form_token }) };
      if (form_token === undefined) delete fields.form_token;
      const reply = await forge(alice, asked, 'approve', fields);
      assert.ok(!reply.has('done') && reply.has('user_code'), `${form_token}: ${reply.text}`);
      assert.match(reply.headers.get('content-type'), /^text\/html/);
    }
    await stillPending(device);
    assert.ok((await alice.submit(asked, {}, { button: 'approve' })).has('done'), 'the rightful form still works');
  });

  test('CSRF: nobody is signed in or out by a foreign form', async () => {
    const { passwords } = server;
    const login = await new Visitor(server).request('/login', { method: 'POST', body: new URLSearchParams({ username: 'alice', password: passwords.alice }) });
    assert.equal(login.status, 403);
    assert.ok(login.has('password'), 'the form again');
    const alice = new Visitor(server);
    await alice.signIn('alice');
    assert.ok((await alice.request('/logout', { method: 'POST', body: new URLSearchParams({ form_token: 'x' }) })).has('sign-out'), 'it asks');
    assert.ok(!(await alice.get('/device')).has('password'), 'still signed in');
  });

  test('an approval needs a sign-in', async () => {
    const device = await deviceAuthorization(server);
    const asked = await new Visitor(server).ask(device);
    const stranger = new Visitor(server);
    const reply = await forge(stranger, asked, 'approve', { ...formWith(asked, 'approve').values, decision: 'approve' });
    assert.ok(!reply.has('done'));
    await stillPending(device);
  });

  test('an approval link approves nothing, whatever it says', async () => {
    const device = await deviceAuthorization(server);
    const alice = new Visitor(server);
    const { action, values } = formWith(await alice.ask(device), 'approve');
    const queries = ['', '&decision=approve', `&${new URLSearchParams({ ...values, decision: 'approve' })}`];
    for (const query of queries) {
      for (const method of ['GET', 'HEAD']) {
        await alice.request(`${device.verification_uri_complete}${query}`, { method });
        await alice.request(`${action}?user_code=${device.user_code}${query}`, { method });
      }
    }
    const posted = await alice.request(`${action}?${new URLSearchParams({ ...values, decision: 'approve' })}`, { method: 'POST' });
    assert.ok(posted.status >= 400, 'a form must be in the body');
    await stillPending(device);
  });

  test('the prefilled page tells nothing of the device before the code is sent', async () => {
    const device = await deviceAuthorization(server);
    const alice = new Visitor(server);
    await alice.signIn('alice');
    const prefilled = await alice.get(device.verification_uri_complete);
    assert.ok(prefilled.has('user_code'));
    assert.doesNotMatch(prefilled.text, /Living-room/);
    const nobody = await new Visitor(server).get(device.verification_uri_complete);
    assert.doesNotMatch(nobody.text, /Living-room/);
  });

  test('who asks is shown, as text, and is what the device is', async () => {
    const device = await deviceAuthorization(server, 'tv', { scope: 'openid orders.example.com/read' });
    const asked = await new Visitor(server).ask(device);
    assert.match(asked.textOf('client-name'), /Living-room TV/);
    assert.equal(asked.textOf('code'), device.user_code);
    assert.match(asked.textOf('device-address'), /127\.0\.0\.1/);
    assert.match(asked.text, /Read orders/);
  });

  test('the form that decides is bound to its grant', async () => {
    const [one, other] = await Promise.all([deviceAuthorization(server), deviceAuthorization(server)]);
    const alice = new Visitor(server);
    const forOther = formWith(await alice.ask(other), 'approve').values;
    const asked = await alice.ask(one);
    const forOne = formWith(asked, 'approve').values;
    assert.ok(!Object.values(forOne).includes(one.user_code), 'the form does not carry the code');
    const mixed = await forge(alice, asked, 'approve', { ...forOne, grant: forOther.grant, decision: 'approve' });
    assert.ok(!mixed.has('done'), mixed.text);
    await stillPending(one);
  });

  test('every page forbids frames, scripts, sniffing, caching and telling where one came from', async () => {
    const device = await deviceAuthorization(server);
    const alice = new Visitor(server);
    const login = await alice.get('/login');
    const asked = await alice.ask(device);
    const pages = [login, asked, await alice.get('/'), await alice.get('/device'), await alice.get('/logout'), await alice.get('/no/such/page'), await alice.submit(asked, {}, { button: 'deny' })];
    for (const page of pages) {
      const policy = page.headers.get('content-security-policy') ?? '';
      for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"]) assert.ok(policy.includes(rule), `${page.url}: ${policy}`);
      assert.doesNotMatch(policy, /unsafe|script-src/, page.url);
      assert.equal(page.headers.get('x-content-type-options'), 'nosniff', page.url);
      assert.match(page.headers.get('referrer-policy') ?? '', /^(no-referrer|same-origin)$/, page.url);
      assert.match(page.headers.get('cache-control') ?? '', /no-store/, page.url);
      assert.match(page.headers.get('content-type'), /^text\/html; charset=utf-8$/i, page.url);
      assert.doesNotMatch(page.text, /<script|\sstyle=|\son\w+=/i, page.url);
    }
  });

  test('session fixation: a cookie from before the sign-in is worth nothing after it', async () => {
    const attacker = new Visitor(server);
    await attacker.get('/login');
    const victim = new Visitor(server);
    for (const [name, value] of attacker.cookies) victim.cookies.set(name, value);
    await victim.signIn('alice');
    assert.ok(!(await victim.get('/device')).has('password'), 'the victim is signed in');
    for (const [name, value] of attacker.cookies) assert.notEqual(victim.cookies.get(name), value, `${name} is replaced`);
    assert.ok((await attacker.get('/device')).has('password'), 'the attacker is not');

    const planted = new Visitor(server);
    for (const name of victim.cookies.keys()) planted.cookies.set(name, 'planted');
    await planted.signIn('bob');
    for (const value of planted.cookies.values()) assert.notEqual(value, 'planted');
  });

  test('a session ends at sign-out, and its cookie with it', async () => {
    const alice = new Visitor(server);
    await alice.signIn('alice');
    const stolen = new Visitor(server);
    for (const [name, value] of alice.cookies) stolen.cookies.set(name, value);
    assert.ok(!(await stolen.get('/device')).has('password'));
    await alice.submit(await alice.get('/logout'), {}, { button: 'sign-out' });
    assert.ok((await alice.get('/device')).has('password'));
    assert.ok((await stolen.get('/device')).has('password'));
  });

  test('cookies: HttpOnly, SameSite, for this host alone', async () => {
    const alice = new Visitor(server);
    const responses = [await alice.get('/login'), await alice.signIn('alice')].flatMap((page) => page.chain);
    const cookies = responses.flatMap(({ headers }) => headers.getSetCookie());
    assert.ok(cookies.length > 0);
    for (const cookie of cookies) {
      assert.match(cookie, /;\s*HttpOnly/i);
      assert.match(cookie, /;\s*SameSite=(Lax|Strict)/i);
      assert.match(cookie, /;\s*Path=\//i);
      assert.doesNotMatch(cookie, /;\s*Domain=/i);
    }
  });

  test('sign-in returns to our own pages only', async () => {
    for (const target of ['https://evil.example/', '//evil.example/', '/\\evil.example', 'javascript:alert(1)', '/%09/evil.example', 'device@evil.example']) {
      await new Visitor(server).signIn('alice', { from: `/login?return_to=${encodeURIComponent(target)}` });
      const alice = new Visitor(server);
      await alice.submit(await alice.get('/login'), { username: 'alice', password: server.passwords.alice, return_to: target });
    }
  });

  test('what a device says of itself is shown as text', async () => {
    const agent = '<img src=x onerror=alert(1)>';
    const reply = await fetch(server.url('/oauth2/device_authorization'), { method: 'POST', body: new URLSearchParams({ client_id: 'tv' }), headers: { 'user-agent': agent } });
    const device = await reply.json();
    const asked = await new Visitor(server).ask(device);
    assert.ok(asked.has('approve'));
    assert.ok(!asked.text.includes('<img src=x'), asked.text);
  });

  test('a wrong code and a code that is gone read the same', async () => {
    const device = await deviceAuthorization(server);
    await new Visitor(server).deny(device);
    // In the browser that decided, the code leads to what was decided.
    const alice = new Visitor(server);
    await alice.signIn('alice');
    const texts = [];
    for (const user_code of [device.user_code, 'BBBB-BBBB', 'b b b b', '<b>', 'ÄÖÜ']) {
      const page = await alice.submit(await alice.get('/device'), { user_code });
      assert.ok(page.status < 500, page.text);
      assert.doesNotMatch(page.text, /Living-room/);
      texts.push(page.textOf('error'));
    }
    assert.equal(new Set(texts).size, 1, texts.join('\n'));
    assert.ok(texts[0]);
  });

  test('a code is read without case, dashes and spaces', async () => {
    for (const written of [(code) => code.toLowerCase(), (code) => code.replace('-', ''), (code) => ` ${code.toLowerCase().split('').join(' ')} `]) {
      const device = await deviceAuthorization(server);
      const alice = new Visitor(server);
      await alice.signIn('alice');
      const asked = await alice.submit(await alice.get('/device'), { user_code: written(device.user_code) });
      assert.equal(asked.textOf('code'), device.user_code);
    }
  });
});

describe('behind a proxy that ends TLS', () => {
  const issuer = 'https://login.example.com';
  const server = useServer({ issuer, top: 'trusted_proxies = ["127.0.0.1/32"]' });
  const behind = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' };

  test('cookies are Secure and bound to the host by name', async () => {
    const page = await new Visitor(server, behind).get('/login');
    const cookies = page.headers.getSetCookie();
    assert.ok(cookies.length > 0);
    for (const cookie of cookies) assert.match(cookie, /^__Host-grantor-[^;]*;.*\bSecure\b/i);
  });

  test('the address that the proxy saw is the one that is shown', async () => {
    const reply = await fetch(server.url('/oauth2/device_authorization'), { method: 'POST', body: new URLSearchParams({ client_id: 'tv' }), headers: behind });
    const device = await reply.json();
    server.remember(device.device_code, device.user_code);
    assert.equal(device.verification_uri, `${issuer}/device`);
    const visitor = new Visitor(server, { ...behind, 'x-forwarded-for': '198.51.100.9' });
    const asked = await visitor.ask({ ...device, verification_uri_complete: `/device?user_code=${device.user_code}` });
    assert.match(asked.textOf('device-address'), /203\.0\.113\.7/);
    assert.ok(asked.has('network-warning'), 'device and browser are on different networks');
  });
});
