//! Token exchange rules. Without a matching rule, every exchange is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::names::config_names;
use crate::model::ids::ClientId;
use crate::model::scope::Scope;

/// Which client may exchange which token for what. The first rule that allows the whole request applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeRule {
    /// Shown in events and explanations.
    pub name: String,
    pub client: ClientId,
    pub subject: SubjectRule,
    pub actor: ActorRule,
    pub target: RuleTarget,
    /// Maps each scope token of the subject token to the scope that it allows.
    pub scopes: BTreeMap<String, Scope>,
    /// The scope for a trusted issuer's subject, whose own scopes have no meaning here.
    pub gives: Scope,
    /// Token kinds that may be requested.
    pub issues: Vec<TokenKind>,
    /// Whether the new token may omit the actor.
    pub impersonation: bool,
    /// The maximum number of actors in a chain.
    pub max_depth: usize,
    /// The maximum lifetime of the new token.
    pub lifetime: Option<Duration>,
}

/// The token kinds that rules distinguish. Both forms of access tokens are one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    AccessToken,
    IdToken,
    RefreshToken,
}

config_names!(TokenKind {
    AccessToken = "access_token",
    IdToken = "id_token",
    RefreshToken = "refresh_token",
});

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectRule {
    /// A trusted issuer; `None` for our own tokens.
    pub issuer: Option<String>,
    /// The kinds of our own tokens.
    pub kinds: Vec<TokenKind>,
    /// The clients that the tokens were issued to; any if empty.
    pub clients: Vec<ClientId>,
    /// The user must be in one of these groups; any user if empty.
    pub groups: Vec<String>,
    /// Audiences in addition to the client's own resources.
    pub audiences: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActorRule {
    pub token_required: bool,
    /// The trusted issuer of actor tokens; `None` for our own tokens.
    pub issuer: Option<String>,
    /// Whether the subject token must have `may_act`. It is always checked if present.
    pub may_act_required: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleTarget {
    Resource(String),
    /// The client itself, which gets an ID token.
    Client,
}

impl SubjectRule {
    /// Whether tokens issued to this client are accepted.
    #[must_use]
    pub fn accepts_client(&self, client: Option<&ClientId>) -> bool {
        self.clients.is_empty() || client.is_some_and(|client| self.clients.contains(client))
    }

    /// Whether users in these groups are accepted.
    #[must_use]
    pub fn accepts_groups(&self, groups: &[String]) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|group| groups.contains(group))
    }
}

impl ExchangeRule {
    /// The maximum scope for a subject token with the scope `held`.
    #[must_use]
    pub fn max_scope(&self, held: &Scope) -> Scope {
        let mapped = self.scopes.iter().filter(|(from, _)| held.contains(from));
        mapped.flat_map(|(_, to)| to.iter()).collect()
    }
}
