//! The latest change of an object.

use schemars::JsonSchema;
use serde::Serialize;

#[derive(JsonSchema, Serialize)]
pub(super) struct ChangedBody {
    /// RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// `operator:UID`, `user:SUB` or `client:ID`.
    by: String,
    trace_id: String,
}
