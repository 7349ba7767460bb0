//! Organizations, to which users and clients belong.

use serde_json::{Map, Value};

use super::admitted::ApiOperation;
use super::caller::Caller;
use super::edit::Edit;
use super::precondition::{ETag, IfMatch};
use super::refusal::{ApiCode, ApiRefusal, FieldError};
use crate::base::error::Failure;
use crate::base::row::{Index, Key, Row, Version};
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{Facts, Versioned};
use crate::model::changed::Changed;
use crate::model::ids::OrganizationId;
use crate::model::realm::Realm;
use crate::model::right::Right;
use crate::records::{self, ManagedOrganization, Record as _};

/// Members that the API adds.
pub const READ_ONLY: [&str; 4] = ["declared", "created", "changed", "effective_at"];
const NAME: &str = "name";
const ENABLED: &str = "enabled";
const ID: &str = "id";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationView {
    pub id: OrganizationId,
    pub name: Option<String>,
    pub enabled: bool,
    pub declared: bool,
    pub created: Option<Changed>,
    pub changed: Option<Changed>,
    pub etag: ETag,
}

impl OrganizationView {
    fn of_record(record: &ManagedOrganization, etag: ETag) -> Self {
        Self {
            id: record.organization.clone(),
            name: record.name.clone(),
            enabled: record.enabled,
            declared: false,
            created: Some(record.created.clone()),
            changed: Some(record.changed.clone()),
            etag,
        }
    }

    /// Those of the configuration file, in the order of their ids.
    #[must_use]
    pub fn all_declared(realm: &Realm) -> Vec<Self> {
        let ids = realm.organizations.keys();
        let mut all: Vec<_> = ids.filter_map(|id| Self::declared(realm, id)).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    fn declared(realm: &Realm, id: &OrganizationId) -> Option<Self> {
        let declared = realm.organizations.get(id)?;
        let content = format!("{}\0{}", declared.name, declared.enabled);
        Some(Self {
            id: id.clone(),
            name: Some(declared.name.clone()),
            enabled: declared.enabled,
            declared: true,
            created: None,
            changed: None,
            etag: ETag::of_content(content.as_bytes()),
        })
    }

    /// As answers have it.
    #[must_use]
    pub fn json(&self) -> Map<String, Value> {
        let mut json = self.members();
        json.insert(ID.to_owned(), self.id.as_str().into());
        json.insert("declared".to_owned(), self.declared.into());
        for (key, line) in [("created", &self.created), ("changed", &self.changed)] {
            if let Some(line) = line {
                json.insert(key.to_owned(), line.json());
            }
        }
        json
    }

    fn members(&self) -> Map<String, Value> {
        let name = self.name.clone().map(|name| (NAME.to_owned(), name.into()));
        let enabled = (ENABLED.to_owned(), self.enabled.into());
        name.into_iter().chain([enabled]).collect()
    }
}

/// The organization of a listed row; none where it was deleted.
///
/// # Errors
/// [`Failure::Corrupt`] if the row has none.
pub fn view_row(row: &Row) -> Result<Option<OrganizationView>, Failure> {
    let record: ManagedOrganization = serde_json::from_slice(&row.value)
        .map_err(|_| Failure::Corrupt(format!("{:?}", row.key)))?;
    let view = || OrganizationView::of_record(&record, row.version.into());
    Ok((!record.deleted).then(view))
}

fn key_of(realm: &Realm, id: &str) -> Option<Key> {
    let id: OrganizationId = id.parse().ok()?;
    Some(ManagedOrganization::key(&realm.name, &id))
}

fn reads(realm: &Realm, id: &str) -> Vec<Key> {
    key_of(realm, id).into_iter().collect()
}

fn managed(
    env: &Env<'_>,
    facts: &Facts,
    id: &str,
) -> Result<Versioned<ManagedOrganization>, Stop<ApiRefusal>> {
    let parsed: OrganizationId = id.parse().map_err(|_| ApiRefusal::not_found())?;
    if env.realm.organizations.contains_key(&parsed) {
        return Err(ApiRefusal::new(
            ApiCode::Declared,
            "The configuration file declares this organization: change it there.",
        )
        .into());
    }
    let key = ManagedOrganization::key(&env.realm.name, &parsed);
    let row = facts.record::<ManagedOrganization>(env, &key)?.live();
    let row = row.filter(|row| !row.record.deleted);
    Ok(row.ok_or_else(ApiRefusal::not_found)?)
}

/// Which organizations there are.
#[derive(Clone, Copy, Debug)]
pub struct ListOrganizations;

impl ApiOperation for ListOrganizations {
    type Reply = Index;

    fn needs(&self) -> &'static [Right] {
        &[Right::OrganizationsRead]
    }

    fn decide(
        &self,
        env: &Env<'_>,
        _: &Facts,
        _: &Caller,
    ) -> Result<Decision<Index, ApiRefusal>, Stop<ApiRefusal>> {
        Ok(Decision::reply(Index::Kind {
            realm: env.realm.name.clone(),
            kind: ManagedOrganization::KIND.to_owned(),
        }))
    }
}

#[derive(Clone, Debug)]
pub struct ReadOrganization {
    pub id: String,
}

impl ApiOperation for ReadOrganization {
    type Reply = OrganizationView;

    fn needs(&self) -> &'static [Right] {
        &[Right::OrganizationsRead]
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        reads(realm, &self.id)
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        _: &Caller,
    ) -> Result<Decision<OrganizationView, ApiRefusal>, Stop<ApiRefusal>> {
        let id = self.id.parse::<OrganizationId>().ok();
        if let Some(view) = id.and_then(|id| OrganizationView::declared(env.realm, &id)) {
            return Ok(Decision::reply(view));
        }
        let row = managed(env, facts, &self.id)?;
        let etag = row.row.version.into();
        Ok(Decision::reply(OrganizationView::of_record(
            &row.record,
            etag,
        )))
    }
}

#[derive(Clone, Debug)]
pub struct CreateOrganization {
    pub body: Map<String, Value>,
}

impl ApiOperation for CreateOrganization {
    type Reply = OrganizationView;

    fn needs(&self) -> &'static [Right] {
        &[Right::OrganizationsWrite]
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        let id = self.body.get(ID).and_then(Value::as_str);
        id.map(|id| reads(realm, id)).unwrap_or_default()
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<OrganizationView, ApiRefusal>, Stop<ApiRefusal>> {
        let mut members = self.body.clone();
        let id = match members.remove(ID) {
            Some(Value::String(id)) => id
                .parse::<OrganizationId>()
                .map_err(|error| ApiRefusal::invalid_member("/id", error.to_string()))?,
            _ => {
                return Err(
                    ApiRefusal::invalid_member("/id", "missing key \"id\", a string").into(),
                );
            }
        };
        let key = ManagedOrganization::key(&env.realm.name, &id);
        let row = facts.record::<ManagedOrganization>(env, &key)?.live();
        if row.as_ref().is_some_and(|row| row.record.deleted) {
            return Err(ApiRefusal::new(
                ApiCode::Taken,
                "An organization had this id and was deleted; its users and clients would come back with it. Choose another id.",
            )
            .into());
        }
        if row.is_some() || env.realm.organizations.contains_key(&id) {
            return Err(ApiRefusal::new(ApiCode::Taken, "An organization has this id.").into());
        }
        let changed = caller.changed(env.now);
        let (name, enabled) = read_members(&members)?;
        let record = ManagedOrganization {
            organization: id,
            name,
            enabled,
            created: changed.clone(),
            changed,
            deleted: false,
        };
        let write = records::insert(&env.realm.name, &record)?;
        Ok(reply(env, caller, &record, EventKind::OrganizationAdded).write(write))
    }
}

fn reply(
    env: &Env<'_>,
    caller: &Caller,
    record: &ManagedOrganization,
    kind: EventKind,
) -> Decision<OrganizationView, ApiRefusal> {
    let version = Version::from_bytes(env.seed.bytes("commit"));
    let view = OrganizationView::of_record(record, version.into());
    let event = Event::new(kind).object("organization", record.organization.as_str());
    Decision::reply(view).event(caller.did(event))
}

/// # Errors
/// 422 for members that are not there, or of another type.
fn read_members(members: &Map<String, Value>) -> Result<(Option<String>, bool), Stop<ApiRefusal>> {
    let (mut name, mut enabled, mut errors) = (None, true, Vec::new());
    for (key, value) in members {
        let why = match (key.as_str(), value) {
            (NAME, Value::String(text)) if is_name(text) => {
                name = Some(text.clone());
                continue;
            }
            (ENABLED, Value::Bool(value)) => {
                enabled = *value;
                continue;
            }
            (NAME, _) => {
                "expected a text of 1 to 200 characters without control characters".to_owned()
            }
            (ENABLED, _) => "expected true or false".to_owned(),
            (key, _) => format!("unknown key {key:?}"),
        };
        errors.push(FieldError {
            pointer: format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            detail: why,
        });
    }
    match errors.is_empty() {
        true => Ok((name, enabled)),
        false => Err(ApiRefusal::invalid(errors).into()),
    }
}

fn is_name(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

#[derive(Clone, Debug)]
pub struct ChangeOrganization {
    pub id: String,
    pub edit: Edit,
    pub if_match: IfMatch,
}

impl ApiOperation for ChangeOrganization {
    type Reply = OrganizationView;

    fn needs(&self) -> &'static [Right] {
        &[Right::OrganizationsWrite]
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        reads(realm, &self.id)
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<OrganizationView, ApiRefusal>, Stop<ApiRefusal>> {
        let row = managed(env, facts, &self.id)?;
        let before = OrganizationView::of_record(&row.record, row.row.version.into());
        self.if_match.check(&before.etag)?;
        let mut shown = before.members();
        shown.insert(ID.to_owned(), before.id.as_str().into());
        let mut members = self.edit.apply(&shown, &READ_ONLY);
        let id = members.remove(ID);
        if id.is_some_and(|id| id.as_str() != Some(before.id.as_str())) {
            return Err(
                ApiRefusal::invalid_member("/id", "does not change: make another object").into(),
            );
        }
        let (name, enabled) = read_members(&members)?;
        let record = ManagedOrganization {
            name,
            enabled,
            changed: caller.changed(env.now),
            ..row.record.clone()
        };
        let update = records::update(&env.realm.name, &record, &row.row)?;
        Ok(reply(env, caller, &record, EventKind::OrganizationChanged).write(update))
    }
}

/// Users and clients of an organization that is gone are as those of a disabled one. Its id cannot be used again.
#[derive(Clone, Debug)]
pub struct DeleteOrganization {
    pub id: String,
    pub if_match: IfMatch,
}

impl ApiOperation for DeleteOrganization {
    type Reply = ();

    fn needs(&self) -> &'static [Right] {
        &[Right::OrganizationsWrite]
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        reads(realm, &self.id)
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<(), ApiRefusal>, Stop<ApiRefusal>> {
        let row = managed(env, facts, &self.id)?;
        self.if_match.check(&ETag::from(row.row.version))?;
        let event = Event::new(EventKind::OrganizationDeleted);
        let event = event.object("organization", row.record.organization.as_str());
        let record = ManagedOrganization {
            name: None,
            enabled: false,
            deleted: true,
            changed: caller.changed(env.now),
            ..row.record.clone()
        };
        let update = records::update(&env.realm.name, &record, &row.row)?;
        Ok(Decision::reply(()).write(update).event(caller.did(event)))
    }
}
