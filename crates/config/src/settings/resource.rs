//! Protected APIs, and scopes.

use std::collections::BTreeMap;
use std::time::Duration;

use grantor_core::model::claim_mapping::Source;
use grantor_core::model::declared_scope::DeclaredScope;
use grantor_core::model::group_filter::GroupFilter;
use grantor_core::model::resource::TokenForm;
use grantor_core::model::scope::ScopeToken;
use grantor_jose::Algorithm;
use serde_json::{Value as Json, json};
use toml::de::DeValue;

use crate::place::Place;
use crate::read::{Context, Reader, Written, kind};
use crate::table::{Shape, Value, table};
use crate::text::ResourceUri;
use crate::written::WrittenJson;

table! {
    /// A protected API.
    pub struct Resource {
        /// Its name: the scope identifier/read belongs to it.
        identifier: ScopeToken, example "orders.example.com";

        /// Its resource indicator (RFC 8707), and then also the audience of its tokens.
        /// Without it, the identifier is their audience.
        uri: Option<ResourceUri>, example "https://orders.example.com";

        /// Its scopes, each with the words that users read; or a table with text, groups and machines,
        /// which mean the same as in a plain scope.
        scopes: BTreeMap<String, ResourceScope>, example r#"{ read = "Read orders", write = { text = "Change orders", groups = ["staff"] } }"#;

        /// What its access tokens are: jwt, or sealed for opaque ones.
        token: TokenForm = "jwt", example "sealed";

        /// The algorithm that signs them: ES256, RS256, PS256, EdDSA.
        alg: Algorithm = "ES256", example "RS256";

        /// How long they live at most; those of a client with a shorter access_lifetime live shorter.
        lifetime: Option<Duration>, example "5m";

        /// Which of a user's groups they tell: true for all, false for none, or a list of groups;
        /// a star at the end names all that begin so.
        groups: GroupFilter = "true", example r#"["orders-*", "staff"]"#;

        /// Their further claims, each with its source: user.username, user.email or user.NAME for
        /// one of the user's claims; groups, or some of them as groups.NAME or groups.BEGINNING*;
        /// client.id, client.name; grant.kind, grant.auth_time, grant.amr, grant.session; or what
        /// is the same in each: a number, true, false, or a quoted text. One without
        /// a value is left out.
        claims: BTreeMap<String, Source>, example r#"{ department = "user.department", roles = "groups.orders-*", tier = "'gold'" }"#;

        ..written: WrittenJson
    }
}

impl Resource {
    /// What its tokens name as `aud`.
    pub fn audience(&self) -> &str {
        self.uri.as_deref().unwrap_or(&self.identifier)
    }

    /// The form of its access tokens, with the algorithm that signs them.
    pub fn token_form(&self) -> TokenForm {
        match self.token {
            TokenForm::Jwt(_) => TokenForm::Jwt(self.alg),
            TokenForm::Sealed => TokenForm::Sealed,
        }
    }

    pub fn scope_tokens(&self) -> impl Iterator<Item = String> {
        self.scopes
            .keys()
            .map(|name| format!("{}/{name}", self.identifier))
    }
}

table! {
    /// A scope that is asked for as it stands.
    pub struct PlainScope {
        /// Its name. It is none of OpenID Connect, and does not read as one of a resource.
        name: ScopeToken, example "inspect";

        /// The words that users read.
        text: String, example "Look into your incidents";

        /// The API whose tokens it is for, by its identifier. Without it, tokens of any API hold it.
        resource: Option<ScopeToken>, example "orders.example.com";

        /// The claims that it adds to userinfo and ID tokens, each with its source, like claims of a resource.
        claims: BTreeMap<String, Source>, example r#"{ tier = "user.tier" }"#;

        /// The groups whose members alone can be given it. For others it is left out. Machines are limited
        /// by their client's scopes instead.
        groups: Option<Vec<String>>, example r#"["analysts"]"#;

        /// The scopes of this server's own API that it counts as. Only who can be given these can be given it.
        gives: Vec<ScopeToken>, example r#"["grantor/clients:own"]"#;

        /// Whether users may give it to machines of their own.
        machines: bool = "false", example "true";

        ..written: WrittenJson
    }
}

table! {
    /// A scope of an API, as a table.
    pub struct ScopeTable {
        /// The words that users read.
        text: String, example "Change orders";

        /// The groups whose members alone can be given it.
        groups: Option<Vec<String>>, example r#"["staff"]"#;

        /// Whether users may give it to machines of their own.
        machines: bool = "false", example "true";
    }
}

/// A scope of an API: its words, or a table.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceScope(DeclaredScope);

impl ResourceScope {
    #[must_use]
    pub fn declared(&self) -> DeclaredScope {
        self.0.clone()
    }
}

impl PlainScope {
    #[must_use]
    pub fn declared(&self) -> DeclaredScope {
        DeclaredScope {
            text: self.text.clone(),
            groups: self.groups.clone(),
            machines: self.machines,
        }
    }
}

impl Value for ResourceScope {
    const EXPECTED: &'static str = "a string, or { text = \"…\", groups = […] }";
    const SHAPE: Shape = Shape::Map;

    fn parse(text: &str, context: &Context<'_>) -> Result<Self, String> {
        let text = String::parse(text, context)?;
        Ok(Self(DeclaredScope {
            text,
            ..DeclaredScope::default()
        }))
    }

    fn read(reader: &mut Reader<'_>, place: &Place, written: Written<'_>) -> Result<Self, String> {
        match written {
            Written::Variable(text) => Self::parse(text, reader.context()),
            Written::Toml(DeValue::String(text)) => Self::parse(text, reader.context()),
            Written::Toml(DeValue::Table(_)) => {
                let ScopeTable {
                    text,
                    groups,
                    machines,
                } = reader.table(place, written);
                Ok(Self(DeclaredScope {
                    text,
                    groups,
                    machines,
                }))
            }
            Written::Toml(other) => Err(format!(
                "expected {}, found {}",
                Self::EXPECTED,
                kind(other)
            )),
        }
    }

    fn json_schema() -> Json {
        json!({ "anyOf": [String::json_schema(), ScopeTable::json_schema()] })
    }

    fn stand_in() -> Self {
        Self(DeclaredScope::default())
    }
}
