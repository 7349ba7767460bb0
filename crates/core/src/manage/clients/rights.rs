//! What a caller may do with clients (rights 1 to 6 of the design).

use serde_json::{Map, Value};

use super::super::caller::{Actor, Caller};
use super::super::refusal::{ApiCode, ApiRefusal};
use crate::engine::decide::Stop;
use crate::model::claim_mapping::ClaimMapping;
use crate::model::client::{Client, ConsentPolicy};
use crate::model::grant_type::GrantType;
use crate::model::ids::OrganizationId;
use crate::model::organization::Availability;
use crate::model::realm::Realm;
use crate::model::right::{Right, Rights};
use crate::model::scope::Scope;
use crate::records::ManagedClient;

pub(super) const READ: &[Right] = &[Right::ClientsRead, Right::ClientsOwn];
pub(super) const WRITE: &[Right] = &[Right::ClientsWrite, Right::ClientsOwn];

/// Members of `[[client]]` that who has clients of their own may write. Nothing else: what is added to the table later is not
/// theirs before someone decides so.
const OWN_MEMBERS: [&str; 10] = [
    "name",
    "description",
    "enabled",
    "grants",
    "scopes",
    "default_scopes",
    "redirect_uris",
    "post_logout_redirect_uris",
    "origins",
    "availability",
];

const OWN_GRANTS: [GrantType; 3] = [
    GrantType::AuthorizationCode,
    GrantType::DeviceCode,
    GrantType::RefreshToken,
];

/// Whether the caller reads all clients (of the organization), and not only those of their own.
pub(super) fn reads_all(caller: &Caller) -> bool {
    caller.rights.allows(Right::ClientsRead)
}

/// Clients of the file belong to no organization, unless they say so.
pub(super) fn sees_declared(caller: &Caller) -> bool {
    reads_all(caller) && caller.organization.is_none()
}

/// Whether the caller changes clients as an owner: within what they may have themselves.
pub(super) fn is_owner_only(caller: &Caller) -> bool {
    !caller.rights.allows(Right::ClientsWrite)
}

/// Judges the whole client, as if the caller made it.
///
/// # Errors
/// 403 if it would hold what the caller could not be given; 422 for members that are not the caller's to write.
pub(super) fn judge(
    realm: &Realm,
    caller: &Caller,
    written: &Map<String, Value>,
    client: &Client,
) -> Result<(), Stop<ApiRefusal>> {
    check_rights_in_scopes(realm, caller, client)?;
    check_limited_scopes(realm, caller, client)?;
    check_organization(caller, written)?;
    check_actor(realm, client)?;
    check_powers(caller, client)?;
    if is_owner_only(caller) {
        check_own(realm, caller, client)?;
    }
    Ok(())
}

/// Judges what a client holds now, for whoever changes it or its secrets: in two steps, one could take what is given back
/// later. Owners change their own, whatever they have lost since. What `disables` it needs the rights that it holds only.
///
/// # Errors
/// 403.
pub(super) fn judge_before(
    realm: &Realm,
    caller: &Caller,
    record: &ManagedClient,
    client: &Client,
    disables: bool,
) -> Result<(), Stop<ApiRefusal>> {
    if is_owner_only(caller) {
        return Ok(());
    }
    check_given_rights(realm, caller, client)?;
    if disables {
        return Ok(());
    }
    check_limited_scopes(realm, caller, client)?;
    check_organization(caller, &record.written)?;
    check_powers(caller, client)
}

/// The members that are the caller's to write.
///
/// # Errors
/// 403 for others, where the caller has clients of their own alone.
pub(super) fn check_members(
    caller: &Caller,
    written: &Map<String, Value>,
) -> Result<(), Stop<ApiRefusal>> {
    if !is_owner_only(caller) {
        return Ok(());
    }
    let own =
        |key: &String| OWN_MEMBERS.contains(&key.as_str()) || key == ManagedClient::ORGANIZATION;
    if let Some(key) = written.keys().find(|key| !own(key)) {
        return forbidden(format!(
            "The member {key:?} needs the right {}.",
            Right::ClientsWrite.token()
        ));
    }
    let named = written
        .get(ManagedClient::ORGANIZATION)
        .and_then(Value::as_str);
    let organization = caller.organization.as_ref().map(OrganizationId::as_str);
    match named == organization {
        true => Ok(()),
        false => forbidden("Your clients belong where you do.".to_owned()),
    }
}

fn forbidden(detail: String) -> Result<(), Stop<ApiRefusal>> {
    Err(ApiRefusal::naming(ApiCode::Forbidden, detail).into())
}

/// What reaches beyond a client's own users and tokens.
fn check_powers(caller: &Caller, client: &Client) -> Result<(), Stop<ApiRefusal>> {
    let needs_administrator = [
        (
            "consent = \"skip\"",
            client.code.consent == ConsentPolicy::Skip,
        ),
        // The server sends requests there.
        (
            "backchannel_logout_uri",
            client.logout.backchannel_uri.is_some(),
        ),
    ];
    let needs_everywhere = [
        ("resources", !client.resources.is_empty()),
        ("id_claims", client.id_claims != ClaimMapping::default()),
        (
            "availability = \"everyone\"",
            client.availability == Availability::Everyone,
        ),
    ];
    let mut powers = needs_administrator.iter();
    if let Some((what, _)) = powers.find(|(_, is)| *is && !caller.is_administrator()) {
        return forbidden(format!("{what} is for administrators."));
    }
    let mut powers = needs_everywhere.iter();
    match powers.find(|(_, is)| *is && caller.organization.is_some()) {
        Some((what, _)) => forbidden(format!(
            "{what} is for callers who belong to no organization."
        )),
        None => Ok(()),
    }
}

/// A client that could be made again by someone else must not be the actor of another one's users.
fn check_actor(realm: &Realm, client: &Client) -> Result<(), Stop<ApiRefusal>> {
    match &client.actor {
        Some(actor) if realm.managed.chosen.contains(actor) => {
            Err(ApiRefusal::invalid_member(
                "/may_act",
                "names a client whose id was chosen and can be chosen again: name one of the file, or one whose id was \
                 drawn",
            ).into())
        }
        _ => Ok(()),
    }
}

/// Who is no administrator changes where a client is reached, or its secrets, only where they could be given its limited
/// scopes: users who agreed to it are not asked again.
///
/// # Errors
/// 403.
pub(super) fn check_all_limited(
    realm: &Realm,
    caller: &Caller,
    client: &Client,
) -> Result<(), Stop<ApiRefusal>> {
    if caller.is_administrator() || is_owner_only(caller) {
        return Ok(());
    }
    match limited_beyond(realm, caller, client) {
        None => Ok(()),
        Some(scope) => forbidden(format!(
            "You could not be given the client's scope {scope:?} yourself."
        )),
    }
}

fn limited_beyond<'c>(realm: &Realm, caller: &Caller, client: &'c Client) -> Option<&'c str> {
    let mut scopes = client.scopes.iter();
    scopes.find(|token| {
        let declared = realm.declared_scope(token);
        declared.is_some_and(|declared| {
            declared.groups.is_some() && !caller.could_be_given(token, declared)
        })
    })
}

/// The rights that a client could use for itself or show to a user: never more than the caller holds.
fn check_rights_in_scopes(
    realm: &Realm,
    caller: &Caller,
    client: &Client,
) -> Result<(), Stop<ApiRefusal>> {
    for (index, token) in client.scopes.iter().enumerate() {
        match Rights::of_token(token) {
            None | Some(Right::Me) => {}
            // Whoever could change such a client could use its rights.
            Some(_) => {
                return Err(ApiRefusal::invalid_member(
                    format!("/scopes/{index}"),
                    format!("{token:?} is for clients that the configuration file declares"),
                )
                .into());
            }
        }
    }
    check_given_rights(realm, caller, client)
}

fn check_given_rights(
    realm: &Realm,
    caller: &Caller,
    client: &Client,
) -> Result<(), Stop<ApiRefusal>> {
    let given = realm.rights_given_by(&client.scopes);
    match given.are_within(caller.rights) {
        true => Ok(()),
        false => Err(ApiRefusal::new(
            ApiCode::Forbidden,
            "Its scopes stand for rights that you do not hold.",
        )
        .into()),
    }
}

/// A machine has a limited scope for itself, so it gets it from who could be given it.
fn check_limited_scopes(
    realm: &Realm,
    caller: &Caller,
    client: &Client,
) -> Result<(), Stop<ApiRefusal>> {
    if !client.may_use(GrantType::ClientCredentials) || caller.is_administrator() {
        return Ok(());
    }
    match limited_beyond(realm, caller, client) {
        None => Ok(()),
        Some(scope) => Err(ApiRefusal::naming(
            ApiCode::Forbidden,
            format!(
                "You could not be given the scope {scope:?} yourself, and a machine has it for itself."
            ),
        ).into()),
    }
}

/// Who belongs to an organization makes and keeps clients there.
fn check_organization(
    caller: &Caller,
    written: &Map<String, Value>,
) -> Result<(), Stop<ApiRefusal>> {
    let named = written
        .get(ManagedClient::ORGANIZATION)
        .and_then(Value::as_str);
    match &caller.organization {
        Some(own) if named != Some(own.as_str()) => Err(ApiRefusal::new(
            ApiCode::Forbidden,
            "You may only make and change clients of your organization.",
        )
        .into()),
        _ => Ok(()),
    }
}

fn check_own(realm: &Realm, caller: &Caller, client: &Client) -> Result<(), Stop<ApiRefusal>> {
    let Actor::User(_) = caller.actor else {
        return forbidden("Only a user can have clients of their own.".to_owned());
    };
    let acts_for_itself =
        |grant| grant == GrantType::ClientCredentials && are_for_machines(realm, &client.scopes);
    let is_own = |grant| OWN_GRANTS.contains(&grant) || acts_for_itself(grant);
    if let Some(grant) = client.grants.iter().find(|grant| !is_own(**grant)) {
        return forbidden(format!(
            "The grant {} needs the right {}, or scopes that are for machines.",
            grant.short(),
            Right::ClientsWrite.token()
        ));
    }
    if client.availability == Availability::Everyone {
        return forbidden(format!(
            "Clients of one's own are there for their owner or their organization: everyone needs the right {}.",
            Right::ClientsWrite.token()
        ));
    }
    let groups = caller.user.as_ref().map(|user| &*user.groups);
    let groups = groups.unwrap_or_default();
    let could_be_given = |scope: &&str| realm.may_be_given(scope, groups);
    if let Some(scope) = client.scopes.iter().find(|scope| !could_be_given(scope)) {
        return forbidden(format!(
            "You could not be given the scope {scope:?} yourself."
        ));
    }
    Ok(())
}

fn are_for_machines(realm: &Realm, scope: &Scope) -> bool {
    scope.iter().all(|token| {
        let declared = realm.declared_scope(token);
        declared.is_some_and(|declared| declared.machines)
    })
}
