// The configuration that the black box tests run against: one of each kind of client, three people. Secrets are drawn anew for each server, so that a
// log can be searched for them.
import { randomBytes } from 'node:crypto';

const secret = () => randomBytes(24).toString('base64url');

/// Characters that Basic must carry form-encoded (RFC 6749 2.3.1), or as they are in a form.
const awkwardSecret = () => `a:b+c%20&=/ ${secret()}`;

export const APP_SCOPE = 'openid profile email orders.example.com/read';
export const DEVICE_SCOPE = 'openid profile email offline_access orders.example.com/read';

/// Passwords by user name, secrets by client id.
export const credentials = () => ({
  passwords: { alice: secret(), bob: secret(), carol: secret() },
  secrets: { console: awkwardSecret(), web: awkwardSecret(), orders: secret(), billing: secret() },
});

/// `extra` is TOML: `top` before the first table, `device` inside [device], `tables` at the end.
export function toml({ origin, issuer = origin, passwords, secrets, top = '', device = '', tables = '' }) {
  const text = (value) => JSON.stringify(value);
  return `
issuer = ${text(issuer)}
listen = ${text(new URL(origin).host)}
store = "sqlite:grantor.db"
key_file = "grantor.key"
${top}

[device]
interval = "1s"
${device}

[[resource]]
identifier = "orders.example.com"
scopes = { read = "Read orders", write = "Change orders" }

[[resource]]
identifier = "billing.example.com"
scopes = { read = "Read bills" }
token = "sealed"

[[client]]
id = "tv"
name = "Living-room TV"
grants = ["device_code", "refresh_token"]
scopes = ["openid", "profile", "email", "offline_access", "orders.example.com/read"]

[[client]]
id = "tv2"
name = "Kitchen TV"
grants = ["device_code", "refresh_token"]
scopes = ["openid", "profile", "orders.example.com/read"]

[[client]]
id = "console"
name = "Games console"
secret = ${text(secrets.console)}
grants = ["device_code", "refresh_token"]
scopes = ["openid", "profile", "email", "offline_access", "orders.example.com/read"]

[[client]]
id = "web"
name = "Web shop"
secret = ${text(secrets.web)}
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "offline_access", "orders.example.com/read"]
redirect_uris = ["https://shop.example.com/callback"]
post_logout_redirect_uris = ["https://shop.example.com/bye"]

[[client]]
id = "app"
name = "Phone app"
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "offline_access", "orders.example.com/read"]
redirect_uris = ["http://127.0.0.1/callback", "https://app.example.com/callback"]
post_logout_redirect_uris = ["https://app.example.com/bye"]

[[client]]
id = "orders"
name = "Orders"
secret = ${text(secrets.orders)}
grants = ["client_credentials"]
scopes = ["orders.example.com/read", "orders.example.com/write"]
resources = ["orders.example.com"]

[[client]]
id = "billing"
name = "Billing"
secret = ${text(secrets.billing)}
grants = ["client_credentials"]
scopes = ["billing.example.com/read"]
resources = ["billing.example.com"]

[[user]]
username = "alice"
password = ${text(passwords.alice)}
email = "alice@example.com"
claims = { given_name = "Alice", name = "Alice Example" }

[[user]]
username = "bob"
password = ${text(passwords.bob)}
email = "bob@example.com"

[[user]]
username = "carol"
password = ${text(passwords.carol)}
enabled = false
${tables}`;
}
