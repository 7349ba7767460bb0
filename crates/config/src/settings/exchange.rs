//! The settings of token exchange.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::ids::ClientId;
use grantor_core::model::scope::ScopeToken;
use grantor_jose::Algorithm;
use grantor_verify::{IssuerUrl, SecureUrl};

use super::Settings;
use crate::table::table;
use crate::written::WrittenJson;

table! {
    /// Who may exchange which token for what (RFC 8693). Without a rule, nobody. Of a client's rules for
    /// an audience, the first in the file that allows the whole request decides.
    pub struct Exchange {
        /// Its name in events and explanations; client and audience, if left out.
        name: Option<String>, example "orders asks shipping";

        /// The client that exchanges. It has a secret, and token_exchange among its grants.
        client: ClientId, example "orders";

        /// The audience of the new token: a resource's uri or identifier; for ID tokens, the client itself.
        audience: String, example "https://shipping.example.com";

        /// Which scope of the old token may become which of the new one. For ID tokens these are OpenID's.
        scopes: BTreeMap<String, Vec<ScopeToken>>, example r#"{ "orders.example.com/read" = ["shipping.example.com/read"] }"#;

        /// Which tokens of this server are exchanged: access_token, id_token, refresh_token. ID and refresh
        /// tokens only by the client to which they were given. If left out, access tokens.
        subject_tokens: Option<Vec<TokenKind>>, example r#"["access_token", "id_token"]"#;

        /// To whom they were given; any client, if left out.
        subject_clients: Vec<ClientId>, example r#"["website"]"#;

        /// The groups of which their user must be in one; anybody, if left out.
        subject_groups: Vec<String>, example r#"["staff"]"#;

        /// Whom they may be for, beside the client's own resources: an API's uri or identifier. Those that
        /// were given to the client itself may be for anybody.
        subject_audience: Vec<String>, example r#"["https://orders.example.com"]"#;

        /// The trusted issuer whose JWTs are exchanged, instead of tokens of this server.
        subject_issuer: Option<String>, example "https://idp.partner.example";

        /// What its subjects get, whatever scopes their tokens have; instead of scopes.
        gives: Vec<ScopeToken>, example r#"["shipping.example.com/read"]"#;

        /// Whether there must be an actor token. Without one, the client acts.
        require_actor_token: bool = "false", example "true";

        /// The trusted issuer of actor tokens. If left out, they are of this server.
        actor_issuer: Option<String>, example "https://idp.partner.example";

        /// Whether the old token must name the actor by may_act. One that names another is refused anyway.
        require_may_act: bool = "false", example "true";

        /// Whether the new token hides that the client acts. If not, it names who acts: the subject of
        /// the actor token, else the client. An actor token's subject is named in any case.
        impersonation: bool = "false", example "true";

        /// What may be asked for: access_token and refresh_token, or id_token alone. If left out, access
        /// tokens. The other two come only of what a user granted here.
        tokens: Option<Vec<TokenKind>>, example r#"["access_token", "refresh_token"]"#;

        /// How many may act one for another, from 1 to 8.
        max_depth: NonZeroU32 = "4", example "1";

        /// How long the new token lives at most. It never outlives the old one, nor what resource and client allow.
        lifetime: Option<Duration>, example "2m";

        ..written: WrittenJson
    }
}

const ACCESS_TOKEN: &[TokenKind] = &[TokenKind::AccessToken];

impl Exchange {
    pub fn effective_subject_tokens(&self) -> &[TokenKind] {
        self.subject_tokens.as_deref().unwrap_or(ACCESS_TOKEN)
    }

    pub fn effective_tokens(&self) -> &[TokenKind] {
        self.tokens.as_deref().unwrap_or(ACCESS_TOKEN)
    }

    /// Whether it is for ID tokens, whose audience is the client.
    pub fn is_for_id_tokens(&self) -> bool {
        self.effective_tokens() == [TokenKind::IdToken]
    }
}

impl Settings {
    /// The names of the rules, each another: those that are given, else client and audience.
    pub fn exchange_names(&self) -> Vec<String> {
        let given = self.exchanges.iter().filter_map(|rule| rule.name.clone());
        let mut taken: BTreeSet<String> = given.collect();
        let mut free = |rule: &Exchange| {
            let plain = format!("{} → {}", rule.client, rule.audience);
            let numbered = (2..).map(|number: u32| format!("{plain} ({number})"));
            let mut names = std::iter::once(plain.clone()).chain(numbered);
            names
                .find(|name| taken.insert(name.clone()))
                .unwrap_or(plain)
        };
        let rules = self.exchanges.iter();
        rules
            .map(|rule| rule.name.clone().unwrap_or_else(|| free(rule)))
            .collect()
    }
}

table! {
    /// Another issuer, whose JWTs rules of exchange may take: by subject_issuer and actor_issuer.
    pub struct TrustedIssuer {
        /// Its issuer identifier, as `iss` has it: https, or http on this machine.
        issuer: IssuerUrl, example "https://idp.partner.example";

        /// Where its keys are; where its metadata say, if left out: at the issuer under
        /// /.well-known/openid-configuration.
        jwks_uri: Option<SecureUrl>, example "https://idp.partner.example/jwks.json";

        /// The algorithms with which it may sign: ES256, RS256, PS256, EdDSA; any of them, if left out.
        algorithms: Option<Vec<Algorithm>>, example r#"["RS256"]"#;

        /// Names that its tokens may have for this server as their `aud`, beside issuer and token endpoint.
        audiences: Vec<String>, example r#"["api://grantor"]"#;

        /// The claim in which it says one of this server's usernames, spelled as here; email counts only
        /// with email_verified. Without it, a subject that no user links stays the issuer's own: ISSUER|SUB.
        user_claim: Option<String>, example "preferred_username";

        /// How old a token may be by its `iat`, beside what its `exp` says.
        max_age: Option<Duration>, example "5m";
    }
}

impl TrustedIssuer {
    pub fn effective_algorithms(&self) -> &[Algorithm] {
        self.algorithms.as_deref().unwrap_or(&Algorithm::ALL)
    }
}
