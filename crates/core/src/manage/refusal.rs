//! How the API refuses (RFC 9457): a code with its status, a sentence, and what is wrong in the body.

use std::borrow::Cow;

use crate::base::check::Check;
use crate::base::error::Cause;
use crate::engine::decide::Stop;
use crate::model::checks::Problem;
use crate::model::right::Right;

macro_rules! api_codes {
    ($($(#[$doc:meta])* $Code:ident => $name:literal, $status:literal, $title:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ApiCode {
            $($(#[$doc])* $Code),+
        }

        impl ApiCode {
            /// In the order of the table.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$Code),+];

            /// The member `code`, and the end of `type`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Code => $name),+ }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$Code => $status),+ }
            }

            /// The member `title`.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$Code => $title),+ }
            }
        }
    };
}

api_codes! {
    Malformed => "malformed", 400, "The request cannot be read";
    InvalidToken => "invalid_token", 401, "An access token for this API is needed";
    InsufficientScope => "insufficient_scope", 403, "The access token lacks a right";
    Forbidden => "forbidden", 403, "The caller may not do this";
    NotFound => "not_found", 404, "There is no such object";
    MethodNotAllowed => "method_not_allowed", 405, "The path has other methods";
    /// The configuration file declares it.
    Declared => "declared", 409, "The configuration file declares this object";
    Taken => "taken", 409, "The name is taken";
    /// Something else refers to it.
    InUse => "in_use", 409, "Something else needs this object";
    Limit => "limit", 409, "There is no room for another one";
    PreconditionFailed => "precondition_failed", 412, "The object has changed since it was read";
    TooLarge => "too_large", 413, "The request is too large";
    UnsupportedMediaType => "unsupported_media_type", 415, "The body has another type";
    Invalid => "invalid", 422, "A check refuses the object";
    IdempotencyKeyReused => "idempotency_key_reused", 422, "The key belongs to another request";
    PreconditionRequired => "precondition_required", 428, "The request must name the version that it changes";
    TooManyRequests => "too_many_requests", 429, "Too many requests";
    ServerError => "server_error", 500, "The server failed";
    Unavailable => "unavailable", 503, "The server cannot answer now";
}

/// The same for one that the caller may not see.
pub const NO_SUCH_OBJECT: &str = "There is no such object.";

/// What is wrong with a member of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901).
    pub pointer: String,
    /// A sentence, as for the configuration file.
    pub detail: String,
}

impl From<Problem> for FieldError {
    fn from(problem: Problem) -> Self {
        Self {
            pointer: problem.pointer.to_string(),
            detail: problem.message,
        }
    }
}

/// A request that the API refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRefusal {
    pub code: ApiCode,
    /// Public. Never the value of a secret.
    pub detail: Cow<'static, str>,
    pub errors: Vec<FieldError>,
    /// The right that is missing.
    pub needed: Option<Right>,
    /// For the operator; never sent.
    pub cause: Cause,
    /// Seconds after which a retry may succeed.
    pub retry_after: Option<u64>,
}

impl ApiRefusal {
    /// The check that refused.
    #[must_use]
    pub const fn check(&self) -> Check {
        match (self.cause, self.code) {
            (Cause::AsDescribed, ApiCode::InvalidToken) => Check::Token,
            (Cause::AsDescribed, ApiCode::InsufficientScope | ApiCode::Forbidden) => Check::Rights,
            (Cause::AsDescribed, ApiCode::Limit | ApiCode::TooManyRequests) => Check::Limit,
            (Cause::AsDescribed, ApiCode::ServerError | ApiCode::Unavailable) => Check::Server,
            (Cause::AsDescribed, _) => Check::Request,
            (cause, _) => cause.check(),
        }
    }

    #[must_use]
    pub const fn new(code: ApiCode, detail: &'static str) -> Self {
        Self {
            code,
            detail: Cow::Borrowed(detail),
            errors: Vec::new(),
            needed: None,
            cause: Cause::AsDescribed,
            retry_after: None,
        }
    }

    /// A sentence that names something.
    #[must_use]
    pub fn naming(code: ApiCode, detail: String) -> Self {
        Self {
            detail: Cow::Owned(detail),
            ..Self::new(code, "")
        }
    }

    /// A check refuses these members.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(ApiCode::Invalid, "Members of the body are not valid.")
        }
    }

    /// A check refuses this member.
    #[must_use]
    pub fn invalid_member(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        }])
    }

    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(ApiCode::NotFound, NO_SUCH_OBJECT)
    }

    #[must_use]
    pub fn lacks(right: Right) -> Self {
        Self {
            needed: Some(right),
            ..Self::naming(
                ApiCode::InsufficientScope,
                format!("This needs the right {}.", right.token()),
            )
        }
    }

    #[must_use]
    pub const fn because(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }
}

impl From<ApiRefusal> for Stop<ApiRefusal> {
    fn from(refusal: ApiRefusal) -> Self {
        Self::Refuse(refusal)
    }
}
