//! Addresses of other issuers and their keys.

use grantor_verify::{IssuerUrl, SecureUrl};

use super::read::Context;
use super::table::{Value, constant};

const EXPECTED: &str = "a URL";
// The text is not repeated: it may hold a password.
const PROBLEM: &str =
    "is not an https URL, or an http one on this machine, without user, password and fragment";
/// A reserved name, which no file has.
const STAND_IN: &str = "https://stand-in.invalid";

impl Value for SecureUrl {
    const EXPECTED: &'static str = EXPECTED;

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse().map_err(|_| PROBLEM.to_owned())
    }

    fn stand_in() -> Self {
        constant(STAND_IN)
    }
}

impl Value for IssuerUrl {
    const EXPECTED: &'static str = EXPECTED;

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        // It ends the issuer in the subjects that it names, so that no two issuers can name one subject.
        if text.contains('|') {
            return Err("holds a |, which no issuer does".to_owned());
        }
        let url = text.parse::<SecureUrl>();
        url.map_err(|_| PROBLEM.to_owned())?;
        text.parse().map_err(|_| "has a query".to_owned())
    }

    fn stand_in() -> Self {
        constant(STAND_IN)
    }
}
