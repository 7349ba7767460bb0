//! What the API answers with, as a value: a retry of a request gets the same one.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::precondition::ETag;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Of a new object, below `/api/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// With its quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

impl ApiAnswer {
    #[must_use]
    pub const fn ok(body: Value) -> Self {
        Self {
            status: 200,
            location: None,
            etag: None,
            body: Some(body),
        }
    }

    /// A new object, at this path below `/api/v1`.
    #[must_use]
    pub const fn created(location: String, body: Value) -> Self {
        Self {
            status: 201,
            location: Some(location),
            etag: None,
            body: Some(body),
        }
    }

    #[must_use]
    pub const fn no_content() -> Self {
        Self {
            status: 204,
            location: None,
            etag: None,
            body: None,
        }
    }

    #[must_use]
    pub fn etag(mut self, etag: &ETag) -> Self {
        self.etag = Some(etag.to_string());
        self
    }
}

/// Without the body, which may hold a secret.
impl fmt::Debug for ApiAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiAnswer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
