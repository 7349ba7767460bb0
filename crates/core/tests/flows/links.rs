//! Who a trusted issuer's subject is: compared byte for byte, by a link or by what the issuer vouches for.

use grantor_core::base::error::ErrorCode::InvalidRequest;
use grantor_core::people::{ProvisionLink, ProvisionLinkReply, WithdrawLink};
use grantor_core::records::Link;
use serde_json::{Value, json};

use grantor_testkit::world::{World, declared_user};
use grantor_testkit::{CORP, IDP, JWT, SHIPPING, scope, user_id};

const FOREIGN: [(&str, &str); 2] = [("audience", SHIPPING), ("subject_token_type", JWT)];

/// A world that takes tokens of this issuer.
fn trusting(issuer: &str) -> World {
    let mut world = World::with_exchange().with_trusted();
    world.reconfigure(|realm| {
        let rule = &mut realm.exchange[0];
        rule.subject.issuer = Some(issuer.to_owned());
        rule.gives = scope("shipping.example.com/read");
    });
    world
}

/// The `sub` of the token that is given for the issuer's.
fn sub(world: &mut World, issuer: &str, sub: &str, claims: Value) -> Option<String> {
    let theirs = world.statement(issuer, sub, claims);
    let given = world.exchange("orders", &theirs, &FOREIGN).ok()?;
    let claims = world.claims(&given.token);
    Some(claims["sub"].as_str().expect("a text").to_owned())
}

fn link(issuer: &str, sub: &str, username: &str) -> Link {
    Link {
        issuer: issuer.to_owned(),
        sub: sub.to_owned(),
        user: user_id(username),
        from_file: true,
    }
}

fn declare(world: &mut World, link: Link) -> ProvisionLinkReply {
    world.reconfigure(|realm| {
        for trusted in &mut realm.trusted_issuers {
            trusted.has_links |= trusted.issuer == link.issuer;
        }
    });
    world.ask(ProvisionLink { link }).reply.expect("a reply")
}

#[test]
fn a_name_that_another_issuer_spells_otherwise_is_not_our_users() {
    let mut world = trusting(CORP);
    let alice = Some(user_id("alice").to_string());
    assert_eq!(sub(&mut world, CORP, "alice", json!({})), alice);
    for other in ["ALICE", "Alice", " alice", "alice ", "\u{212a}ate"] {
        let theirs = world.statement(CORP, other, json!({}));
        let refused = world.exchange_refused("orders", &theirs, &FOREIGN);
        assert_eq!(refused.0, InvalidRequest, "{other:?}");
    }
    let mut spelt = declared_user("alice", true);
    spelt.username = "Alice".to_owned();
    world.provision(spelt);
    assert_eq!(sub(&mut world, CORP, "alice", json!({})), None);
    assert_eq!(sub(&mut world, CORP, "Alice", json!({})), alice);
}

#[test]
fn an_email_that_the_issuer_did_not_verify_names_nobody() {
    for claim in ["email", "phone_number"] {
        let mut world = trusting(CORP);
        world.reconfigure(|realm| {
            realm.trusted_issuers[1].user_claim = Some(claim.to_owned());
        });
        let alice = Some(user_id("alice").to_string());
        let verified = format!("{claim}_verified");
        let mut with = |value: Value| {
            sub(
                &mut world,
                CORP,
                "4711",
                json!({ claim: "alice", &verified: value }),
            )
        };
        assert_eq!(with(json!(true)), alice);
        for not in [json!(null), json!(false), json!("true"), json!(1)] {
            assert_eq!(with(not.clone()), None, "{not}");
        }
    }
}

#[test]
fn a_linked_subject_is_its_user_and_no_other_subject_is() {
    let mut world = trusting(IDP);
    let own = |sub: &str| Some(format!("{IDP}|{sub}"));
    assert_eq!(sub(&mut world, IDP, "Kate", json!({})), own("Kate"));
    let declared = declare(&mut world, link(IDP, "Kate", "alice"));
    assert_eq!(declared, ProvisionLinkReply::Done);
    let alice = Some(user_id("alice").to_string());
    assert_eq!(sub(&mut world, IDP, "Kate", json!({})), alice);
    for other in ["kate", "KATE", "Kate ", "Kate/"] {
        assert_eq!(sub(&mut world, IDP, other, json!({})), own(other));
    }
}

/// The issuer must not choose who its subject is where the operator did.
#[test]
fn a_link_comes_before_the_name_that_the_issuer_gives() {
    let mut world = trusting(CORP);
    declare(&mut world, link(CORP, "4711", "alice"));
    let bob = json!({ "preferred_username": "bob" });
    let alice = Some(user_id("alice").to_string());
    assert_eq!(sub(&mut world, CORP, "4711", bob.clone()), alice);
    let bob_id = Some(user_id("bob").to_string());
    assert_eq!(sub(&mut world, CORP, "4712", bob), bob_id);
}

#[test]
fn a_link_is_of_one_issuer() {
    let mut world = trusting(CORP);
    declare(&mut world, link(IDP, "4711", "alice"));
    declare(&mut world, link(CORP, "4713", "alice"));
    assert_eq!(sub(&mut world, CORP, "4711", json!({})), None);
}

#[test]
fn a_link_of_a_disabled_user_leads_nowhere() {
    let mut world = trusting(CORP);
    declare(&mut world, link(CORP, "4711", "alice"));
    world.set_enabled("alice", false);
    let named = json!({ "preferred_username": "bob" });
    assert_eq!(sub(&mut world, CORP, "4711", named), None);
}

#[test]
fn a_withdrawn_link_is_gone_and_a_moved_one_leads_to_its_new_user() {
    let mut world = trusting(IDP);
    declare(&mut world, link(IDP, "4711", "alice"));
    let (cost, _) = world.cost(|world| declare(world, link(IDP, "4711", "alice")));
    assert_eq!(cost, [1, 0, 0], "it is there already");
    declare(&mut world, link(IDP, "4711", "bob"));
    let bob = Some(user_id("bob").to_string());
    assert_eq!(sub(&mut world, IDP, "4711", json!({})), bob);
    let withdraw = WithdrawLink {
        issuer: IDP.to_owned(),
        sub: "4711".to_owned(),
    };
    assert_eq!(world.ask(withdraw).reply, Ok(()));
    let own = Some(format!("{IDP}|4711"));
    assert_eq!(sub(&mut world, IDP, "4711", json!({})), own);
}

#[test]
fn the_file_takes_no_link_that_it_did_not_make() {
    let mut world = trusting(IDP);
    let mut made_elsewhere = link(IDP, "4711", "alice");
    made_elsewhere.from_file = false;
    declare(&mut world, made_elsewhere);
    let taken = declare(&mut world, link(IDP, "4711", "bob"));
    assert_eq!(taken, ProvisionLinkReply::Taken);
    let withdraw = WithdrawLink {
        issuer: IDP.to_owned(),
        sub: "4711".to_owned(),
    };
    assert_eq!(world.ask(withdraw).reply, Ok(()));
    assert_eq!(world.list("link").len(), 1, "nor does it remove one");
}
