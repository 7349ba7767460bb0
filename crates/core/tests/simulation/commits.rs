//! The meaning of each commit, checked when it happens: nothing is written that should not be.

use futures_util::FutureExt as _;
use grantor_core::base::row::{Key, Row};
use grantor_core::base::time::Timestamp;
use grantor_core::engine::limits::Poll;
use grantor_core::model::client::DeviceApproval;
use grantor_store::Store as _;

use crate::life::{Before, Flight, Life, Polled};
use crate::model::{Refresh, State, Yes, client_of};
use crate::requests::{Request, Typed};
use crate::things::scope;
use grantor_testkit::world::Seen;

impl Life {
    /// What is true when a request begins.
    pub(crate) fn before(&self, request: Request) -> Before {
        let (now, realm) = (self.world.now, &self.world.realm);
        let device = match request {
            Request::Poll { device, .. }
            | Request::Refresh { device, .. }
            | Request::RevokeGrant { device, .. }
            | Request::Redeem { device, .. }
            | Request::TakeBack { device, .. }
            | Request::Type {
                typed: Typed::Of(device),
                ..
            }
            | Request::Decide { device, .. } => Some(device),
            _ => None,
        };
        let good = match request {
            Request::Introspect { device, token, .. } | Request::Userinfo { device, token } => {
                self.is_good(realm, device, token, now)
            }
            Request::Refresh {
                device,
                generation,
                from,
                ..
            } => matches!(
                self.model.refresh(realm, device, generation, from, now),
                Refresh::Again(_) | Refresh::Next(_)
            ),
            Request::SignIn { user, password, .. } => self.opens(user, password),
            Request::Redeem { device, right, .. } => right && self.model.redeems(device, now),
            Request::Authorize {
                cookie,
                client,
                scope,
                ..
            } => self.need_not_ask(realm, cookie, client, scope),
            _ => false,
        };
        let signed_in = match request {
            Request::Visit { cookie }
            | Request::Type { cookie, .. }
            | Request::Decide { cookie, .. }
            | Request::Authorize { cookie, .. }
            | Request::EndSession { cookie, .. }
            | Request::TakeBack { cookie, .. }
            | Request::Disconnect { cookie, .. }
            | Request::Everywhere { cookie, .. } => self.model.signed_in(cookie, now).is_some(),
            _ => false,
        };
        let state = device.and_then(|device| self.model.grant(device, now));
        Before {
            good,
            signed_in,
            state: state.map(|grant| grant.state),
        }
    }

    pub(crate) fn saw(&mut self, flight: &mut Flight, seen: Seen) {
        match seen {
            Seen::Asked(poll) => {
                flight.asked = self.passed;
                if let (Request::Poll { device, .. }, Some(poll)) = (flight.request, poll) {
                    flight.polled = Some(self.polled(device, poll));
                }
                if let Request::Codes {
                    client, address, ..
                } = flight.request
                {
                    for of in self.codes_asked(client, address) {
                        self.tables.perhaps_wrong(of, self.passed);
                    }
                }
            }
            Seen::Tried {
                at,
                id,
                key,
                unknown,
            } => {
                // These delete only what they look at, or what is not needed any more: where the row is missing,
                // they deleted it, or a request before them did that they ran into.
                let deletes = matches!(
                    flight.request,
                    Request::SignOut { .. }
                        | Request::EndSession { .. }
                        | Request::Disconnect { .. }
                );
                let (row, perhaps) = match self.row(&key) {
                    Some(row) => (row.version == id, false),
                    // Whoever deletes a grant is told to the model at once.
                    None if key.kind() == "grant" => (self.is_known(&key), false),
                    None => (deletes, true),
                };
                flight.tried = true;
                flight.unknown |= unknown;
                flight.spared |= unknown && self.is_next(flight, at);
                if row {
                    if !perhaps || flight.wrote.is_empty() {
                        flight.wrote.push(at);
                    }
                    self.tell(|| format!("{:?} has written", flight.request));
                    self.committed(flight, at, &key);
                }
                if unknown || !row || perhaps {
                    flight.now = self.world.now;
                }
                if !row {
                    // Another attempt asks the newest realm.
                    flight.realm = self.world.realm.clone();
                }
                if !row && !unknown {
                    self.count("a commit in conflict");
                }
            }
        }
    }

    /// Whether the model has a grant with this row.
    fn is_known(&self, key: &Key) -> bool {
        let mut grants = self.model.grants.keys();
        grants.any(|place| self.world.grant_row(self.things.devices[*place].grant) == *key)
    }

    pub(crate) fn row(&self, key: &grantor_core::base::row::Key) -> Option<Row> {
        let store = self.world.faults().inner();
        let rows = store.get(std::slice::from_ref(key)).now_or_never();
        let rows = rows.and_then(Result::ok).expect("memory is ready at once");
        rows.into_iter().next().flatten()
    }

    /// Whether a refresh is about to write the successor, or a code is about to be redeemed.
    fn is_next(&self, flight: &Flight, at: Timestamp) -> bool {
        match flight.request {
            Request::Refresh {
                device,
                generation,
                from,
                ..
            } => {
                let stands = self
                    .model
                    .refresh(&flight.realm, device, generation, from, at);
                // Where it is a reuse by now, the commit may be the revocation, after which a second one is right.
                // What is refused from elsewhere writes a mark, and is no success.
                let no_success = [Refresh::Reused, Refresh::Elsewhere].contains(&stands);
                let may_be = flight.before.good && !no_success;
                matches!(stands, Refresh::Next(_)) || may_be
            }
            Request::Redeem { device, .. } => {
                let grant = self.model.grant(device, at);
                grant.is_some_and(|grant| matches!(grant.state, State::Issued(_)))
            }
            _ => false,
        }
    }

    fn polled(&mut self, device: usize, poll: Poll) -> Polled {
        let now = self.passed;
        let early = self.tables.poll(device, now);
        let from_memory = matches!(poll, Poll::FromMemory { .. });
        if from_memory {
            assert!(
                !self.tables.decided.contains(&device),
                "who knows of the decision reads"
            );
            assert!(
                self.tables.is_fresh(device, now),
                "what was read long ago is read again"
            );
            self.count("poll: from memory");
        } else {
            self.tables.read(device, now);
        }
        let grant = self.model.grants.get(&device);
        Polled {
            early,
            from_memory,
            pending: grant.is_some_and(|grant| grant.state == State::Pending),
        }
    }

    /// The store has it.
    fn committed(&mut self, flight: &mut Flight, at: Timestamp, key: &Key) {
        match flight.request {
            Request::Codes { client, .. } => {
                assert!(client_of(&flight.realm, client).enabled);
                self.model
                    .unnamed
                    .push(at + client_of(&flight.realm, client).device.lifetime);
            }
            Request::Poll { device, by } => {
                self.is_of(flight, device, by);
                assert!(
                    self.model.redeems(device, at),
                    "tokens for {:?}",
                    self.model.grants.get(&device)
                );
                let by = self.things.devices[device].address;
                self.model.activate(&flight.realm, device, 0, by, at);
                flight.next = Some(0);
                self.audit(device);
            }
            Request::Refresh {
                device,
                generation,
                by,
                from,
                ..
            } => {
                self.is_of(flight, device, by);
                let row = self.model.grants.get(&device).map(|grant| grant.state);
                if let Some(State::Active { generation: of, .. }) = row
                    && generation > of
                {
                    self.count("refresh: a token ahead of its row");
                }
                let stands = self
                    .model
                    .refresh(&flight.realm, device, generation, from, at);
                match stands {
                    // Its session ended after it was read: the tokens are invalid already.
                    Refresh::Refused if flight.before.good && self.is_unbound_only(device) => {
                        let rotates = client_of(&flight.realm, by).rotation;
                        let next = generation + u32::from(rotates);
                        self.model.activate(&flight.realm, device, next, from, at);
                        flight.next = Some(next);
                        self.count("refresh: in a session that ends meanwhile");
                    }
                    Refresh::Next(next) => {
                        self.model.activate(&flight.realm, device, next, from, at);
                        flight.next = Some(next);
                        self.count("refresh: a new successor");
                    }
                    Refresh::Elsewhere => {
                        self.model.repeated_elsewhere(device);
                        self.count("refresh: a predecessor from another network");
                    }
                    Refresh::Reused => {
                        // That two networks hold the grant is nobody's own write.
                        let of_two = matches!(row, Some(State::Active { elsewhere: true, generation: of, .. }) if generation == of);
                        assert!(
                            !flight.spared || of_two,
                            "it may be its own write that it sees"
                        );
                        self.model.revoke(device);
                        self.count("refresh: a reuse that revokes");
                    }
                    other => panic!("a refresh writes, though it is {other:?}"),
                }
                self.audit(device);
            }
            Request::RevokeGrant { device, by, .. } => {
                self.is_of(flight, device, by);
                self.model.grant(device, at).expect("a live row");
                self.model.revoke(device);
                self.audit(device);
            }
            Request::RevokeAccess { device, token, by } => {
                self.is_of(flight, device, by);
                self.model.revoked.insert((device, token));
                self.audit(device);
            }
            Request::SignIn {
                cookie,
                user,
                password,
                ..
            } => {
                assert!(
                    self.opens(user, password),
                    "a sign-in as {user}, who may not sign in"
                );
                self.new_cookie(flight, user, cookie, at);
            }
            Request::SignOut { cookie } => {
                if let Some(cookie) = self.model.cookies.get(&cookie).copied() {
                    self.model.end_session(cookie.session);
                }
                self.count("a sign-out");
            }
            Request::Authorize { .. } if key.kind() == "grant" => self.issued(flight, at, key),
            Request::Authorize { cookie, .. } => self.used(cookie, at),
            Request::Redeem { device, by, right } => {
                self.is_of(flight, device, by);
                assert!(right, "who has not the verifier writes");
                self.redeemed(flight, device, at);
                self.audit(device);
            }
            Request::EndSession { cookie, of, .. } => self.ended_session(cookie, of, at),
            Request::TakeBack { cookie, device, .. } => {
                self.taken_back(cookie, device, at);
                self.used(cookie, at);
                self.audit(device);
            }
            Request::Disconnect { cookie, client, .. } => self.disconnects(cookie, client, at),
            Request::Everywhere { cookie, .. } => self.signs_out_everywhere(cookie, at),
            Request::Visit { cookie } | Request::Type { cookie, .. } => self.used(cookie, at),
            Request::Decide { .. } => self.decided(flight, at),
            Request::Declare {
                user,
                enabled,
                password,
                ..
            } => {
                let is = self.model.users.get_mut(user).expect("a user");
                if is.enabled != enabled || is.password != password {
                    is.cut += 1;
                    (is.enabled, is.password) = (enabled, password);
                    self.count("a user cut off");
                }
                for _ in 0..3 {
                    self.audit_anything();
                }
            }
            Request::Introspect { .. } | Request::Userinfo { .. } | Request::Machine { .. } => {
                panic!("it writes nothing")
            }
        }
    }

    /// A user decided on a device.
    fn decided(&mut self, flight: &Flight, at: Timestamp) {
        let Request::Decide {
            seat,
            cookie,
            device,
            approve,
            typed,
        } = flight.request
        else {
            panic!("no decision");
        };
        let who = *self
            .model
            .signed_in(cookie, at)
            .expect("who decides is signed in");
        let grant = *self.model.grant(device, at).expect("a live row");
        assert_eq!(grant.state, State::Pending, "decided twice");
        let client = client_of(&flight.realm, grant.client);
        assert!(client.enabled);
        assert!(
            at.since(who.signed_in) < client.device.approver_max_age,
            "a stale sign-in"
        );
        if approve {
            let elsewhere = |address: &str| address.contains(':');
            let same_network = elsewhere(self.things.seats[seat].address)
                == elsewhere(self.things.devices[device].address);
            match client.device.approval {
                DeviceApproval::Warn => {}
                DeviceApproval::SameNetwork => assert!(same_network, "approved from elsewhere"),
                DeviceApproval::Retype => assert_eq!(typed, Typed::Of(device), "not retyped"),
            }
        }
        let state = if approve {
            State::Approved(Yes {
                user: who.user,
                cut: who.cut,
                at,
                session: None,
            })
        } else {
            State::Denied(who.user)
        };
        self.model.grants.get_mut(&device).expect("a grant").state = state;
        self.used(cookie, at);
        self.audit(device);
    }

    /// No request writes to the grants of others.
    fn is_of(&self, flight: &Flight, device: usize, by: &str) {
        assert_eq!(
            by, self.things.devices[device].client,
            "another client writes"
        );
        assert!(
            client_of(&flight.realm, by).enabled,
            "a disabled client writes"
        );
    }

    pub(crate) fn used(&mut self, cookie: usize, at: Timestamp) {
        if let Some(cookie) = self.model.cookies.get_mut(&cookie) {
            cookie.used = cookie.used.max(at);
        }
    }

    pub(crate) fn opens(&self, user: &str, password: u8) -> bool {
        let user = self.model.users[user];
        user.enabled && user.password == password
    }

    /// Whether an access token is valid.
    pub(crate) fn is_good(
        &self,
        realm: &grantor_core::model::realm::Realm,
        device: usize,
        token: usize,
        now: Timestamp,
    ) -> bool {
        let holder = &self.things.devices[device];
        let claims = &holder.access[token].claims;
        claims.exp > now.as_secs()
            && Timestamp::from_secs(claims.iat).age(now).is_some()
            && client_of(realm, holder.client).enabled
            && !self.model.revoked.contains(&(device, token))
            && self.model.is_live(device, now)
    }

    /// The scope of a grant: no token may have more.
    pub(crate) fn within(&self, device: usize, asked: Option<usize>, given: &str) {
        let given: grantor_core::model::scope::Scope = given.parse().expect("a scope");
        assert!(
            given.is_within(&scope(self.things.devices[device].scope)),
            "wider than granted: {given}"
        );
        let narrowed = asked.is_none_or(|asked| given.is_within(&scope(asked)));
        assert!(narrowed, "wider than asked: {given}");
    }
}
