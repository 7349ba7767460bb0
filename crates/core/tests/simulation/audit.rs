//! The audit: the rows agree with the model, and every token is as valid as both say.

use futures_util::FutureExt as _;
use grantor_core::base::error::ErrorCode::{self, InsufficientScope, InvalidToken};
use grantor_core::base::row::Write;
use grantor_core::engine::drive::{Drive, Step};
use grantor_core::records;
use grantor_store::Store as _;

use crate::life::Life;
use crate::model::{Refresh, State, client_of};
use crate::things::scope;
use grantor_testkit::user_id;

/// What a refresh would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peek {
    Refused(ErrorCode),
    Revokes,
    /// It is refused, and remembered.
    Marks,
    /// This generation comes next.
    Gives(u32),
}

impl Life {
    pub(crate) fn audit_anything(&mut self) {
        if let Some(device) = self.chance.recent(self.things.devices.len()) {
            self.audit(device);
        }
    }

    /// A device's row, its chain of refresh tokens, and its newest access tokens.
    pub(crate) fn audit(&mut self, device: usize) {
        self.audit_row(device);
        self.audit_chain(device);
        let held = self.things.devices[device].access.len();
        for token in held.saturating_sub(2)..held {
            if !self.things.devices[device].access[token].forgotten {
                self.audit_token(device, token);
            }
        }
    }

    fn audit_row(&self, device: usize) {
        let id = self.things.devices[device].grant;
        let row = self.row(&self.world.grant_row(id));
        let row = row.map(|row| {
            serde_json::from_slice::<records::Grant>(&row.value).expect("a grant's row")
        });
        let (Some(row), Some(grant)) = (&row, self.model.grants.get(&device)) else {
            let both = (row.is_some(), self.model.grants.contains_key(&device));
            return assert_eq!(both, (false, false), "the row and the model's");
        };
        assert_eq!(row.client.as_str(), grant.client);
        assert_eq!(row.scope, scope(grant.scope));
        assert_eq!(row.expires_at, grant.ends, "{row:?}");
        let same = match (&row.state, grant.state) {
            (records::GrantState::DevicePending { .. }, State::Pending) => true,
            (records::GrantState::DeviceDenied { by }, State::Denied(user)) => *by == user_id(user),
            (records::GrantState::DeviceApproved { authorization }, State::Approved(yes)) => {
                authorization.user == user_id(yes.user)
                    && authorization.scope == row.scope
                    && authorization.at == yes.at
            }
            (records::GrantState::CodeIssued(code), State::Issued(yes)) => {
                code.authorization.user == user_id(yes.user)
                    && code.authorization.required_session().is_some() == yes.session.is_some()
                    && code.authorization.at == yes.at
            }
            (
                records::GrantState::Active {
                    authorization,
                    generation: theirs,
                    rotated_at: at,
                    rotated_by,
                    repeated_elsewhere,
                    ..
                },
                State::Active {
                    yes,
                    generation,
                    rotated_at,
                    by,
                    elsewhere,
                },
            ) => {
                authorization.user == user_id(yes.user)
                    && authorization.scope == row.scope
                    && (*theirs, *at) == (generation, rotated_at)
                    && (rotated_by.to_string(), *repeated_elsewhere) == (by.to_owned(), elsewhere)
            }
            _ => false,
        };
        assert!(same, "the row says {row:?}, the model {grant:?}");
    }

    /// One chain: the newest token and, within the grace, the one before; nothing else is taken.
    fn audit_chain(&mut self, device: usize) {
        let owner = self.things.devices[device].client;
        let realm = self.world.realm.clone();
        if !client_of(&realm, owner).enabled {
            return;
        }
        let now = self.world.now;
        let current = match self.model.grants.get(&device).map(|grant| grant.state) {
            Some(State::Active { generation, .. }) => generation,
            _ => u32::MAX,
        };
        let held = self.things.devices[device].refresh.clone();
        let from = self.things.devices[device].address;
        self.world.from(from);
        let mut taken = 0;
        for (generation, text) in held.iter().rev().take(4) {
            let peek = self.peek(owner, text);
            let stands = self.model.refresh(&realm, device, *generation, from, now);
            let fits = match stands {
                Refresh::Refused => peek == Peek::Refused(ErrorCode::InvalidGrant),
                Refresh::Reused => peek == Peek::Revokes,
                Refresh::Elsewhere => {
                    matches!(peek, Peek::Marks | Peek::Refused(ErrorCode::InvalidGrant))
                }
                Refresh::Again(next) | Refresh::Next(next) => peek == Peek::Gives(next),
            };
            assert!(fits, "generation {generation} of {current}: {peek:?}");
            taken += usize::from(matches!(peek, Peek::Gives(_)) && *generation <= current);
        }
        assert!(taken <= 2, "{taken} refresh tokens of one grant are taken");
    }

    /// Drives a refresh up to its commit, which is not performed.
    fn peek(&mut self, owner: &str, token: &str) -> Peek {
        let request = self.world.refresh_request(owner, token);
        let realm = self.world.realm.clone();
        let seed = self.world.seed();
        let mut drive = Drive::new(request, realm.clone(), self.world.now, seed);
        loop {
            match drive.step() {
                Step::Get(keys) => {
                    let rows = self.world.faults().inner().get(&keys).now_or_never();
                    let rows = rows.and_then(Result::ok).expect("memory is ready at once");
                    drive.rows(keys, rows);
                }
                // It will not be read.
                Step::Sign(input) => drive.signature(input, &[0; 64]),
                Step::Commit { writes, .. } => {
                    let row = match writes.first() {
                        Some(Write::Update { row, .. }) => row,
                        Some(Write::Delete { .. }) => return Peek::Revokes,
                        _ => panic!("no grant is updated"),
                    };
                    let row: records::Grant =
                        serde_json::from_slice(&row.value).expect("a grant's row");
                    return match row.state {
                        records::GrantState::Active {
                            repeated_elsewhere: true,
                            ..
                        } => Peek::Marks,
                        records::GrantState::Active { generation, .. } => Peek::Gives(generation),
                        other => panic!("a refresh leads to {other:?}"),
                    };
                }
                Step::Done(outcome) => {
                    let Err(refusal) = outcome.reply else {
                        let given = outcome.tokens.and_then(|tokens| tokens.refresh);
                        let given = given.expect("a refresh token");
                        let given = realm.sealing.open_refresh_token(given.reveal());
                        return Peek::Gives(given.expect("of the realm").generation);
                    };
                    return Peek::Refused(refusal.code);
                }
                step => panic!("a refresh wants {step:?}"),
            }
        }
    }

    fn audit_token(&mut self, device: usize, token: usize) {
        let now = self.world.now;
        let access = &self.things.devices[device].access[token];
        let (text, openid) = (access.text.clone(), access.claims.scope.contains("openid"));
        let good = self.is_good(&self.world.realm, device, token, now);
        let said = self.world.userinfo(&text).map(drop);
        let fits = match (good, openid) {
            (false, _) => said == Err(InvalidToken),
            (true, false) => said == Err(InsufficientScope),
            (true, true) => said == Ok(()),
        };
        assert!(
            fits,
            "an access token, good: {good}, and userinfo says {said:?}"
        );
    }
}
