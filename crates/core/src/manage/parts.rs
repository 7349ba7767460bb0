//! Resources, scopes and exchange rules: parts of one document, `config/current`.

use serde_json::{Map, Value};

use super::admitted::ApiOperation;
use super::caller::Caller;
use super::document::Stored;
use super::edit::Edit;
use super::precondition::{ETag, IfMatch};
use super::refusal::{ApiCode, ApiRefusal, FieldError};
use crate::base::row::Key;
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::Facts;
use crate::model::changed::Changed;
use crate::model::checks::Pointer;
use crate::model::config_document::{ConfigDocument, ManagedPart, PartKind};
use crate::model::realm::{OPENID_SCOPES, Realm};
use crate::model::right::{self, Right};
use crate::records::{ConfigVersion, config_key};

/// Members that the API adds, beside the name.
pub const READ_ONLY: [&str; 3] = ["declared", "changed", "effective_at"];

/// A part as the API shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct PartView {
    pub kind: PartKind,
    pub name: String,
    /// The members of its table, as they were written, without the name.
    pub written: Map<String, Value>,
    pub declared: bool,
    pub changed: Option<Changed>,
    pub etag: ETag,
}

impl PartView {
    fn new(
        kind: PartKind,
        name: &str,
        written: Map<String, Value>,
        changed: Option<Changed>,
    ) -> Self {
        let canonical = Value::Object(written.clone()).to_string();
        Self {
            kind,
            name: name.to_owned(),
            written,
            declared: changed.is_none(),
            changed,
            etag: ETag::of_content(canonical.as_bytes()),
        }
    }

    /// As answers have it.
    #[must_use]
    pub fn json(&self) -> Map<String, Value> {
        let mut json = self.written.clone();
        json.insert(self.kind.name_key().to_owned(), self.name.as_str().into());
        json.insert("declared".to_owned(), self.declared.into());
        if let Some(changed) = &self.changed {
            json.insert("changed".to_owned(), changed.json());
        }
        json
    }

    fn declared(realm: &Realm, kind: PartKind, name: &str) -> Option<Self> {
        let mut written = realm.managed.objects.declared_part(kind, name)?;
        written.remove(kind.name_key());
        Some(Self::new(kind, name, written, None))
    }

    fn managed(kind: PartKind, name: &str, part: &ManagedPart) -> Self {
        Self::new(kind, name, part.written.clone(), Some(part.changed.clone()))
    }
}

const READ: &[Right] = &[Right::ConfigRead];
const WRITE: &[Right] = &[Right::ConfigWrite];

fn document_keys(realm: &Realm) -> Vec<Key> {
    vec![config_key(&realm.name), ConfigVersion::key(&realm.name)]
}

#[derive(Clone, Debug)]
pub struct ReadPart {
    pub kind: PartKind,
    pub name: String,
}

impl ApiOperation for ReadPart {
    type Reply = PartView;

    fn needs(&self) -> &'static [Right] {
        READ
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        document_keys(realm)
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        _: &Caller,
    ) -> Result<Decision<PartView, ApiRefusal>, Stop<ApiRefusal>> {
        if let Some(view) = PartView::declared(env.realm, self.kind, &self.name) {
            return Ok(Decision::reply(view));
        }
        let document = Stored::read(env, facts)?.content();
        let part = document.parts(self.kind).get(&self.name);
        let part = part.ok_or_else(ApiRefusal::not_found)?;
        Ok(Decision::reply(PartView::managed(
            self.kind, &self.name, part,
        )))
    }
}

/// A page of parts, by name: those of the file and those of the document.
#[derive(Clone, Debug)]
pub struct ListParts {
    pub kind: PartKind,
    /// The name after which it begins.
    pub after: Option<String>,
    pub limit: usize,
}

impl ApiOperation for ListParts {
    /// The parts, and whether there are more.
    type Reply = (Vec<PartView>, bool);

    fn needs(&self) -> &'static [Right] {
        READ
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        document_keys(realm)
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        _: &Caller,
    ) -> Result<Decision<Self::Reply, ApiRefusal>, Stop<ApiRefusal>> {
        let document = Stored::read(env, facts)?.content();
        let managed = document.parts(self.kind);
        let declared = env.realm.managed.objects.declared_parts(self.kind);
        let mut names: Vec<&str> = declared.iter().map(String::as_str).collect();
        names.extend(managed.keys().map(String::as_str));
        names.sort_unstable();
        names.dedup();
        let after = self.after.as_deref();
        let first = after.map_or(0, |after| names.partition_point(|name| *name <= after));
        let names = &names[first..];
        let page = names.iter().take(self.limit).filter_map(|name| {
            let declared = PartView::declared(env.realm, self.kind, name);
            declared.or_else(|| Some(PartView::managed(self.kind, name, managed.get(*name)?)))
        });
        Ok(Decision::reply((page.collect(), names.len() > self.limit)))
    }
}

#[derive(Clone, Debug)]
pub struct CreatePart {
    pub kind: PartKind,
    pub body: Map<String, Value>,
}

impl ApiOperation for CreatePart {
    type Reply = PartView;

    fn needs(&self) -> &'static [Right] {
        WRITE
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        document_keys(realm)
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<PartView, ApiRefusal>, Stop<ApiRefusal>> {
        let key = self.kind.name_key();
        let mut written = self.body.clone();
        let Some(Value::String(name)) = written.remove(key) else {
            return Err(ApiRefusal::invalid_member(
                format!("/{key}"),
                format!("missing key {key:?}, a string"),
            )
            .into());
        };
        let stored = Stored::read(env, facts)?;
        let document = stored.content();
        if document.parts(self.kind).contains_key(&name) || is_declared(env, self.kind, &name) {
            return Err(ApiRefusal::new(ApiCode::Taken, "The name is taken.").into());
        }
        check_name(self.kind, &name)?;
        put(env, caller, &stored, self.kind, &name, written)
    }
}

fn is_declared(env: &Env<'_>, kind: PartKind, name: &str) -> bool {
    let objects = &env.realm.managed.objects;
    objects.declared_part(kind, name).is_some()
}

/// Names that stand for something else, or that no path can have.
fn check_name(kind: PartKind, name: &str) -> Result<(), Stop<ApiRefusal>> {
    let is_reserved = match kind {
        PartKind::Resource => name == right::RESOURCE,
        PartKind::Scope => name == right::RESOURCE || OPENID_SCOPES.contains(&name),
        PartKind::ExchangeRule => false,
    };
    let why = match () {
        () if is_reserved => "is a reserved name: choose another one",
        () if name == "." || name == ".." => "is no name in a path: choose another one",
        () if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) => {
            "is not 1 to 255 characters without control characters"
        }
        () => return Ok(()),
    };
    let pointer = format!("/{}", kind.name_key());
    Err(ApiRefusal::invalid_member(pointer, why).into())
}

#[derive(Clone, Debug)]
pub struct ChangePart {
    pub kind: PartKind,
    pub name: String,
    pub edit: Edit,
    pub if_match: IfMatch,
}

impl ApiOperation for ChangePart {
    type Reply = PartView;

    fn needs(&self) -> &'static [Right] {
        WRITE
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        document_keys(realm)
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<PartView, ApiRefusal>, Stop<ApiRefusal>> {
        let stored = Stored::read(env, facts)?;
        let before = current(
            env,
            &stored.content(),
            caller,
            self.kind,
            &self.name,
            &self.if_match,
        )?;
        let name_key = self.kind.name_key();
        let mut shown = before.written;
        shown.insert(name_key.to_owned(), self.name.as_str().into());
        let mut written = self.edit.apply(&shown, &READ_ONLY);
        let named = written.remove(name_key);
        if named.is_some_and(|named| named.as_str() != Some(&self.name)) {
            return Err(ApiRefusal::invalid_member(
                format!("/{name_key}"),
                "does not change: make another object",
            )
            .into());
        }
        put(env, caller, &stored, self.kind, &self.name, written)
    }
}

/// The part, if the caller may change it.
///
/// # Errors
/// 404 and 409 as for other objects, 412 if it changed since, 403 if it exceeds the caller.
fn current(
    env: &Env<'_>,
    document: &ConfigDocument,
    caller: &Caller,
    kind: PartKind,
    name: &str,
    if_match: &IfMatch,
) -> Result<PartView, Stop<ApiRefusal>> {
    if is_declared(env, kind, name) {
        return Err(ApiRefusal::new(
            ApiCode::Declared,
            "The configuration file declares this object: change it there.",
        )
        .into());
    }
    let part = document.parts(kind).get(name);
    let part = part.ok_or_else(ApiRefusal::not_found)?;
    let view = PartView::managed(kind, name, part);
    if_match.check(&view.etag)?;
    judge(env.realm, caller, kind, &view.written)?;
    Ok(view)
}

#[derive(Clone, Debug)]
pub struct DeletePart {
    pub kind: PartKind,
    pub name: String,
    pub if_match: IfMatch,
}

impl ApiOperation for DeletePart {
    type Reply = ();

    fn needs(&self) -> &'static [Right] {
        WRITE
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        document_keys(realm)
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<(), ApiRefusal>, Stop<ApiRefusal>> {
        let stored = Stored::read(env, facts)?;
        let mut document = stored.content();
        current(
            env,
            &document,
            caller,
            self.kind,
            &self.name,
            &self.if_match,
        )?;
        document.parts_mut(self.kind).remove(&self.name);
        let problems = env.realm.managed.objects.check(&document);
        if let Some((kind, name, _)) = problems.first() {
            return Err(ApiRefusal::naming(
                ApiCode::InUse,
                format!(
                    "The {} {name:?} needs it: delete or change that first.",
                    kind.word()
                ),
            )
            .into());
        }
        let writes = stored.replaced_by(env, document)?;
        let decision = Decision::reply(()).writes(writes);
        Ok(decision.event(caller.did(changed(self.kind, &self.name))))
    }
}

fn changed(kind: PartKind, name: &str) -> Event {
    Event::new(EventKind::ConfigChanged).object(kind.word(), name)
}

/// Writes a part, if the document is right with it.
fn put(
    env: &Env<'_>,
    caller: &Caller,
    stored: &Stored,
    kind: PartKind,
    name: &str,
    written: Map<String, Value>,
) -> Result<Decision<PartView, ApiRefusal>, Stop<ApiRefusal>> {
    judge(env.realm, caller, kind, &written)?;
    check_gives_and_target(env.realm, kind, &written)?;
    let mut document = stored.content();
    let before = document.parts(kind).get(name);
    let part = ManagedPart::new(kind, name, written, caller.changed(env.now), before);
    let view = PartView::managed(kind, name, &part);
    document.parts_mut(kind).insert(name.to_owned(), part);
    let problems = env.realm.managed.objects.check(&document);
    if !problems.is_empty() {
        let errors = problems.into_iter().map(|(of, named, problem)| {
            let is_own = of == kind && named == name;
            FieldError {
                pointer: match is_own {
                    true => problem.pointer.to_string(),
                    false => Pointer::default().to_string(),
                },
                detail: match is_own {
                    true => problem.message,
                    false => format!(
                        "the {} {named:?} would be wrong: {} {}",
                        of.word(),
                        problem.pointer,
                        problem.message
                    ),
                },
            }
        });
        return Err(ApiRefusal::invalid(errors.collect()).into());
    }
    let writes = stored.replaced_by(env, document)?;
    let decision = Decision::reply(view).writes(writes);
    Ok(decision.event(caller.did(changed(kind, name))))
}

/// Whom a scope is limited to is changed by administrators alone, and so are rules that give such scopes or hide who acts:
/// others could give it to themselves.
fn judge(
    realm: &Realm,
    caller: &Caller,
    kind: PartKind,
    written: &Map<String, Value>,
) -> Result<(), Stop<ApiRefusal>> {
    if caller.is_administrator() {
        return Ok(());
    }
    let is_limited = |scope: &Value| scope.get("groups").is_some();
    let names_limited = |value: &Value| {
        let mut tokens = value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        tokens.any(|token| realm.is_limited(token))
    };
    let exceeds = match kind {
        PartKind::Resource => {
            let scopes = written.get("scopes").and_then(Value::as_object);
            scopes.is_some_and(|scopes| scopes.values().any(is_limited))
        }
        PartKind::Scope => written.contains_key("groups"),
        PartKind::ExchangeRule => {
            let into = written.get("scopes").and_then(Value::as_object);
            let into = into.into_iter().flat_map(|scopes| scopes.values());
            into.chain(written.get("gives")).any(names_limited)
                || written.get("impersonation") == Some(&Value::Bool(true))
        }
    };
    match exceeds {
        false => Ok(()),
        true => Err(ApiRefusal::new(
            ApiCode::Forbidden,
            "Scopes that are limited to groups, and rules that give such scopes or hide who acts, are changed by \
             administrators.",
        ).into()),
    }
}

/// Rights over this API come from the configuration file alone.
fn check_gives_and_target(
    realm: &Realm,
    kind: PartKind,
    written: &Map<String, Value>,
) -> Result<(), Stop<ApiRefusal>> {
    let (key, why) = match kind {
        PartKind::Scope if written.contains_key("gives") => (
            "gives",
            "is for scopes that the configuration file declares",
        ),
        PartKind::ExchangeRule => {
            let audience = written.get("audience").and_then(Value::as_str);
            let is_api = |audience: &str| {
                audience == right::RESOURCE
                    || realm
                        .indicated_resource(audience)
                        .is_some_and(|it| it.identifier == right::RESOURCE)
            };
            if !audience.is_some_and(is_api) {
                return Ok(());
            }
            (
                "audience",
                "is this API, for which only the configuration file has rules",
            )
        }
        _ => return Ok(()),
    };
    Err(ApiRefusal::invalid_member(format!("/{key}"), why).into())
}
