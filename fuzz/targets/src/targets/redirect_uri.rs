//! Redirect URIs.

use grantor_core::model::redirect_uri::RedirectUri;
use url::Url;

/// Two lines: what is registered, and what is asked for. What is accepted leads a browser to the same place, but for
/// the port of this machine.
pub fn redirect_uri(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (registered, asked) = text.split_once('\n').unwrap_or((text, text));
    let Ok(registered) = registered.parse::<RedirectUri>() else {
        return;
    };
    assert!(registered.accepts(registered.as_str()));
    assert_eq!(registered.to_string().parse().as_ref(), Ok(&registered));
    let parse = |uri: &str| Url::parse(uri).unwrap_or_else(|why| panic!("{uri:?}: {why}"));
    let own = parse(registered.as_str());
    assert!(own.fragment().is_none() && own.username().is_empty() && own.password().is_none());
    let of_this_machine = ["127.0.0.1", "[::1]"];
    if own.scheme() == "http" {
        let host = own.host_str().unwrap_or_default();
        assert!(
            host == "localhost" || host == "[::1]" || host.starts_with("127."),
            "{own}"
        );
    }
    if !registered.accepts(asked) {
        return;
    }
    let other = parse(asked);
    assert_eq!((own.scheme(), own.host()), (other.scheme(), other.host()));
    assert_eq!((own.path(), own.query()), (other.path(), other.query()));
    assert!(
        other.fragment().is_none() && other.username().is_empty() && other.password().is_none()
    );
    if registered.as_str() != asked {
        assert_eq!(own.scheme(), "http");
        assert!(
            of_this_machine.contains(&own.host_str().unwrap_or_default()),
            "{asked}"
        );
    }
}
