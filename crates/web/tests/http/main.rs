//! The HTTP face, in process: the real router, pages and workers over a store in memory, with time that a test sets.

#![expect(clippy::expect_used, reason = "a part of tests")]

mod account;
mod account_load;
mod admin_first;
mod api;
mod api_docs;
mod assertions;
mod attacks;
mod authorize;
mod bad_input;
mod client_auth;
mod cookies;
mod cors;
mod csrf;
mod device;
mod exchange;
mod floods;
mod gone;
mod health;
mod introspection;
mod iroh;
mod logout;
mod long_requests;
mod mapped_claims;
mod metadata;
mod methods;
mod pages;
mod password;
mod path;
mod refusals;
mod replaced_realm;
mod revocation;
mod rotation;
mod socket;
mod tabs;
mod tls;
mod token;
mod trace;
mod typed;
mod unavailable;
mod userinfo;

/// A form whose token does not count does nothing: the browser is sent to where the form was going, by a GET.
fn assert_begins_again(answer: &grantor_testkit::server::Answer, at: &str) {
    assert_eq!(answer.status, 303, "{answer:?}");
    let location = answer.header("location");
    assert_eq!(location.split('?').next(), Some(at), "{answer:?}");
    assert_eq!(answer.header("set-cookie"), "", "{answer:?}");
}
