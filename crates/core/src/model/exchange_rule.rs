//! The rules of exchange, as the realm's configuration has them. Without a rule, nobody exchanges anything.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::names::names;
use crate::model::ids::ClientId;
use crate::model::scope::Scope;

/// Which client may exchange which token for what. Rules are tried in order; the first that allows the whole request
/// decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, for the operator: in events and explanations.
    pub name: String,
    /// The client that exchanges.
    pub client: ClientId,
    /// The subject tokens that it takes.
    pub subject: SubjectRule,
    /// Who acts.
    pub actor: ActorRule,
    /// Whom the new token is for.
    pub target: RuleTarget,
    /// Which scope of the subject token may become which of the new one.
    pub scopes: BTreeMap<String, Scope>,
    /// What a trusted issuer's subject gets: its own scopes mean nothing here.
    pub gives: Scope,
    /// What may be asked for: access tokens, in either form, are one kind.
    pub issues: Vec<TokenKind>,
    /// Whether the new token may hide that somebody acts.
    pub impersonation: bool,
    /// The most actors that a chain may have.
    pub max_depth: usize,
    /// How long the new token lives at most.
    pub lifetime: Option<Duration>,
}

/// The kinds of tokens that a rule tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Access tokens.
    AccessToken,
    /// ID tokens.
    IdToken,
    /// Refresh tokens.
    RefreshToken,
}

names!(TokenKind {
    AccessToken = "access_token",
    IdToken = "id_token",
    RefreshToken = "refresh_token",
});

/// The subject tokens of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectRule {
    /// The trusted issuer of them; none where they are ours.
    pub issuer: Option<String>,
    /// Their kinds, where they are ours.
    pub kinds: Vec<TokenKind>,
    /// The clients to which they were given; any, where none is named.
    pub clients: Vec<ClientId>,
    /// The groups, one of which their user is in; anybody, where none is named.
    pub groups: Vec<String>,
    /// Audiences beside those of the client's own resources.
    pub audiences: Vec<String>,
}

/// Who acts, by a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActorRule {
    /// Whether there must be an actor token.
    pub token_required: bool,
    /// The trusted issuer of actor tokens; none where they are ours.
    pub issuer: Option<String>,
    /// Whether the subject token must name the actor by `may_act`. One that is there always counts.
    pub may_act_required: bool,
}

/// Whom the new token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleTarget {
    /// A resource, by its identifier.
    Resource(String),
    /// The client itself: an ID token.
    Client,
}

impl SubjectRule {
    /// Whether it takes a token that was given to this client.
    #[must_use]
    pub fn takes_client(&self, client: Option<&ClientId>) -> bool {
        self.clients.is_empty() || client.is_some_and(|client| self.clients.contains(client))
    }

    /// Whether it takes a user who is in these groups.
    #[must_use]
    pub fn takes_groups(&self, groups: &[String]) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|group| groups.contains(group))
    }
}

impl Rule {
    /// All that a subject with `held` may get by this rule.
    #[must_use]
    pub fn possible(&self, held: &Scope) -> Scope {
        let mapped = self.scopes.iter().filter(|(from, _)| held.contains(from));
        mapped.flat_map(|(_, to)| to.iter()).collect()
    }
}
