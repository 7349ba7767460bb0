//! Parts of requests: forms, credentials, scopes, user codes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grantor_core::base::params::{MAX_BYTES, Params};
use grantor_core::client_auth::Credentials;
use grantor_core::model::scope::Scope;
use grantor_core::model::user_code::UserCodeFormat;
use url::form_urlencoded;

/// A parsed form has the values that another form parser finds in it, and repeats only the parameters that may be repeated.
pub fn params(input: &[u8]) {
    let Ok(params) = Params::parse(input) else {
        return;
    };
    assert!(input.len() <= MAX_BYTES);
    let pairs: Vec<_> = form_urlencoded::parse(input).collect();
    for (name, _) in &pairs {
        let theirs: Vec<_> = pairs
            .iter()
            .filter(|(other, value)| other == name && !value.is_empty())
            .map(|(_, value)| &**value)
            .collect();
        let ours: Vec<_> = params.all(name).collect();
        assert_eq!(ours, theirs, "the values of {name:?}");
        assert!(!ours.iter().any(|value| value.chars().any(char::is_control)));
        assert!(ours.len() <= 1 || ["resource", "audience"].contains(&&**name));
    }
}

/// Parsed credentials are parsed as the same from the header that a client would send for them.
pub fn basic(input: &[u8]) {
    let empty_form =
        || Params::parse(b"").unwrap_or_else(|_| unreachable!("an empty form is valid"));
    let Ok(Credentials::Basic { client_id, secret }) =
        Credentials::parse(Some(input), &empty_form())
    else {
        return;
    };
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(&client_id), encode(secret.reveal()));
    let header = format!("Basic {}", STANDARD.encode(pair));
    match Credentials::parse(Some(header.as_bytes()), &empty_form()) {
        Ok(Credentials::Basic {
            client_id: client_id_again,
            secret: secret_again,
        }) => {
            assert_eq!(client_id_again, client_id);
            assert_eq!(secret_again.reveal(), secret.reveal());
        }
        other => panic!("the same credentials are parsed as {other:?}"),
    }
    assert!(!client_id.chars().any(char::is_control));
}

/// A parsed scope has one textual form, which is parsed as the same scope.
pub fn scope(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(scope) = text.parse::<Scope>() else {
        return;
    };
    let written = scope.to_string();
    let again: Scope = written
        .parse()
        .unwrap_or_else(|_| panic!("{written:?} is not parsed"));
    assert_eq!(again, scope);
    assert_eq!(again.to_string(), written);
    assert!(scope.is_within(&again) && scope.intersection(&again) == scope);
    assert!(written.len() <= text.len());
    let mut tokens: Vec<_> = text.split(' ').filter(|token| !token.is_empty()).collect();
    assert!(tokens.iter().all(|token| scope.contains(token)));
    // RFC 6749 section 3.3: "their order does not matter".
    tokens.reverse();
    assert_eq!(tokens.join(" ").parse(), Ok(scope));
}

/// A parsed user code is parsed as the same from the form that is displayed, in either case and with spaces for dashes.
pub fn user_code(input: &[u8]) {
    let (Some((which, typed)), formats) = (input.split_first(), ["B", "#", "A#", "B!"]) else {
        return;
    };
    let Ok(typed) = std::str::from_utf8(typed) else {
        return;
    };
    let classes = formats[usize::from(*which) % formats.len()];
    let format = UserCodeFormat::new(classes, 12).unwrap_or_else(|why| panic!("{classes}: {why}"));
    let Some(code) = format.read(typed) else {
        return;
    };
    let length = code.normalized().chars().count();
    assert!((12..=32).contains(&length));
    let displayed = code.formatted();
    for written in [
        &displayed,
        &displayed.to_lowercase(),
        &displayed.replace('-', " "),
    ] {
        assert!(format.read(written).as_ref() == Some(&code), "{written:?}");
    }
}
