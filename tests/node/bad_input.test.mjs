// Whatever is sent, the answer is an OAuth error with its status: never a panic, never a 500, and nothing of the input in it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { exchange, rawPost } from './lib/raw.mjs';
import { useServer } from './lib/server.mjs';
import { Visitor } from './lib/visitor.mjs';
import { answer, assertOAuthError, basic, deviceAuthorization, post } from './lib/wire.mjs';

const server = useServer();
const ENDPOINTS = ['/oauth2/token', '/oauth2/device_authorization', '/oauth2/introspect', '/oauth2/revoke'];

/// What is wrong with the form, and the answer to it at every endpoint that takes one.
const FORMS = [
  ['an empty body', '', [400, 401]],
  ['no name', '=x&=y', [400, 401]],
  ['a repeated parameter', 'client_id=tv&client_id=tv&grant_type=refresh_token&token=x', 400, 'invalid_request'],
  ['a repeated unknown parameter', 'client_id=tv&zzz=1&zzz=2&grant_type=refresh_token&token=x', [400, 401, 200]],
  ['a repeated credential', 'client_id=orders&client_secret=a&client_secret=b&token=x', 400, 'invalid_request'],
  ['a NUL byte', 'client_id=t%00v&token=x', [400, 401]],
  ['a raw NUL byte', Buffer.from('client_id=t\0v&token=x'), [400, 401]],
  ['NUL in a value that is looked up', 'client_id=tv&grant_type=refresh_token&refresh_token=a%00b&token=a%00b', [400, 401]],
  ['escaped bytes that are no UTF-8', 'client_id=%ff%fe&token=x', 400, 'invalid_request'],
  ['raw bytes that are no UTF-8', Buffer.from([...Buffer.from('client_id='), 0xff, 0xfe]), 400, 'invalid_request'],
  ['an overlong encoding', 'client_id=%c0%af&token=x', 400, 'invalid_request'],
  ['a broken escape', 'client_id=%zz&token=x%', [400, 401]],
  ['line breaks', 'client_id=tv%0d%0aSet-Cookie:x=y&token=x', [400, 401]],
  ['a thousand parameters', Array.from({ length: 1000 }, (_, at) => `p${at}=1`).join('&'), [400, 401]],
  ['a long value', `client_id=${'x'.repeat(20_000)}&token=x`, [400, 401, 413]],
  ['markup', 'client_id=%3Cscript%3Ealert(1)%3C/script%3E&token=x', [400, 401]],
];

for (const endpoint of ENDPOINTS) {
  for (const [what, body, status, code] of FORMS) {
    test(`${endpoint}: ${what}`, async () => {
      const reply = await rawPost(server, endpoint, body);
      const allowed = [status].flat();
      assert.ok(allowed.includes(reply.status), `${reply.status} ${reply.text}`);
      if (reply.status >= 400) assertOAuthError(reply, reply.status, code, what, null);
      assert.doesNotMatch(reply.text, /<script|Set-Cookie|xxxx|\u0000/, 'nothing of the input comes back');
    });
  }

  test(`${endpoint}: a body that is too large is refused`, async () => {
    for (const size of [64 << 10, 256 << 10]) {
      const reply = await rawPost(server, endpoint, `client_id=tv&pad=${'x'.repeat(size)}`);
      assertOAuthError(reply, 413, 'invalid_request', `${size} bytes`);
    }
  });

  test(`${endpoint}: a flood is cut off, with or without an answer`, async () => {
    const reply = await rawPost(server, endpoint, `client_id=tv&pad=${'x'.repeat(32 << 20)}`);
    assert.ok([0, 413].includes(reply.status), reply.text);
  });

  test(`${endpoint}: a body that says it is too large is refused before it comes`, async () => {
    const head = `POST ${endpoint} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 99999999999\r\n\r\n`;
    assertOAuthError(await exchange(server, head), 413, 'invalid_request');
  });

  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', undefined]) {
    test(`${endpoint}: content type ${type ?? 'missing'}`, async () => {
      const body = type === 'application/json' ? '{"client_id":"tv"}' : 'client_id=tv&grant_type=refresh_token&token=x';
      const reply = await rawPost(server, endpoint, body, { 'content-type': type });
      assert.ok([400, 415].includes(reply.status), reply.text);
      assertOAuthError(reply, reply.status, 'invalid_request');
    });
  }

  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD']) {
    test(`${endpoint}: ${method} is not allowed`, async () => {
      const reply = await answer(server, await fetch(server.url(endpoint), { method }));
      assert.equal(reply.status, 405, reply.text);
      assert.match(reply.headers.get('allow') ?? '', /\bPOST\b/);
      if (method !== 'HEAD') assertOAuthError(reply, 405, 'invalid_request');
    });
  }

  // RFC 6749 2.3.1: "The parameters can only be transmitted in the request-body and MUST NOT be included in the request URI."
  test(`${endpoint}: secrets in the address are refused, even beside good ones in their place`, async () => {
    const secret = server.secrets.orders;
    for (const query of [`client_secret=${secret}`, 'token=x', 'refresh_token=x', 'device_code=x']) {
      const reply = await post(server, `${endpoint}?${query}`, { grant_type: 'client_credentials', token: 'x' }, { authorization: basic('orders', secret) });
      assertOAuthError(reply, 400, 'invalid_request', query);
    }
  });
}

test('a grant type that is unknown, or that is not there', async () => {
  for (const [grant_type, code] of [['nope', 'unsupported_grant_type'], ['password', 'unsupported_grant_type'], ['urn:x', 'unsupported_grant_type'], ['', 'invalid_request']]) {
    assertOAuthError(await post(server, '/oauth2/token', { client_id: 'tv', grant_type }), 400, code, grant_type);
  }
  assertOAuthError(await post(server, '/oauth2/token', { client_id: 'tv' }), 400, 'invalid_request');
});

test('a device code, refresh token or token that is not there', async () => {
  const device = 'urn:ietf:params:oauth:grant-type:device_code';
  for (const form of [{ grant_type: device }, { grant_type: device, device_code: '' }, { grant_type: 'refresh_token' }, { grant_type: 'refresh_token', refresh_token: '' }]) {
    assertOAuthError(await post(server, '/oauth2/token', { client_id: 'tv', ...form }), 400, 'invalid_request', JSON.stringify(form));
  }
  assertOAuthError(await post(server, '/oauth2/revoke', { client_id: 'tv' }), 400, 'invalid_request');
  assertOAuthError(await post(server, '/oauth2/introspect', {}, { authorization: basic('orders', server.secrets.orders) }), 400, 'invalid_request');
});

test('authorization headers that are malformed', async () => {
  const headers = ['Basic', 'Basic ', 'Basic =', 'Basic //8=', 'Basic AAA', 'Bearer x', 'Digest x', `Basic ${'A'.repeat(20_000)}`, 'Basic dHY6JTAw', 'Basic JWZmOng='];
  for (const authorization of headers) {
    const reply = await rawPost(server, '/oauth2/token', 'grant_type=client_credentials', { authorization });
    assert.ok([400, 401, 431].includes(reply.status), `${authorization.slice(0, 40)}: ${reply.status} ${reply.text}`);
    if (reply.status !== 431) assertOAuthError(reply, reply.status);
  }
});

test('requests that are hardly HTTP end with 4xx or a closed connection, and the server goes on', async () => {
  const host = 'host: x\r\nconnection: close\r\n';
  const form = 'content-type: application/x-www-form-urlencoded\r\n';
  const requests = [
    'nonsense\r\n\r\n',
    `POST /oauth2/token HTTP/9.9\r\n${host}\r\n`,
    `POST /oauth2/token HTTP/1.1\r\n${host}${form}content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef`,
    `POST /oauth2/token HTTP/1.1\r\n${host}${form}content-length: -1\r\n\r\n`,
    `POST /oauth2/token HTTP/1.1\r\n${host}${form}transfer-encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n`,
    `POST /oauth2/token HTTP/1.1\r\n${host}${form}transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n`,
    `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`,
    `GET / HTTP/1.1\r\n${host}${'x: y\r\n'.repeat(1000)}\r\n`,
    `GET /%00%ff/../../etc/passwd HTTP/1.1\r\n${host}\r\n`,
    `GET /device?user_code=%ff%00 HTTP/1.1\r\n${host}\r\n`,
    `GET /assets/../../../etc/passwd HTTP/1.1\r\n${host}\r\n`,
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]),
  ];
  for (const bytes of requests) {
    const reply = await exchange(server, Buffer.concat([Buffer.from(bytes), Buffer.from('\r\n\r\n')]));
    assert.ok(reply.status < 500, `${String(bytes).slice(0, 60)}: ${reply.status} ${reply.text}`);
    assert.ok(!reply.text.includes('root:'), reply.text);
  }
  assert.equal((await fetch(server.url('/healthz'))).status, 200);
});

test('pages answer bad forms with pages, never with a 500', async () => {
  const visitor = new Visitor(server);
  const asked = await visitor.ask(await deviceAuthorization(server));
  const decision = asked.forms.find(({ buttons }) => buttons.has('approve')).action;
  for (const path of ['/login', '/device', decision, '/logout']) {
    for (const body of ['', 'form_token=%00', 'form_token=x&form_token=y', Buffer.from([0xff]), `user_code=${'B'.repeat(30_000)}`, 'a=%zz']) {
      const reply = await rawPost(server, path, body);
      // A form without its token does nothing, and leads to where it was going.
      if (reply.status === 303) assert.match(reply.headers.get('location'), /^\/(device|logout)/);
      else {
        assert.ok(reply.status >= 400 && reply.status < 500, `${path} ${String(body).slice(0, 40)}: ${reply.status}`);
        assert.match(reply.headers.get('content-type'), /^text\/html/);
      }
    }
  }
});

test('a thousand forms made of broken pieces: always a protocol answer', async () => {
  const random = draws(20261121);
  const { device_code } = await deviceAuthorization(server);
  const names = ['client_id', 'client_secret', 'grant_type', 'device_code', 'refresh_token', 'scope', 'token', 'token_type_hint', 'resource', 'zzz', ''];
  const values = ['tv', 'orders', 'client_credentials', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code', device_code, 'openid', '', '%', '%00', '%ff', '+', '%F0%9F%98%80', 'a%0ab', 'x'.repeat(300)];
  const pick = (list) => list[random() % list.length];
  const one = async (at) => {
    const body = Array.from({ length: random() % 7 }, () => `${pick(names)}${pick(['=', '=', '=', '', '=='])}${pick(values)}`).join(pick(['&', '&', '&', '&&', ';']));
    const reply = await rawPost(server, pick(ENDPOINTS), body);
    assert.ok(reply.status < 500, `${at}: ${body}: ${reply.status} ${reply.text}`);
    if (reply.status >= 400) assertOAuthError(reply, reply.status, undefined, body, null);
  };
  for (let at = 0; at < 1000; at += 50) await Promise.all(Array.from({ length: 50 }, (_, offset) => one(at + offset)));
});

/// A repeatable sequence (an xorshift).
function draws(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
