// HTTP without a client library in between, for what no client library would send; and many requests at once over few connections.
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';

/// Sends these bytes and reads until the server closes. An answer that comes before all was sent counts, a reset does not undo it.
export async function exchange(server, bytes) {
  const { hostname, port } = new URL(server.origin);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const chunks = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.setTimeout(20_000, () => socket.destroy());
  socket.write(bytes);
  await closed;
  return parsed(Buffer.concat(chunks).toString('utf8'));
}

/// A request of which every byte is given: `body` is a string or a Buffer.
export function rawPost(server, path, body, headers = {}) {
  const bytes = Buffer.from(body);
  const lines = { host: new URL(server.origin).host, connection: 'close', 'content-type': 'application/x-www-form-urlencoded', 'content-length': bytes.length, ...headers };
  const head = Object.entries(lines).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return exchange(server, Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head}\r\n`, 'latin1'), bytes]));
}

function parsed(text) {
  const [head, ...rest] = text.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = new Headers();
  for (const field of fields) headers.append(field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1).trim());
  const body = rest.join('\r\n\r\n');
  const json = headers.get('content-type')?.startsWith('application/json') && body ? JSON.parse(body) : undefined;
  return { status: Number(line.split(' ')[1] ?? 0), headers, text: body, json };
}

/// `count` requests, at most `connections` at a time, each over a connection that is kept: how often each status came.
export async function storm(server, { count, connections = 64, make }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const statuses = new Map();
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const { path, form, headers = {} } = make(next++);
      const status = await send(agent, server, path, new URLSearchParams(form).toString(), headers);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  return statuses;
}

function send(agent, server, path, body, headers) {
  return new Promise((resolve, reject) => {
    const fields = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body), ...headers };
    const outgoing = request(server.url(path), { agent, method: 'POST', headers: fields }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    });
    outgoing.once('error', reject).end(body);
  });
}
