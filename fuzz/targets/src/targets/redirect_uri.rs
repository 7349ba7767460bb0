//! Redirect URIs.

use grantor_core::model::redirect_uri::RedirectUri;
use url::Url;

/// The input has two lines: the registered URI and the requested one. An accepted URI leads a browser to the registered
/// place; only the port of a loopback address may differ.
pub fn redirect_uri(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (registered, requested) = text.split_once('\n').unwrap_or((text, text));
    let Ok(registered) = registered.parse::<RedirectUri>() else {
        return;
    };
    assert!(registered.accepts(registered.as_str()));
    assert_eq!(registered.to_string().parse().as_ref(), Ok(&registered));
    let parse = |uri: &str| Url::parse(uri).unwrap_or_else(|why| panic!("{uri:?}: {why}"));
    let registered_url = parse(registered.as_str());
    assert!(
        registered_url.fragment().is_none()
            && registered_url.username().is_empty()
            && registered_url.password().is_none()
    );
    if registered_url.scheme() == "http" {
        let host = registered_url.host_str().unwrap_or_default();
        assert!(
            host == "localhost"
                || host.ends_with(".localhost")
                || host == "[::1]"
                || host.starts_with("127.")
                || host.starts_with("[::ffff:7f"),
            "{registered_url}"
        );
    }
    if !registered.accepts(requested) {
        return;
    }
    let requested_url = parse(requested);
    assert_eq!(
        (registered_url.scheme(), registered_url.host()),
        (requested_url.scheme(), requested_url.host())
    );
    assert_eq!(
        (registered_url.path(), registered_url.query()),
        (requested_url.path(), requested_url.query())
    );
    assert!(
        requested_url.fragment().is_none()
            && requested_url.username().is_empty()
            && requested_url.password().is_none()
    );
    if registered.as_str() != requested {
        assert_eq!(registered_url.scheme(), "http");
        let takes_any_port = match registered_url.host_str() {
            Some("127.0.0.1" | "[::1]") => true,
            Some("localhost") => !registered.as_str().starts_with("http://localhost:"),
            _ => false,
        };
        assert!(takes_any_port, "{requested}");
    }
}
