// OAuth requests as any program would send them, and what every answer must look like.
import assert from 'node:assert/strict';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/// RFC 6749 2.3.1: id and secret are form-encoded, then joined by a colon.
export function basic(id, secret) {
  const encoded = (text) => new URLSearchParams([['', text]]).toString().slice(1);
  return `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64')}`;
}

/// Posts a form; remembers the secrets of question and answer, which must not reach the log.
export async function post(server, path, form, headers = {}) {
  const body = new URLSearchParams(form);
  const response = await fetch(server.url(path), { method: 'POST', body, headers, redirect: 'manual' });
  return await answer(server, response);
}

export async function answer(server, response) {
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  const json = type.startsWith('application/json') && text ? JSON.parse(text) : undefined;
  for (const name of ['access_token', 'refresh_token', 'id_token', 'device_code']) server.remember(json?.[name]);
  if (json?.user_code) server.remember(json.user_code, json.user_code.replaceAll('-', ''));
  return { status: response.status, headers: response.headers, text, json };
}

/// Clients by id: how each shows who it is.
export function as(server, id) {
  const secret = server.secrets[id];
  return secret === undefined ? { form: { client_id: id }, headers: {} } : { form: {}, headers: { authorization: basic(id, secret) } };
}

export async function deviceAuthorization(server, id = 'tv', form = {}) {
  const client = as(server, id);
  const reply = await post(server, '/oauth2/device_authorization', { ...client.form, ...form }, client.headers);
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

export function poll(server, deviceCode, id = 'tv') {
  const client = as(server, id);
  return post(server, '/oauth2/token', { ...client.form, grant_type: DEVICE_GRANT, device_code: deviceCode }, client.headers);
}

export function refresh(server, refreshToken, id = 'tv', form = {}) {
  const client = as(server, id);
  return post(server, '/oauth2/token', { ...client.form, grant_type: 'refresh_token', refresh_token: refreshToken, ...form }, client.headers);
}

export async function introspect(server, token, id = 'orders') {
  const client = as(server, id);
  const reply = await post(server, '/oauth2/introspect', { ...client.form, token }, client.headers);
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

export function revoke(server, token, id = 'tv') {
  const client = as(server, id);
  return post(server, '/oauth2/revoke', { ...client.form, token }, client.headers);
}

export async function clientCredentials(server, id = 'orders', form = {}) {
  const client = as(server, id);
  const reply = await post(server, '/oauth2/token', { ...client.form, grant_type: 'client_credentials', ...form }, client.headers);
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

/// The characters that RFC 6749 5.2 allows in `error` and `error_description`.
const ERROR_TEXT = /^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/;

/// An OAuth error that explains itself: status, code, text, the place to read about it and the id under which the operator finds it.
/// A client that names itself in the body gets no challenge with its 401; `inBody` is null where the form leaves that open.
export function assertOAuthError(reply, status, code, what = '', inBody = false) {
  const context = `${what}\n${reply.status} ${reply.text}`;
  assert.equal(reply.status, status, context);
  assert.match(reply.headers.get('content-type') ?? '', /^application\/json/, context);
  assert.match(reply.headers.get('cache-control') ?? '', /no-store/, context);
  const { error, error_description, error_uri, trace_id } = reply.json;
  if (code !== undefined) assert.equal(error, code, context);
  assert.match(error, ERROR_TEXT, context);
  assert.match(error_description, ERROR_TEXT, context);
  assert.ok(error_description.length > 0, context);
  assert.match(error_uri, /^https?:\/\//, context);
  assert.match(trace_id, /^[0-9a-f]{32}$/, context);
  if (status === 401 && inBody !== null) assert.equal(reply.headers.has('www-authenticate'), !inBody, context);
}
