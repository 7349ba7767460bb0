//! The stored and public names of this crate, as `tests/names/stored-names.txt` has them.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use grantor_core::base::check::Check;
use grantor_core::base::error::{Cause, ErrorCode};
use grantor_core::base::peer::Peer;
use grantor_core::base::sealing::{MasterKey, SealingKeys};
use grantor_core::base::seed::Seed;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::{
    Event, EventClass, EventKind, FoldedEvents, Hop, RefusedRequest, ReloadSummary,
};
use grantor_core::model::actor::Actor;
use grantor_core::model::ids::Epoch;
use grantor_core::model::ids::{ClientId, GrantId, Jti, SessionId, UserId};
use grantor_core::model::user_code::UserCodeFormat;
use grantor_core::records::{MIN_WRITER, Record};
use grantor_core::tokens::handles::Code;
use grantor_core::tokens::handles::KnownBrowser;
use grantor_core::tokens::handles::RefreshToken;
use grantor_core::tokens::handles::SessionCookie;
use serde::Serialize;
use serde_json::Value;

use crate::samples;

/// What begins the lines of this crate; the others are those of `grantor`.
const OURS: [&str; 10] = [
    "derived",
    "error",
    "event",
    "event-check",
    "event-member",
    "index",
    "member",
    "record",
    "reserved",
    "value",
];

/// The members whose text is one of our names.
const NAMED: [&str; 5] = ["/alg", "/is", "/kind", "/state", "/why"];

#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn add(&mut self, line: impl Into<String>) {
        self.0.insert(line.into());
    }

    fn record<R: Record>(&mut self, record: &R) {
        self.add(format!("record {} named as {}", R::KIND, record.name()));
        let value = serde_json::to_value(record).expect("JSON");
        self.members(&format!("{} ", R::KIND), "", &value);
        for index in record.indexes("POOL") {
            let name = index.as_str().split('/').nth(1).expect("its name");
            self.add(format!("index {name} of {}", R::KIND));
        }
    }

    fn members(&mut self, kind: &str, at: &str, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let at = format!("{at}/{name}");
                    self.add(format!("member {kind}{at}"));
                    self.members(kind, &at, value);
                }
            }
            Value::Array(elements) => {
                let at = format!("{at}/*");
                elements.iter().for_each(|it| self.members(kind, &at, it));
            }
            Value::String(text) if NAMED.iter().any(|end| at.ends_with(end)) => {
                self.add(format!("value {kind}{at} {text}"));
            }
            _ => {}
        }
    }

    fn records(&mut self) {
        samples::grants()
            .iter()
            .for_each(|grant| self.record(grant));
        self.record(&samples::user());
        self.record(&samples::username());
        self.record(&samples::login());
        self.record(&samples::session());
        self.record(&samples::seen());
        self.record(&samples::consent());
        self.record(&samples::outbox());
        self.record(&samples::revoked());
        self.record(&samples::user_code());
        self.record(&samples::signing_keys());
        self.record(&samples::declared_client());
        self.record(&samples::instances_since());
        self.record(&samples::link());
        self.record(&samples::idempotent_answer());
        self.record(&samples::managed_client());
        self.record(&samples::config_document());
        self.record(&samples::config_version());
        self.record(&samples::managed_organization());
        self.record(&samples::declared_users());
        self.record(&samples::secret_uses());
        self.record(&samples::first_administrator());
        self.add(format!("reserved {MIN_WRITER}"));
    }

    /// What depends on a label of key derivation, a token prefix, or a text behind an id: with the same input it is the
    /// same for ever. A label or an order that changes changes one of these.
    fn derived(&mut self) {
        let master = MasterKey::new([1; 32]);
        let keys = SealingKeys::new("default", &master, &[]);
        let code = Code {
            grant: GrantId::from_bytes([3; 16]),
            expires_at: samples::AT,
            client: "tv".parse::<ClientId>().expect("a client id").tag(),
        };
        let refresh = RefreshToken {
            grant: GrantId::from_bytes([3; 16]),
            generation: 7,
        };
        let session = SessionCookie {
            id: SessionId::from_bytes([2; 16]),
            user: UserId::from_bytes([1; 16]),
            secret: [6; 16],
        };
        let known = KnownBrowser {
            id: [6; 16],
            user: session.user,
            epoch: Epoch::from_bytes([4; 8]),
            expires_at: samples::AT,
        };
        let format = UserCodeFormat::new("B", 8).expect("a format");
        let user_code = format.read("WDJB-MJHT").expect("a code");
        let user_code = keys.user_code_names(&user_code).next().expect("a name");
        let access = keys.access_token(b"{}".to_vec(), [5; 12]).expect("a token");
        let secret = hmac::sign(&keys.client_secret_key(), b"secret");
        let seed = Seed::from_bytes([8; 32]).bytes::<8>("epoch");
        for (what, derived) in [
            ("master key id", master.id()),
            ("device code", keys.device_code(&code)),
            ("authorization code", keys.authorization_code(&code)),
            ("refresh token", keys.refresh_token(&refresh)),
            ("access token", access),
            ("session cookie", keys.session_cookie(&session)),
            (
                "first administrator's code",
                keys.first_administrator_code(samples::AT, [6; 16]),
            ),
            ("known browser", keys.known_browser(&known)),
            ("form token", keys.form_token(b"binding")),
            ("user code's row", user_code),
            ("unknown name", keys.unknown_name("alice")),
            ("client secret's MAC", hex(secret.as_ref())),
            (
                "user of the file",
                UserId::from_username("default", "alice").to_string(),
            ),
            (
                "jti of a grant",
                Jti::for_grant(code.grant, [9; 8]).as_str().to_owned(),
            ),
            (
                "jti of a machine",
                Jti::for_machine([9; 16]).as_str().to_owned(),
            ),
            (
                "jti of a user",
                Jti::for_user(Epoch::from_bytes([4; 8]), [9; 8])
                    .as_str()
                    .to_owned(),
            ),
            ("draw of a seed", hex(&seed)),
        ] {
            self.add(format!("derived {what}: {derived}"));
        }
    }

    fn events(&mut self) {
        for kind in kinds() {
            self.add(format!("event {kind}"));
        }
        for check in checks() {
            self.add(format!("event-check {}", name(check)));
        }
        let actor = Actor {
            sub: "actor".to_owned(),
            client_id: "tv".parse().expect("a client id"),
            act: None,
        };
        let event = Event {
            kind: EventKind::TokenExchanged,
            client: Some("tv".parse().expect("a client id")),
            user: Some(UserId::from_bytes([1; 16])),
            organization: Some("acme".into()),
            username: Some("alice".to_owned()),
            check: Some(Check::Password),
            reason: Some(Cause::WrongPassword),
            request: Some(Box::new(RefusedRequest {
                endpoint: "token",
                error: "invalid_grant",
                description: "why".into(),
            })),
            grant: Some(GrantId::from_bytes([3; 16])),
            peer: Some(Peer::new("192.0.2.10".parse().expect("an address"), "curl")),
            exchange: Some(Box::new(Hop {
                subject: "alice".to_owned(),
                audience: Some("https://orders.example.com".to_owned()),
                rule: Some("rule".to_owned()),
                act: Some(actor),
                refused: Some("why".into()),
            })),
            reload: Some(Box::new(ReloadSummary {
                added: vec!["client tv".to_owned()],
                changed: vec!["client tv".to_owned()],
                removed: vec!["client tv".to_owned()],
                kept: vec!["client tv".to_owned()],
                declared_again: vec!["client tv".to_owned()],
                restart: vec!["issuer".to_owned()],
            })),
            left_out: Some("groups".into()),
            by: Some("operator:0".into()),
            object: Some("resource orders".into()),
        };
        let mut of_event = Self::default();
        of_event.members("", "", &serde_json::to_value(event).expect("JSON"));
        let folded = FoldedEvents {
            kind: EventKind::TriesUsedUp,
            network: Some("192.0.2.0/24".to_owned()),
            count: 2,
            subjects: vec!["alice".to_owned()],
        };
        of_event.members("", "", &serde_json::to_value(folded).expect("JSON"));
        let members = of_event.0.into_iter();
        let members = members.filter_map(|line| Some(line.strip_prefix("member ")?.to_owned()));
        for member in members {
            self.add(format!("event-member {member}"));
        }
    }

    fn errors(&mut self) {
        for code in ErrorCode::ALL {
            self.add(format!("error {}", code.name()));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each kind of event. A new one makes the match incomplete, and belongs into the list too.
fn kinds() -> Vec<EventKind> {
    macro_rules! all {
        ($($kind:ident)*) => {
            [$(EventKind::$kind),*].map(|kind| match kind {
                $(EventKind::$kind => kind,)*
            })
        };
    }
    all! {
        DeviceAuthorizationStarted DeviceApproved DeviceDenied CodeIssued ScopesLeftOut ClaimsLeftOut ConsentGiven ConsentDenied
        CodeReusedGrantRevoked TokensIssued TokensRefreshed RefreshRepeatedInGrace RefreshRepeatedFromElsewhere
        RefreshReusedGrantRevoked RefreshAheadOfStore TokenExchanged ExchangeRefused TokenRevoked GrantRevoked
        SignedIn SignInFailed SignedOut SessionEndedByUser SessionEndedByLimit GrantRevokedByUser GrantEndedByLimit ClientDisconnected
        SessionEndedByAdministrator GrantRevokedByAdministrator
        SignedOutEverywhere LogoutDelivered LogoutFailed WrongUserCode ManyWrongUserCodes TriesUsedUp
        UserAdded UserDisabled UserEnabled UserChanged UserDeleted PasswordChanged BackedUp Restored
        CertificateReplaced CertificateRefused CertificateEnds RealmReloaded ReloadRefused
        ClientAdded ClientChanged ClientDeleted ClientSecretAdded ClientSecretDeleted
        OrganizationAdded OrganizationChanged OrganizationDeleted ConfigChanged
        Refused RequestFailed
    }
    .into()
}

/// Each check, likewise.
fn checks() -> Vec<Check> {
    macro_rules! all {
        ($($check:ident)*) => {
            [$(Check::$check),*].map(|check| match check {
                $(Check::$check => check,)*
            })
        };
    }
    all! {
        Request ClientAuthentication GrantType RedirectUri CodeVerifier AuthorizationCode DeviceCode UserCode RefreshToken Token Grant Session User Availability Password SignIn Consent UserDecision Scope Resource TokenSize ExchangeRule TrustedIssuer Rights Limit Delivery Certificate Configuration Server
    }
    .into()
}

fn name(kind: impl Serialize) -> String {
    match serde_json::to_value(kind) {
        Ok(Value::String(name)) => name,
        other => panic!("a name: {other:?}"),
    }
}

#[test]
fn stored_and_public_names_stay() {
    let mut names = Names::default();
    names.records();
    names.derived();
    names.events();
    names.errors();
    let listed = include_str!("../../../../tests/names/stored-names.txt").lines();
    let listed: BTreeSet<String> = listed
        .filter(|line| {
            line.split(' ')
                .next()
                .is_some_and(|word| OURS.contains(&word))
        })
        .map(ToOwned::to_owned)
        .collect();
    let gone: Vec<_> = listed.difference(&names.0).cloned().collect();
    let new: Vec<_> = names.0.difference(&listed).cloned().collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "Names in tests/names/stored-names.txt are stored by installations, or read by what stands around them: these \
         are not the code's any more, and must be again:\n{}\n\nThese are new; add them to the file:\n{}\n",
        gone.join("\n"),
        new.join("\n"),
    );
}

#[test]
fn the_page_on_watching_has_the_class_of_each_kind_of_event() {
    let page = include_str!("../../../../docs/src/operations/watching.md");
    for (class, title) in [
        (EventClass::Routine, "routine"),
        (EventClass::Frequent, "frequent"),
        (EventClass::Protected, "protected"),
    ] {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| {title} |")));
        let row = row.expect("a row for each class");
        let listed = row.split('|').nth(2).expect("a list of kinds");
        let listed: BTreeSet<_> = listed.split('`').skip(1).step_by(2).collect();
        let kinds = kinds().into_iter().filter(|kind| kind.class() == class);
        let names: Vec<_> = kinds.map(name).collect();
        let names: BTreeSet<_> = names.iter().map(String::as_str).collect();
        assert_eq!(listed, names, "{title}");
    }
}

#[test]
fn a_time_is_stored_in_milliseconds() {
    let stored = serde_json::to_value(Timestamp::from_secs(7)).expect("JSON");
    assert_eq!(stored, 7_000);
}
