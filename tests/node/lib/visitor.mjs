// A person with the plainest of browsers: keeps cookies, follows redirects, fills in the forms that the page really has.
import assert from 'node:assert/strict';

export class Visitor {
  cookies = new Map();
  #server;
  #headers;
  #app;

  constructor(server, headers = {}) {
    this.#server = server;
    this.#headers = headers;
  }

  get(path) {
    return this.request(path);
  }

  /// One page, after at most ten redirects; `page.chain` holds every response on the way, `page.left` the address in the app that it led to.
  async request(path, { method = 'GET', body, headers = {} } = {}) {
    const chain = [];
    let url = new URL(path, this.#server.origin);
    while (chain.length < 10) {
      const response = await fetch(url, { method, body, headers: { ...this.#headers, ...headers, ...this.#cookieHeader() }, redirect: 'manual' });
      this.#keepCookies(response);
      const text = await response.text();
      chain.push({ url: url.href, status: response.status, headers: response.headers, text });
      const location = response.headers.get('location');
      const here = page(url, response, text, chain);
      if (response.status < 300 || response.status > 399 || !location) return here;
      const next = new URL(location, url);
      if (this.#app && next.href.split(/[?#]/)[0] === this.#app.split('?')[0]) return { ...here, left: next };
      assert.equal(next.origin, this.#server.origin, 'a redirect of our own pages stays on our own pages');
      url = next;
      [method, body] = ['GET', undefined];
    }
    throw new Error(`too many redirects: ${chain.map(({ url }) => url).join(' → ')}`);
  }

  /// Sends the form of `page` that holds all of `fields` (or the button of the value `button`), filled in.
  submit(page, fields, { button, headers } = {}) {
    const form = page.forms.find((form) => Object.keys(fields).every((name) => form.names.has(name)) && (!button || form.buttons.has(button)));
    assert.ok(form, `a form with ${Object.keys(fields)} and ${button ?? 'any button'} in\n${page.text}`);
    const values = { ...form.values, ...fields, ...(button ? form.buttons.get(button) : {}) };
    return this.request(new URL(form.action, page.url), { method: form.method, body: new URLSearchParams(values), headers });
  }

  async signIn(username, { password = this.#server.passwords[username], from = '/login' } = {}) {
    return this.submit(await this.get(from), { username, password });
  }

  /// Follows an app's authorization request, doing what is asked on the way, until the app has its answer: `answer` is the address that a browser would
  /// open there, or the `Request` that it would send; `asked` says what was asked: `sign-in`, `consent`.
  async authorize(request, { username = 'alice', decision = 'approve' } = {}) {
    this.#app = new URL(request).searchParams.get('redirect_uri');
    const asked = [];
    let page = await this.get(request);
    if (page.has('password')) {
      asked.push('sign-in');
      page = await this.submit(page, { username, password: this.#server.passwords[username] });
    }
    if (page.has('approve')) {
      asked.push('consent');
      page = await this.submit(page, {}, { button: decision });
    }
    const post = page.forms.find(({ action }) => action === this.#app);
    const answer = page.left ?? (post && new Request(post.action, { method: 'POST', body: new URLSearchParams(post.values) }));
    assert.ok(answer, `an answer for the app, after ${asked.join(', ') || 'nothing'} was asked, not\n${page.text}`);
    return { answer, asked };
  }

  /// Follows an app's request to sign out, confirming it where that is asked; the address in the app, or `undefined` where the browser stays with us.
  async signOut(request) {
    this.#app = new URL(request).searchParams.get('post_logout_redirect_uri') ?? undefined;
    let page = await this.get(request);
    if (page.has('sign-out')) page = await this.submit(page, {}, { button: 'sign-out' });
    return page.left;
  }

  /// From a device's answer to the page that asks, signing in on the way.
  async ask(device, username = 'alice') {
    let asked = await this.get(device.verification_uri_complete);
    if (asked.has('password')) asked = await this.submit(asked, { username, password: this.#server.passwords[username] });
    if (asked.has('continue')) asked = await this.submit(asked, { user_code: device.user_code });
    return asked;
  }

  async decide(device, decision, username = 'alice') {
    const asked = await this.ask(device, username);
    assert.ok(asked.has(decision), `the page that asks\n${asked.text}`);
    const done = await this.submit(asked, {}, { button: decision });
    assert.ok(done.has('done'), `the page that says it is done\n${done.text}`);
    return done;
  }

  approve(device, username) {
    return this.decide(device, 'approve', username);
  }

  deny(device, username) {
    return this.decide(device, 'deny', username);
  }

  #cookieHeader() {
    return this.cookies.size ? { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') } : {};
  }

  #keepCookies(response) {
    for (const cookie of response.headers.getSetCookie()) {
      const [pair, ...attributes] = cookie.split(/;\s*/);
      const at = pair.indexOf('=');
      const gone = attributes.some((attribute) => /^max-age=0$/i.test(attribute));
      if (gone) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
      if (!gone) this.#server.remember(pair.slice(at + 1));
    }
  }
}

function page(url, response, text, chain) {
  return {
    url: url.href,
    status: response.status,
    headers: response.headers,
    text,
    chain,
    forms: forms(text),
    /// Whether it has an element with this id, or a button of this value.
    has: (name) => text.includes(` id="${name}"`) || new RegExp(`<button\\b[^>]*\\svalue="${name}"`).test(text),
    textOf: (id) => decoded(new RegExp(`<(\\w+)[^>]*\\sid="${id}"[^>]*>([\\s\\S]*?)</\\1>`).exec(text)?.[2].replace(/<[^>]*>/g, '') ?? '').trim(),
  };
}

function forms(text) {
  return [...text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, tag, inner]) => {
    const form = { action: attributes(tag).action ?? '', method: (attributes(tag).method ?? 'GET').toUpperCase(), values: {}, names: new Set(), buttons: new Map() };
    for (const [, tag] of inner.matchAll(/<input\b([^>]*)>/g)) {
      const { name, value = '', type } = attributes(tag);
      if (!name || type === 'submit') continue;
      form.names.add(name);
      form.values[name] = value;
    }
    for (const [, tag] of inner.matchAll(/<button\b([^>]*)>/g)) {
      const { name, value } = attributes(tag);
      if (name) form.buttons.set(value, { [name]: value });
    }
    return form;
  });
}

function attributes(tag) {
  return Object.fromEntries([...tag.matchAll(/([\w-]+)(?:="([^"]*)")?/g)].map(([, name, value = '']) => [name, decoded(value)]));
}

function decoded(text) {
  const named = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) =>
    hex ? String.fromCodePoint(parseInt(hex, 16)) : decimal ? String.fromCodePoint(Number(decimal)) : (named[name] ?? whole));
}
