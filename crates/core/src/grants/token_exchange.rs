//! The token exchange grant (RFC 8693).

use super::{GrantOperation, TokenReply};
use crate::base::error::Refusal;
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::row::Write;
use crate::base::secret::Secret;
use crate::client_auth::AuthenticatedClient;
use crate::engine::decide::{Decision, Excess, Mint, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind, Hop};
use crate::engine::facts::Facts;
use crate::exchange::{self, Case, Content, Granted, Party, PreparedExchange};
use crate::model::client::Client;
use crate::model::ids::GrantId;
use crate::model::realm::Realm;
use crate::records::{self, Grant};
use crate::tokens::bearer::TokenOwner;
use crate::tokens::handles::RefreshToken;
use crate::tokens::issue;

#[derive(Debug)]
pub(crate) struct TokenExchangeRequest(exchange::ExchangeRequest);

impl GrantOperation for TokenExchangeRequest {
    type Parsed = PreparedExchange;

    fn parse(params: &Params) -> Result<Self, Refusal> {
        exchange::ExchangeRequest::parse(params).map(Self)
    }

    fn prepare(&self, realm: &Realm) -> PreparedExchange {
        self.0.prepare(realm)
    }

    /// Writes a row only for a refresh token.
    fn decide(
        &self,
        prepared: &PreparedExchange,
        env: &Env<'_>,
        facts: &Facts,
        client: AuthenticatedClient<'_>,
        peer: &Peer,
    ) -> Result<Decision<TokenReply>, Stop> {
        // RFC 8693 section 2.1: "omitting client authentication allows for a compromised token to be leveraged via an
        // STS into other tokens by anyone possessing the compromised token."
        let client = client.confidential()?;
        let (case, outcome) = exchange::evaluate(env, facts, client, &self.0, prepared)?;
        match outcome {
            Ok(granted) => issue(env, client, case, &granted, peer),
            Err(refusal) => {
                let event = event(client, &case, Err(&refusal), peer);
                Ok(Decision::refuse(refusal).event(event))
            }
        }
    }
}

fn issue(
    env: &Env<'_>,
    client: &Client,
    case: Case<'_>,
    granted: &Granted<'_>,
    peer: &Peer,
) -> Result<Decision<TokenReply>, Stop> {
    let content = Content::new(env, client, &case.subject, granted)?;
    let reply = TokenReply {
        expires_in: content
            .ends_at()
            .as_secs()
            .saturating_sub(env.now.as_secs()),
        scope: granted.scope.clone(),
        issued: Some(granted.requested),
    };
    let event = event(client, &case, Ok(granted), peer);
    let user = event.user;
    let decision = Decision::reply(reply).event(event);
    match content {
        Content::Access(mut claims, resource) => {
            let (access, left_out) = issue::access_token(env, Some(resource), &mut claims)?;
            let left_out = left_out.event(client, user);
            Ok(decision.events(left_out).mint(Mint {
                access: Some(access),
                ..Mint::default()
            }))
        }
        Content::Id(claims, left_out) => {
            let left_out = left_out.event(client, user);
            Ok(decision.events(left_out).mint(Mint {
                id: Some(claims),
                ..Mint::default()
            }))
        }
        Content::Refresh(new) => {
            let user = new.authorization.user;
            let id = GrantId::newest_first(env.now, env.seed.bytes("grant"));
            let lifetimes = client.grant_lifetimes(env.realm.lifetimes.session_absolute);
            let grant = Grant::exchange(id, *new, client, env.now, &lifetimes, peer);
            let token = RefreshToken {
                grant: id,
                generation: 0,
            };
            let token = env.realm.sealing.refresh_token(&token);
            // Subject and actor must be unchanged when the grant is committed.
            let parties = [Some(case.subject), case.actor].into_iter().flatten();
            let decision = parties.fold(
                decision.write(records::insert(&env.realm.name, &grant)?),
                |decision, party| decision.writes(preconditions(env, party)),
            );
            let decision = decision.excess(Excess::of_new_grant(id, user, &client.id));
            Ok(decision.mint(Mint {
                refresh: Some(Secret::new(token)),
                ..Mint::default()
            }))
        }
    }
}

/// The commit fails if the party's grant or its dependencies changed since they were read.
fn preconditions(env: &Env<'_>, party: Party) -> impl Iterator<Item = Write> {
    let owner = match party.owner {
        TokenOwner::Grant(owner) => Some(owner),
        TokenOwner::User(_) | TokenOwner::None => None,
    };
    owner.into_iter().flat_map(|owner| {
        let (grant, dependencies) = *owner;
        std::iter::once(grant.unchanged()).chain(dependencies.checks(env))
    })
}

fn event(
    client: &Client,
    case: &Case<'_>,
    outcome: Result<&Granted<'_>, &Refusal>,
    peer: &Peer,
) -> Event {
    let subject = &case.subject;
    let granted = outcome.ok();
    let hop = Hop {
        subject: subject.sub.clone(),
        audience: case.target.audience().map(ToOwned::to_owned),
        rule: granted.map(|granted| granted.rule.name.clone()),
        act: granted.map_or_else(|| Some(case.act.clone()), |granted| granted.act.clone()),
        refused: outcome.err().map(|refusal| refusal.description()),
    };
    let kind = match outcome {
        Ok(_) => EventKind::TokenExchanged,
        Err(_) => EventKind::ExchangeRefused,
    };
    let mut event = Event::new(kind).client(&client.id).peer(peer).hop(hop);
    event.user = subject.owner.user().map(|user| user.id);
    event.grant = subject.owner.grant().map(|grant| grant.id);
    event
}
