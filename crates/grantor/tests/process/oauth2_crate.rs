//! The crate `oauth2`, unmodified, over its own HTTP client: every call of it that Grantor has an endpoint for.

use std::cell::RefCell;
use std::collections::BTreeMap;

use oauth2::basic::{
    BasicClient, BasicErrorResponseType, BasicTokenIntrospectionResponse, BasicTokenResponse,
};
use oauth2::{
    AccessToken, AsyncHttpClient as _, AuthType, ClientId, ClientSecret, DeviceAuthorizationUrl,
    EndpointNotSet, EndpointSet, HttpRequest, IntrospectionUrl, RefreshToken, RequestTokenError,
    RevocationUrl, Scope, StandardDeviceAuthorizationResponse, StandardRevocableToken,
    TokenIntrospectionResponse as _, TokenResponse as _, TokenUrl, reqwest,
};

use crate::home::Home;

const SECRET: &str = "a secret: of + awkward % characters, long enough";
const PASSWORD: &str = "correct horse battery staple";
const READ: &str = "orders.example.com/read";

type Client = BasicClient<EndpointNotSet, EndpointSet, EndpointSet, EndpointSet, EndpointSet>;

#[tokio::test]
async fn a_machine_by_basic_and_by_the_body_gets_introspects_and_revokes_a_token() {
    let home = home();
    let _server = home.serve();
    for how in [AuthType::BasicAuth, AuthType::RequestBody] {
        let orders = orders(&home).set_auth_type(how);
        let request = orders
            .exchange_client_credentials()
            .add_scope(Scope::new(READ.to_owned()));
        let tokens = request.request_async(&http()).await.expect("a token");
        assert!(tokens.refresh_token().is_none());
        assert_eq!(scopes(&tokens), [READ]);

        let told = introspected(&orders, tokens.access_token()).await;
        assert!(told.active());
        assert_eq!(told.client_id().map(|id| id.as_str()), Some("orders"));
        assert_eq!(told.aud(), Some(&vec!["orders.example.com".to_owned()]));

        revoke(&orders, tokens.access_token().clone().into()).await;
        assert!(!introspected(&orders, tokens.access_token()).await.active());
    }
}

#[tokio::test]
async fn a_device_waits_and_gets_refreshes_and_revokes_its_tokens() {
    let home = home();
    let _server = home.serve();
    home.ready();
    let tv = client(&home, "tv");
    let device: StandardDeviceAuthorizationResponse = tv
        .exchange_device_code()
        .add_scopes(["openid", READ].map(|scope| Scope::new(scope.to_owned())))
        .request_async(&http())
        .await
        .expect("codes");

    // The crate asks at once, is told to wait, and waits: this is when the person comes.
    let waits = RefCell::new(0);
    let approve = |_interval| {
        *waits.borrow_mut() += 1;
        approve(&home, device.user_code().secret())
    };
    let first = tv
        .exchange_device_access_token(&device)
        .request_async(&http(), approve, None)
        .await
        .expect("tokens");
    assert_eq!(waits.into_inner(), 1);
    assert_eq!(scopes(&first), ["openid", READ]);

    let second = refreshed(&tv, refresh_token(&first)).await.expect("tokens");
    assert_ne!(
        refresh_token(&second).secret(),
        refresh_token(&first).secret()
    );
    // A client that lost the answer asks again, and gets the same successor.
    let again = refreshed(&tv, refresh_token(&first)).await.expect("tokens");
    assert_eq!(
        refresh_token(&again).secret(),
        refresh_token(&second).secret()
    );

    let orders = orders(&home);
    assert!(introspected(&orders, second.access_token()).await.active());
    revoke(&tv, refresh_token(&second).clone().into()).await;
    assert!(!introspected(&orders, second.access_token()).await.active());
    assert_eq!(
        refreshed(&tv, refresh_token(&second)).await.err(),
        Some(BasicErrorResponseType::InvalidGrant)
    );
}

/// A server with a device, a machine, and a person.
fn home() -> Home {
    Home::new(&format!(
        "store = \"memory:\"\n\
         [[resource]]\nidentifier = \"orders.example.com\"\nscopes = {{ read = \"Read orders\" }}\n\
         [[client]]\nid = \"tv\"\ngrants = [\"device_code\", \"refresh_token\"]\nscopes = [\"openid\", \"{READ}\"]\n\
         [[client]]\nid = \"orders\"\nsecret = \"{SECRET}\"\ngrants = [\"client_credentials\"]\n\
         scopes = [\"{READ}\"]\nresources = [\"orders.example.com\"]\n\
         [[user]]\nusername = \"alice\"\npassword = \"{PASSWORD}\"\n"
    ))
}

fn orders(home: &Home) -> Client {
    client(home, "orders").set_client_secret(ClientSecret::new(SECRET.to_owned()))
}

fn client(home: &Home, id: &str) -> Client {
    let at = |path: &str| format!("http://{}{path}", home.address);
    let token = TokenUrl::new(at("/oauth2/token"));
    let device = DeviceAuthorizationUrl::new(at("/oauth2/device_authorization"));
    let introspection = IntrospectionUrl::new(at("/oauth2/introspect"));
    // The crate revokes by https alone; see `revoke`.
    let revocation = RevocationUrl::new(at("/oauth2/revoke").replacen("http", "https", 1));
    BasicClient::new(ClientId::new(id.to_owned()))
        .set_token_uri(token.expect("a URL"))
        .set_device_authorization_url(device.expect("a URL"))
        .set_introspection_url(introspection.expect("a URL"))
        .set_revocation_url(revocation.expect("a URL"))
}

fn http() -> reqwest::Client {
    #[expect(
        clippy::disallowed_methods,
        reason = "the crate brings another version of reqwest"
    )]
    let builder = reqwest::Client::builder();
    let builder = builder.redirect(reqwest::redirect::Policy::none());
    builder.build().expect("an HTTP client")
}

async fn introspected(client: &Client, token: &AccessToken) -> BasicTokenIntrospectionResponse {
    let answer = client.introspect(token).request_async(&http()).await;
    answer.expect("an answer")
}

async fn revoke(client: &Client, token: StandardRevocableToken) {
    let http = http();
    // In the place of the proxy that ends TLS.
    let without_tls = |mut request: HttpRequest| {
        let uri = request.uri().to_string().replacen("https", "http", 1);
        *request.uri_mut() = uri.parse().expect("a URI");
        http.call(request)
    };
    let request = client.revoke_token(token).expect("an https endpoint");
    request.request_async(&without_tls).await.expect("revoked");
}

async fn refreshed(
    client: &Client,
    token: &RefreshToken,
) -> Result<BasicTokenResponse, BasicErrorResponseType> {
    let request = client.exchange_refresh_token(token);
    request
        .request_async(&http())
        .await
        .map_err(|why| match why {
            RequestTokenError::ServerResponse(response) => response.error().clone(),
            other => panic!("{other}"),
        })
}

fn refresh_token(tokens: &BasicTokenResponse) -> &RefreshToken {
    tokens.refresh_token().expect("a refresh token")
}

fn scopes(tokens: &BasicTokenResponse) -> Vec<&str> {
    let mut scopes: Vec<&str> = tokens
        .scopes()
        .expect("scopes")
        .iter()
        .map(|scope| scope.as_str())
        .collect();
    scopes.sort_unstable();
    scopes
}

/// The person: signs in, types the code, approves.
async fn approve(home: &Home, user_code: &str) {
    let mut person = Person {
        origin: format!("http://{}", home.address),
        http: http(),
        cookies: BTreeMap::new(),
        location: None,
    };
    let page = person.get("/login").await;
    let sign_in = [("username", "alice"), ("password", PASSWORD)];
    person
        .post("/login", &page, &["form_token"], &sign_in)
        .await;
    let page = person.get("/device").await;
    let page = person
        .post(
            "/device",
            &page,
            &["form_token"],
            &[("user_code", user_code)],
        )
        .await;
    let hidden = ["form_token", "grant"];
    let decision = [("decision", "approve")];
    person
        .post("/device/decision", &page, &hidden, &decision)
        .await;
    let decided = person.location.take().expect("where it is said");
    let page = person.get(&decided).await;
    assert!(page.contains("id=\"done\""), "{page}");
}

/// A browser that keeps cookies and fills in forms.
struct Person {
    origin: String,
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
    /// Where the last answer leads.
    location: Option<String>,
}

impl Person {
    async fn get(&mut self, path: &str) -> String {
        self.send(self.http.get(self.origin.clone() + path)).await
    }

    /// Sends what the page's hidden fields of these names hold, and what was typed.
    async fn post(
        &mut self,
        path: &str,
        page: &str,
        hidden: &[&str],
        typed: &[(&str, &str)],
    ) -> String {
        let hidden = hidden.iter().map(|name| (*name, field(page, name)));
        let form: Vec<_> = hidden.chain(typed.iter().copied()).collect();
        let request = self.http.post(self.origin.clone() + path).form(&form);
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> String {
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = request.header("cookie", cookies.join("; "));
        let answer = request.send().await.expect("an answer");
        for set in answer.headers().get_all("set-cookie") {
            let set = set.to_str().expect("text").split(';').next();
            let (name, value) = set.and_then(|set| set.split_once('=')).expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = answer.headers().get("location");
        self.location = location.map(|to| to.to_str().expect("text").to_owned());
        answer.text().await.expect("a page")
    }
}

/// The value of a hidden field.
fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let value = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .and_then(|(_, rest)| rest.split_once('"'));
    value
        .unwrap_or_else(|| panic!("no field {name} in\n{page}"))
        .0
}
