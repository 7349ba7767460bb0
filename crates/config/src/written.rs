//! What the file says of an object, as JSON, for those who read it in other forms than the file.

use serde_json::{Map, Value};

use super::managed::CLIENT_SECRETS;
use super::read::Fields;
use super::table::Added;

/// What was written, without secrets and what leads to them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WrittenJson(pub Map<String, Value>);

const PASSWORDS: [&str; 2] = ["password", "password_hash"];

impl Added for WrittenJson {
    fn of(fields: &Fields<'_, '_>) -> Self {
        let secrets = [&CLIENT_SECRETS[..], &PASSWORDS].concat();
        Self(fields.json_without(&secrets))
    }
}
