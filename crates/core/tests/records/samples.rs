//! One record of each kind and state, every member of it filled. A member that is added must be filled here too.

use std::collections::BTreeMap;

use grantor_core::base::peer::Peer;
use grantor_core::base::time::Timestamp;
use grantor_core::model::actor::Actor;
use grantor_core::model::changed::Changed;
use grantor_core::model::claims_request::RequestedClaims;
use grantor_core::model::config_document::{ConfigDocument, ManagedPart};
use grantor_core::model::ids::Epoch;
use grantor_core::model::ids::{
    ClientId, ClientInstance, GrantId, Jti, SessionId, UserId, UserInstance,
};
use grantor_core::model::pkce::CodeChallenge;
use grantor_core::records::{
    Authorization, ClientSecret, CodeIssued, ConfigVersion, Consent, DeclaredClient, DeclaredUsers,
    Exchanged, FirstAdministrator, Grant, GrantOrigin, GrantState, IdempotentAnswer,
    InstancesSince, Link, Login, LogoutSubscribers, ManagedClient, ManagedOrganization, Outbox,
    ProvenFactor, Revocation, RevocationReason, RevokedToken, SealedSigningKey, SecretUses, Seen,
    Session, SigningKeys, Started, SupersededMaster, User, UserCodeRow, Username,
};
use grantor_jose::{Algorithm, KeyState};

pub(crate) const AT: Timestamp = Timestamp::from_secs(1_800_000_000);
const USER: UserId = UserId::from_bytes([1; 16]);
const SESSION: SessionId = SessionId::from_bytes([2; 16]);
const GRANT: GrantId = GrantId::from_bytes([3; 16]);
const EPOCH: Epoch = Epoch::from_bytes([4; 8]);
const INSTANCE: ClientInstance = ClientInstance::from_bytes([6; 8]);

fn client() -> ClientId {
    "tv".parse().expect("a client id")
}

fn peer() -> Peer {
    Peer::new("192.0.2.10".parse().expect("an address"), "curl/8.5.0")
}

fn started() -> Started {
    Started { at: AT, by: peer() }
}

fn challenge() -> CodeChallenge {
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned();
    CodeChallenge::try_from(challenge).expect("a challenge")
}

pub(crate) fn authorization() -> Authorization {
    Authorization {
        user: USER,
        epoch: EPOCH,
        scope: "openid".parse().expect("a scope"),
        at: AT,
        auth_time: AT,
        amr: vec!["pwd".to_owned()],
        session: Some(SESSION),
        offline: true,
        claims: RequestedClaims {
            userinfo: vec!["email".to_owned()],
            id_token: vec!["name".to_owned()],
        },
        disclosed: Some(vec!["department".to_owned()]),
        from: peer(),
    }
}

pub(crate) fn active() -> GrantState {
    GrantState::Active {
        authorization: authorization(),
        code_challenge: Some(challenge()),
        generation: 3,
        rotated_at: AT,
        rotated_by: peer(),
        repeated_elsewhere: true,
    }
}

pub(crate) fn grant(kind: GrantOrigin, state: GrantState) -> Grant {
    let resources = serde_json::from_value(serde_json::json!(["orders.example.com"]));
    Grant {
        id: GRANT,
        kind,
        client: client(),
        instance: INSTANCE,
        scope: "openid".parse().expect("a scope"),
        resources: resources.expect("resources"),
        started: started(),
        expires_at: AT,
        state,
    }
}

fn exchanged() -> GrantOrigin {
    let actor = |sub: &str, act| Actor {
        sub: sub.to_owned(),
        client_id: client(),
        act,
    };
    let before = Box::new(actor("before", None));
    GrantOrigin::Exchange(Box::new(Exchanged {
        parent: GRANT,
        given_to: client(),
        act: Some(actor("now", Some(before))),
        ends_at: AT,
    }))
}

/// A grant of each kind, in each state.
pub(crate) fn grants() -> Vec<Grant> {
    let revoked = |why| GrantState::Revoked(Revocation { why, at: AT });
    let states = [
        GrantState::DevicePending {
            user_code: "MAC".to_owned(),
        },
        GrantState::DeviceDenied { by: USER },
        GrantState::DeviceApproved {
            authorization: authorization(),
        },
        GrantState::CodeIssued(CodeIssued {
            authorization: authorization(),
            redirect_uri: "https://app.example/cb".to_owned(),
            redirect_uri_named: true,
            code_challenge: Some(challenge()),
            nonce: Some("n".to_owned()),
        }),
        active(),
        revoked(RevocationReason::ByClient),
        revoked(RevocationReason::RefreshReused),
        revoked(RevocationReason::CodeReused),
        revoked(RevocationReason::ByUser),
    ];
    let kinds = [GrantOrigin::Device, GrantOrigin::Code, exchanged()];
    let states = states.into_iter();
    let of_kind = |state: GrantState| kinds.clone().map(|kind| grant(kind, state.clone()));
    states.flat_map(of_kind).collect()
}

pub(crate) fn user() -> User {
    User {
        id: USER,
        username: "alice".to_owned(),
        enabled: true,
        epoch: EPOCH,
        password: Some("$argon2id$…".to_owned()),
        email: Some("alice@example.com".to_owned()),
        from_file: true,
        groups: vec!["staff".to_owned()],
        organization: Some("acme".parse().expect("an organization's id")),
        claims: BTreeMap::from([("*".to_owned(), "anything".into())]),
        declared: Some(vec!["email".to_owned()]),
        declared_credential: Some("MAC".to_owned()),
        logins: vec!["alice".to_owned()],
        changed: Some(changed()),
        instance: UserInstance::from_bytes([8; 8]),
    }
}

fn changed() -> Changed {
    Changed {
        at: AT,
        by: "operator:0".to_owned(),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
    }
}

pub(crate) fn secret_uses() -> SecretUses {
    SecretUses {
        client: client(),
        instance: ClientInstance::from_bytes([9; 8]),
        uses: BTreeMap::from([("*".to_owned(), AT)]),
    }
}

pub(crate) fn declared_users() -> DeclaredUsers {
    DeclaredUsers { users: vec![USER] }
}

pub(crate) const fn first_administrator() -> FirstAdministrator {
    FirstAdministrator { user: USER, at: AT }
}

pub(crate) fn idempotent_answer() -> IdempotentAnswer {
    IdempotentAnswer {
        caller: "operator:0.0123456789abcdef".to_owned(),
        key: "KEY".to_owned(),
        request: "SHA-256".to_owned(),
        answer: "sealed".to_owned(),
        expires_at: AT,
    }
}

pub(crate) fn login() -> Login {
    Login {
        login: "alice@example.com".to_owned(),
        users: vec![USER],
    }
}

pub(crate) fn username() -> Username {
    Username {
        username: "Alice".to_owned(),
        user: USER,
    }
}

fn logout_subscribers() -> LogoutSubscribers {
    let json = serde_json::json!({ "to_tell": ["tv"], "to_tell_instances": { "*": INSTANCE } });
    serde_json::from_value(json).expect("subscribers")
}

pub(crate) fn session() -> Session {
    Session {
        persistent: true,
        id: SESSION,
        user: USER,
        epoch: EPOCH,
        secret: "00".to_owned(),
        auth_time: AT,
        amr: vec!["pwd".to_owned()],
        acr: Some("1".to_owned()),
        proven: vec![ProvenFactor::new("pwd", AT)],
        started: Some(started()),
        logout_subscribers: logout_subscribers(),
        expires_at: AT,
    }
}

pub(crate) fn seen() -> Seen {
    Seen {
        session: SESSION,
        at: AT,
        expires_at: AT,
    }
}

pub(crate) fn consent() -> Consent {
    Consent {
        user: USER,
        client: client(),
        instance: INSTANCE,
        epoch: EPOCH,
        scope: "openid".parse().expect("a scope"),
        claims: vec!["department".to_owned()],
        at: AT,
    }
}

pub(crate) fn declared_client() -> DeclaredClient {
    DeclaredClient {
        client: client(),
        instance: INSTANCE,
    }
}

pub(crate) const fn instances_since() -> InstancesSince {
    InstancesSince { at: AT }
}

pub(crate) fn link() -> Link {
    Link {
        issuer: "https://idp.example".to_owned(),
        sub: "248289761001".to_owned(),
        user: USER,
        from_file: true,
    }
}

pub(crate) fn outbox() -> Outbox {
    Outbox {
        session: SESSION,
        user: USER,
        logout_subscribers: logout_subscribers(),
        attempts: 1,
        due: AT,
        expires_at: AT,
    }
}

pub(crate) fn revoked() -> RevokedToken {
    RevokedToken {
        jti: Jti::for_machine([5; 16]),
        expires_at: AT,
    }
}

pub(crate) fn user_code() -> UserCodeRow {
    UserCodeRow {
        name: "MAC".to_owned(),
        grant: GRANT,
        expires_at: AT,
    }
}

pub(crate) fn signing_keys() -> SigningKeys {
    let key = |kid: &str, alg, state| SealedSigningKey {
        kid: kid.into(),
        alg,
        state,
        created_at: AT,
        since: AT,
        kept_secs: 600,
        private: "sealed".to_owned(),
    };
    SigningKeys {
        keys: vec![
            key("a", Algorithm::Es256, KeyState::Next),
            key("b", Algorithm::Rs256, KeyState::Active),
            key("c", Algorithm::Ps256, KeyState::Retiring),
            key("d", Algorithm::EdDsa, KeyState::Active),
        ],
        superseded: vec![SupersededMaster {
            id: "0a0b0c0d".to_owned(),
            at: AT,
            until: AT,
        }],
    }
}

pub(crate) fn managed_client() -> ManagedClient {
    ManagedClient {
        client: client(),
        instance: ClientInstance::from_bytes([9; 8]),
        written: written(),
        confidential: true,
        secrets: vec![ClientSecret {
            id: "0011223344556677".to_owned(),
            sha256: "ab".repeat(32),
            created: Timestamp::from_secs(1),
            expires_at: Some(Timestamp::from_secs(2)),
        }],
        owner: Some(UserId::from_bytes([1; 16])),
        owner_instance: UserInstance::from_bytes([8; 8]),
        created: changed(),
        changed: changed(),
        judged_at: Some(Timestamp::from_secs(3)),
    }
}

fn written() -> serde_json::Map<String, serde_json::Value> {
    let written = serde_json::json!({ "name": "TV", "organization": "acme" });
    written.as_object().cloned().expect("an object")
}

pub(crate) fn config_document() -> ConfigDocument {
    let part = ManagedPart {
        written: written(),
        changed: changed(),
        since: [("read".to_owned(), Timestamp::from_secs(1))].into(),
    };
    let parts = std::collections::BTreeMap::from([("orders".to_owned(), part)]);
    ConfigDocument {
        id_key: "ab".repeat(32),
        clients: vec![client()],
        algorithms: vec!["ES256".to_owned()],
        resources: parts.clone(),
        scopes: parts.clone(),
        exchange_rules: parts,
    }
}

pub(crate) const fn config_version() -> ConfigVersion {
    ConfigVersion {
        at: Timestamp::from_secs(1),
    }
}

pub(crate) fn managed_organization() -> ManagedOrganization {
    ManagedOrganization {
        organization: "acme".parse().expect("an id"),
        name: Some("Acme".to_owned()),
        enabled: true,
        created: changed(),
        changed: changed(),
        deleted: true,
    }
}
