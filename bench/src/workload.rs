//! Requests, and the answer expected to each.

use std::collections::VecDeque;

use crate::Result;
use crate::http::{Answer, Request};

/// The paths, as the metadata names them.
pub(crate) mod path {
    use grantor_core::model::endpoint::Endpoint;

    pub(crate) const AUTHORIZE: &str = Endpoint::Authorize.path();
    pub(crate) const DEVICE_AUTHORIZATION: &str = Endpoint::DeviceAuthorization.path();
    pub(crate) const INTROSPECT: &str = Endpoint::Introspect.path();
    pub(crate) const JWKS: &str = Endpoint::Jwks.path();
    pub(crate) const OPENID_CONFIGURATION: &str = Endpoint::OpenidConfiguration.path();
    pub(crate) const TOKEN: &str = Endpoint::Token.path();
    pub(crate) const USERINFO: &str = Endpoint::Userinfo.path();
}

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// Requests, and the answer expected to each.
pub(crate) struct Workload {
    source: Source,
    /// A status, and what the body must contain.
    expected: (u16, &'static str),
}

enum Source {
    /// These, again and again.
    Cycle(VecDeque<Request>),
    /// Each of these once.
    Once(VecDeque<Request>),
    /// A chain for each connection, which presents the refresh token of its last answer.
    Chains(Vec<Option<String>>),
}

impl Workload {
    pub(crate) fn repeat(request: Request, expected: (u16, &'static str)) -> Self {
        Self::cycle([request], expected)
    }

    pub(crate) fn cycle(
        requests: impl IntoIterator<Item = Request>,
        expected: (u16, &'static str),
    ) -> Self {
        Self {
            source: Source::Cycle(requests.into_iter().collect()),
            expected,
        }
    }

    pub(crate) fn once(
        requests: impl IntoIterator<Item = Request>,
        expected: (u16, &'static str),
    ) -> Self {
        Self {
            source: Source::Once(requests.into_iter().collect()),
            expected,
        }
    }

    pub(crate) fn refresh(tokens: impl IntoIterator<Item = String>) -> Self {
        Self {
            source: Source::Chains(tokens.into_iter().map(Some).collect()),
            expected: TOKEN,
        }
    }

    /// The next request of this connection, if it has one.
    pub(crate) fn next(&mut self, connection: usize) -> Option<Request> {
        match &mut self.source {
            Source::Cycle(requests) => {
                requests.rotate_left(1);
                requests.back().cloned()
            }
            Source::Once(requests) => requests.pop_front(),
            Source::Chains(tokens) => {
                let token = tokens.get_mut(connection)?.take()?;
                Some(Request::post(
                    path::TOKEN,
                    &[],
                    &[
                        ("grant_type", "refresh_token"),
                        ("client_id", "tv"),
                        ("refresh_token", &token),
                    ],
                ))
            }
        }
    }

    /// # Errors
    /// The answer, when it is not the expected one: a load of refusals would not be a measurement.
    pub(crate) fn check(&mut self, connection: usize, answer: &Answer) -> Result<()> {
        let (status, content) = self.expected;
        let found = answer.text().contains(content);
        if answer.status != status || !found {
            return Err(format!("got {} {}", answer.status, answer.text()).into());
        }
        if let Source::Chains(tokens) = &mut self.source {
            tokens[connection] = answer.member("refresh_token");
        }
        Ok(())
    }
}

/// A token response.
pub(crate) const TOKEN: (u16, &str) = (200, "\"access_token\"");
/// A device authorization response.
pub(crate) const CODES: (u16, &str) = (200, "\"device_code\"");
/// RFC 8628 section 3.5.
pub(crate) const PENDING: (u16, &str) = (400, "\"authorization_pending\"");
/// RFC 8628 section 3.5.
pub(crate) const SLOW_DOWN: (u16, &str) = (400, "\"slow_down\"");
/// RFC 7662 section 2.2.
pub(crate) const ACTIVE: (u16, &str) = (200, "\"active\":true");

/// A machine requests a token with this scope.
pub(crate) fn client_credentials(authorization: &str, scope: &str) -> Request {
    Request::post(
        path::TOKEN,
        &[("Authorization", authorization)],
        &[("grant_type", "client_credentials"), ("scope", scope)],
    )
}

/// A device requests its codes.
pub(crate) fn device_authorization(scope: &str) -> Request {
    Request::post(
        path::DEVICE_AUTHORIZATION,
        &[],
        &[("client_id", "tv"), ("scope", scope)],
    )
}

/// A device polls.
pub(crate) fn poll(device_code: &str) -> Request {
    Request::post(
        path::TOKEN,
        &[],
        &[
            ("grant_type", DEVICE_CODE),
            ("client_id", "tv"),
            ("device_code", device_code),
        ],
    )
}

/// A service exchanges a user's token (RFC 8693 section 2.1).
pub(crate) fn exchange(authorization: &str, token: &str) -> Request {
    exchange_of(authorization, token, ACCESS_TOKEN)
}

/// A website exchanges its user's ID token.
pub(crate) fn exchange_id_token(authorization: &str, token: &str) -> Request {
    exchange_of(authorization, token, ID_TOKEN)
}

fn exchange_of(authorization: &str, token: &str, kind: &str) -> Request {
    Request::post(
        path::TOKEN,
        &[("Authorization", authorization)],
        &[
            ("grant_type", TOKEN_EXCHANGE),
            ("subject_token", token),
            ("subject_token_type", kind),
            ("audience", "next"),
        ],
    )
}

/// An API introspects a token.
pub(crate) fn introspect(authorization: &str, token: &str) -> Request {
    Request::post(
        path::INTROSPECT,
        &[("Authorization", authorization)],
        &[("token", token)],
    )
}

/// An application requests the claims of its user.
pub(crate) fn userinfo(token: &str) -> Request {
    Request::get(
        path::USERINFO,
        &[("Authorization", &format!("Bearer {token}"))],
    )
}

/// The script of an application does.
pub(crate) fn userinfo_from(origin: &str, token: &str) -> Request {
    Request::get(
        path::USERINFO,
        &[
            ("Authorization", &format!("Bearer {token}")),
            ("Origin", origin),
        ],
    )
}
