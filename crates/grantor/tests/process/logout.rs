//! An app learns from the running server that its user has signed out.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use grantor_jose::{Jwks, KeySet, KeyState, TokenType};
use serde_json::Value as Json;

use crate::home::Home;

const REQUEST: &str = "/oauth2/authorize?client_id=shop&response_type=code&scope=openid\
    &redirect_uri=https%3A%2F%2Fshop.example%2Fcb&code_challenge_method=S256\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Takes one request, answers it, and gives its body.
fn take(listener: &TcpListener) -> String {
    let (stream, _) = listener.accept().expect("a request");
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a head");
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a number");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let mut stream: TcpStream = reader.into_inner();
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes()).expect("it reads");
    String::from_utf8(body).expect("text")
}

#[test]
fn a_running_server_notifies_apps_of_logout() {
    let shop = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = shop.local_addr().expect("an address");
    let home = Home::new(&format!(
        "[[client]]\nid = \"shop\"\nsecret = \"0123456789abcdefghijklmnop\"\n\
         grants = [\"authorization_code\"]\nscopes = [\"openid\"]\nconsent = \"skip\"\n\
         redirect_uris = [\"https://shop.example/cb\"]\n\
         backchannel_logout_uri = \"http://{address}/logout?x=1\"\n\
         [[user]]\nusername = \"alice\"\npassword = \"correct horse\"\n"
    ));
    let server = home.serve();
    home.ready();
    home.come_and_go("alice", "correct horse", REQUEST);
    let body = take(&shop);

    let jwks = home.json("/.well-known/jwks.json");
    let keys = serde_json::from_value::<Jwks>(jwks).expect("keys").keys;
    let keys = keys.into_iter().map(|key| (key, KeyState::Retiring));
    let keys = KeySet::new(keys).expect("keys");
    let token = body.strip_prefix("logout_token=").expect("the one field");
    let token = grantor_jose::decode(token).expect("a JWT");
    assert!(TokenType::Logout.is(token.header().typ.as_deref()));
    let token = keys.verify(token).expect("signed by a published key");
    let claims: Json = token.claims().expect("claims");
    assert_eq!(claims["aud"], "shop");
    assert_eq!(claims["iss"], format!("http://{}", home.address));
    assert!(claims.get("nonce").is_none());

    // The token is in no log.
    let ended = server.end("TERM");
    assert!(!ended.stderr.contains(&body[13..60]), "{}", ended.stderr);
}
