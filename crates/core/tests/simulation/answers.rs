//! Each answer, compared with what was true from the request's first attempt to its last.

use std::time::Duration;

use grantor_core::base::error::ErrorCode::{
    self, AccessDenied, AuthorizationPending, ExpiredToken, InsufficientScope, InvalidClient,
    InvalidGrant, InvalidScope, InvalidToken, SlowDown, TooManyRequests,
};
use grantor_core::base::error::Failure;
use grantor_core::model::requested_scope::UnknownScopes;

use crate::life::{Flight, Life};
use crate::model::{Grant, Name, Refresh, State, client_of};
use crate::requests::{End, Request};
use crate::tables::Wrong;
use crate::things::{Device, granted, scope};
use grantor_testkit::Codes;
use grantor_testkit::world::{Down, Tokens};

impl Life {
    pub(crate) fn ended(&mut self, flight: &Flight, end: Result<End, Down>) {
        // Where an answer was lost, and what was written is swept away or written over before it is read, some do
        // again what they do; but nothing that may happen only once.
        let once = matches!(
            flight.request,
            Request::Poll { .. }
                | Request::Refresh { .. }
                | Request::RevokeGrant { .. }
                | Request::Decide { .. }
                | Request::Redeem { .. }
                | Request::TakeBack { .. }
        );
        let again = flight.unknown && !once;
        assert!(
            flight.wrote.len() <= 1 || again,
            "two commits of one request"
        );
        let end = match end {
            Ok(end) => end,
            Err(Down::Store(_)) => return self.count("the store is down"),
            Err(Down::Core(Failure::Contention(_))) => return self.count("contention"),
            Err(Down::Core(failure)) => panic!("{failure}"),
        };
        match (flight.request, end) {
            (Request::Codes { .. }, End::Codes(end)) => self.codes(flight, end),
            (Request::Poll { device, by }, End::Tokens(end)) => self.poll(flight, device, by, end),
            (Request::Refresh { .. }, End::Tokens(end)) => self.refresh(flight, end),
            (Request::Machine { right, address }, End::Tokens(end)) => {
                self.machine(flight, right, address, end);
            }
            (Request::RevokeGrant { device, by, .. }, End::Plain(end)) => {
                let left = |now| {
                    let grant = self.model.grant(device, now);
                    grant.is_some_and(|grant| !grant.of_earlier)
                };
                let left = left(flight.begun) && left(flight.now);
                let own = by == self.things.devices[device].client;
                match end {
                    Ok(()) => assert!(!left, "revoked, and still there"),
                    Err(InvalidGrant) => {
                        let grant = self.model.grants.get(&device);
                        let of_earlier = grant.is_some_and(|grant| grant.of_earlier);
                        assert!(!own || of_earlier, "its own client is refused");
                    }
                    Err(code) => refused(flight, by, code),
                }
                self.count("revoke: a grant");
            }
            (Request::RevokeAccess { device, token, by }, End::Plain(end)) => {
                let own = by == self.things.devices[device].client;
                let exp = self.things.devices[device].access[token].claims.exp;
                match end {
                    Ok(()) => {
                        let over = exp <= flight.begun.max(flight.now).as_secs();
                        let revoked = self.model.revoked.contains(&(device, token));
                        assert!(own && (over || revoked), "said to be revoked, and is not");
                    }
                    Err(InvalidGrant) => assert!(!own, "its own client is refused"),
                    Err(code) => refused(flight, by, code),
                }
                self.count("revoke: an access token");
            }
            (Request::Introspect { device, token, by }, End::Active(end)) => {
                self.introspected(flight, device, token, by, end);
            }
            (Request::Userinfo { device, token }, End::Plain(end)) => {
                let good = flight.before.good;
                let claims = &self.things.devices[device].access[token].claims;
                let openid = claims.scope.contains("openid");
                match end {
                    Ok(()) => assert!(good && openid, "a dead token is live"),
                    Err(InsufficientScope) => assert!(good && !openid),
                    Err(InvalidToken) => {
                        let good = good && self.is_good(&flight.realm, device, token, flight.begun);
                        assert!(!good, "a live token is dead");
                    }
                    Err(code) => panic!("userinfo says {code:?}"),
                }
                self.count(if good {
                    "userinfo: a live token"
                } else {
                    "userinfo: a dead token"
                });
            }
            (Request::SignIn { .. }, End::SignedIn(said, cookies)) => {
                self.signed_in(flight, said, cookies);
            }
            (Request::Visit { cookie }, End::Visitor(user)) => self.visited(flight, cookie, user),
            (Request::Type { .. }, End::Looked(looked)) => self.looked(flight, looked),
            (Request::Decide { .. }, End::Page(page)) => self.page(flight, page),
            (Request::Authorize { .. }, End::Authorized(said)) => self.authorized(flight, said),
            (Request::Redeem { .. }, End::Tokens(end)) => self.redeems(flight, end),
            (Request::EndSession { cookie, of, .. }, End::Ended(said)) => {
                self.session_ended(flight, cookie, of, said);
            }
            (Request::TakeBack { cookie, device, .. }, End::RemoveAccessReply(said)) => {
                self.grant_taken_back(flight, cookie, device, said);
            }
            (Request::Disconnect { cookie, .. }, End::RemoveAccessReply(said)) => {
                self.disconnected(flight, cookie, said);
            }
            (Request::Everywhere { cookie, .. }, End::Everywhere(said)) => {
                self.signed_out_everywhere(flight, cookie, said);
            }
            (Request::SignOut { .. } | Request::Declare { .. }, End::Plain(end)) => {
                assert_eq!(end, Ok(()));
            }
            (request, end) => panic!("{request:?} ends with {end:?}"),
        }
    }

    fn codes(&mut self, flight: &Flight, end: Result<Codes, ErrorCode>) {
        let Request::Codes {
            client,
            scope: asked,
            address,
        } = flight.request
        else {
            panic!("no codes");
        };
        let config = client_of(&flight.realm, client);
        let codes = match end {
            Ok(codes) => codes,
            Err(InvalidScope) => {
                return assert_eq!(granted(&flight.realm, client, asked), None);
            }
            Err(TooManyRequests) => {
                let used_up = |of| self.tables.is_used_up(of, flight.asked);
                let counted = self.codes_asked(client, address);
                assert!(counted.into_iter().any(used_up), "locked out");
                return self.count("codes: too many");
            }
            Err(code) => return refused(flight, client, code),
        };
        let asked = granted(&flight.realm, client, asked).expect("a foreign scope");
        let opened = flight.realm.sealing.open_device_code(&codes.device);
        let opened = opened.expect("a device code of ours");
        let at = flight.wrote.last().expect("codes without rows");
        assert_eq!(opened.expires_at, *at + config.device.lifetime);
        self.model.name(opened.expires_at);
        let place = self.things.devices.len();
        self.things.devices.push(Device {
            client,
            by_redirect: false,
            address,
            scope: asked,
            codes,
            grant: opened.grant,
            ends: opened.expires_at,
            refresh: Vec::new(),
            access: Vec::new(),
        });
        let grant = Grant {
            client,
            scope: asked,
            ends: opened.expires_at,
            state: State::Pending,
            given: 0,
            of_earlier: false,
        };
        self.model.grants.insert(place, grant);
        self.is_within_its_share(flight, client, address, config.device.lifetime);
        self.tables.begun.insert(place, flight.asked);
        let pending = self.tables.begun.iter().filter(|(place, begun)| {
            let waits = |grant: &Grant| grant.client == client && grant.state == State::Pending;
            **begun + config.device.lifetime > self.passed
                && self.model.grants.get(place).is_some_and(waits)
        });
        let most = self.manner.max_pending as usize + self.tables.freed;
        assert!(pending.count() <= most, "too many codes wait");
        self.count("codes: given");
    }

    /// What counts the codes that devices of this client ask for: the client's counter, and that of the network in it.
    pub(crate) fn codes_asked(&self, client: Name, address: Name) -> [Wrong; 2] {
        let most = self.manner.max_pending;
        [
            Wrong {
                what: "codes of a client",
                whom: client.to_owned(),
                limit: most as usize,
            },
            Wrong {
                what: "codes of a client in one network",
                whom: format!("{client} {}", is_ipv6(address)),
                limit: most.div_ceil(10) as usize,
            },
        ]
    }

    /// While other networks hold codes of a client, none holds more than a tenth.
    fn is_within_its_share(
        &mut self,
        flight: &Flight,
        client: Name,
        address: Name,
        lifetime: Duration,
    ) {
        let held = |network: bool| {
            let begun = self.tables.begun.iter().filter(|(place, begun)| {
                let waits = |grant: &Grant| grant.client == client && grant.state == State::Pending;
                **begun < flight.asked
                    && **begun + lifetime > self.passed
                    && is_ipv6(self.things.devices[**place].address) == network
                    && self.model.grants.get(place).is_some_and(waits)
            });
            begun.count()
        };
        let (own, others) = (held(is_ipv6(address)), held(!is_ipv6(address)));
        let share = self.manner.max_pending.div_ceil(10) as usize;
        // A code from before a restart that is decided takes another one's place.
        if others > 0 && self.tables.freed == 0 && !self.tables.stepped_back {
            assert!(own < share, "{own} of a share of {share}");
            self.count("codes: within a share");
        }
    }

    fn poll(&mut self, flight: &Flight, device: usize, by: Name, end: Result<Tokens, ErrorCode>) {
        let owner = self.things.devices[device].client;
        let ends = self.things.devices[device].ends;
        let grant = self.model.grants.get(&device).copied();
        let said = match end {
            Ok(tokens) => {
                assert_eq!(flight.wrote.len(), 1, "tokens without a commit");
                let given = self.things.devices[device].take(&flight.realm, &tokens);
                assert_eq!(given, Some(0), "the first refresh token");
                if let Some(grant) = self.model.grants.get_mut(&device) {
                    grant.given += 1;
                    assert_eq!(grant.given, 1, "a code redeemed twice");
                }
                self.within(device, None, &tokens.scope);
                self.tables.decided.insert(device);
                "poll: tokens"
            }
            Err(InvalidGrant) if by != owner => "poll: another's code",
            Err(code @ (AuthorizationPending | SlowDown)) => {
                let polled = flight.polled.expect("it asked the clock");
                assert!(
                    polled.pending || polled.from_memory,
                    "{code:?} of {grant:?}"
                );
                assert!(!ends.is_past(flight.begun), "{code:?} of an expired code");
                assert_eq!(code == SlowDown, polled.early, "{polled:?}");
                if polled.early {
                    "poll: slow down"
                } else {
                    "poll: pending"
                }
            }
            Err(AccessDenied) => {
                let denied = |grant: &Grant| matches!(grant.state, State::Denied(_));
                assert!(
                    grant.as_ref().is_none_or(denied),
                    "denied without a decision"
                );
                "poll: denied"
            }
            Err(ExpiredToken) => {
                let now = flight.begun.max(flight.now);
                let over = ends.is_past(now) || grant.is_none_or(|grant| grant.ends.is_past(now));
                assert!(over, "it has not expired");
                "poll: expired"
            }
            Err(InvalidGrant) if grant.is_some_and(|grant| grant.of_earlier) => {
                "poll: of an earlier client"
            }
            Err(InvalidGrant) => match grant.map(|grant| grant.state) {
                Some(State::Pending | State::Denied(_)) => panic!("not used, and {grant:?}"),
                Some(State::Issued(_)) => panic!("no device"),
                Some(State::Approved(yes)) => {
                    assert!(!self.model.stands(&yes, flight.now), "tokens are withheld");
                    "poll: approved by who was cut off"
                }
                None | Some(State::Active { .. }) => "poll: used",
            },
            Err(code) => return refused(flight, by, code),
        };
        assert!(by == owner || said == "poll: another's code");
        self.count(said);
    }

    fn refresh(&mut self, flight: &Flight, end: Result<Tokens, ErrorCode>) {
        let Request::Refresh {
            device,
            generation,
            by,
            from,
            scope: asked,
        } = flight.request
        else {
            panic!("no refresh");
        };
        let own = by == self.things.devices[device].client;
        let has = scope(self.things.devices[device].scope);
        let wider = asked.is_some_and(|asked| {
            let ignores = flight.realm.unknown_scopes == UnknownScopes::Ignore;
            let allowed = &client_of(&flight.realm, by).scopes;
            let is_wider =
                |token: &str| !has.contains(token) && (!ignores || allowed.contains(token));
            let asked = scope(asked);
            asked.intersection(&has).is_empty() || asked.iter().any(is_wider)
        });
        match end {
            Ok(tokens) => {
                assert!(own && !wider, "given to another, or too wide");
                let given = self.things.devices[device].take(&flight.realm, &tokens);
                let given = given.expect("a refresh token");
                match flight.next {
                    Some(next) => assert_eq!(given, next, "the successor"),
                    None => {
                        assert!(flight.before.good || flight.tried, "for a dead token");
                        let stays = !client_of(&flight.realm, by).rotation && given == generation;
                        assert!(stays || given == generation + 1, "another successor");
                        self.count("refresh: the same successor");
                    }
                }
                let grant = self.model.grants.get(&device).map(|grant| grant.state);
                if let Some(State::Active { generation, .. }) = grant {
                    assert!(given <= generation, "a token ahead of its row");
                }
                self.within(device, asked, &tokens.scope);
            }
            Err(InvalidScope) => assert!(wider, "it is not wider"),
            Err(InvalidGrant) if own => {
                let taken = |now| {
                    let refresh = self
                        .model
                        .refresh(&flight.realm, device, generation, from, now);
                    matches!(refresh, Refresh::Again(_) | Refresh::Next(_))
                };
                let taken = flight.before.good && taken(flight.begun) && taken(flight.now);
                assert!(!taken, "a good refresh token is refused");
                self.count("refresh: refused");
            }
            Err(InvalidGrant) => self.count("refresh: another's token"),
            Err(code) => refused(flight, by, code),
        }
    }

    fn machine(
        &mut self,
        flight: &Flight,
        right: bool,
        address: Name,
        end: Result<Tokens, ErrorCode>,
    ) {
        let secrets = |limit| Wrong {
            what: "secrets",
            whom: address.to_owned(),
            limit,
        };
        match end {
            Ok(_) => assert!(right, "a token for a wrong secret"),
            Err(InvalidClient) => {
                assert!(!right, "a right secret is refused");
                // Beyond 100 one in ten seconds is answered.
                let secrets = secrets(100 + 360);
                self.tables.wrong(secrets, flight.asked, self.passed);
            }
            Err(TooManyRequests) => {
                let used_up = self.tables.is_used_up(secrets(100), flight.asked);
                assert!(used_up, "locked out");
                self.count("machine: too many wrong secrets");
            }
            Err(code) => panic!("a machine gets {code:?}"),
        }
    }

    fn introspected(
        &mut self,
        flight: &Flight,
        device: usize,
        token: usize,
        by: Name,
        end: Result<Option<String>, ErrorCode>,
    ) {
        let claims = &self.things.devices[device].access[token].claims;
        let of_its_apis = match by {
            "console" => claims.aud == "files.example.com",
            _ => by == "orders" && claims.aud == "https://orders.example.com",
        };
        let may = claims.client_id.as_str() == by || of_its_apis;
        match end {
            Ok(Some(said)) => {
                assert!(may && flight.before.good, "a dead or foreign token is live");
                self.within(device, None, &said);
                self.count("introspect: active");
            }
            Ok(None) => {
                let good =
                    flight.before.good && self.is_good(&flight.realm, device, token, flight.begun);
                assert!(!(may && good), "a live token is dead");
                self.count("introspect: inactive");
            }
            Err(TooManyRequests) => assert_eq!(by, "orders"),
            Err(InvalidClient) if by != "orders" => {
                let client = client_of(&flight.realm, by);
                assert!(!client.enabled || !client.is_confidential());
            }
            Err(code) => panic!("introspection says {code:?}"),
        }
    }
}

/// The simulation has two networks: IPv6 and IPv4.
fn is_ipv6(address: &str) -> bool {
    address.contains(':')
}

/// This is the only reason for which a client is refused.
pub(crate) fn refused(flight: &Flight, by: &str, code: ErrorCode) {
    assert_eq!(code, InvalidClient);
    assert!(!client_of(&flight.realm, by).enabled, "it is enabled");
}
