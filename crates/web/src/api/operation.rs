//! What the OpenAPI document says of an operation. Most of it follows from the kind of operation.

use grantor_core::manage::ApiCode;
use grantor_core::model::right::Right;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// A method of a path.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    pub kind: Kind,
    /// Also the name of a function of generated clients, so it never changes.
    pub id: &'static str,
    pub summary: &'static str,
    pub object: &'static Object,
    /// Any of them is enough; none for what every caller may.
    pub rights: &'static [Right],
    /// Of the query, in addition to those of its kind.
    pub query: &'static [Query],
    /// In addition to those of its kind.
    pub refusals: &'static [ApiCode],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// GET: 200 with `items` and `next`.
    List,
    /// GET: 200 with the object.
    Read,
    /// POST: 201 with the object and its `Location`.
    Create,
    /// PUT with If-Match: 200 with the object.
    Replace,
    /// PATCH (RFC 7396) with If-Match: 200 with the object.
    Change,
    /// DELETE with If-Match: 204.
    Delete,
    /// DELETE without If-Match, of what has no versions: 204.
    End,
    /// POST without a body: 200 with the object.
    Act,
}

/// A kind of object.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// The name of its schema.
    pub name: &'static str,
    /// The heading of its operations.
    pub tag: &'static str,
    pub members: Members,
    /// What its answer has once, when it is created: its secret.
    pub created: Option<Type>,
}

/// A type, for its schema.
pub type Type = fn(&mut SchemaGenerator) -> Schema;

/// Where the document finds the members of an object.
#[derive(Clone, Copy, Debug)]
pub enum Members {
    /// Those of a table of the configuration file, and those that the API adds.
    Table(Table),
    /// Those of a type that is only read.
    Answer(Type),
    /// Those of the body of a request, and those of the answer.
    Written(Type, Type),
}

/// An object that is written by the settings of a table of the configuration file.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// `client` for `[[client]]`.
    pub key: &'static str,
    /// Settings that the API does not have: those that name files and variables of the server.
    pub without: &'static [&'static str],
    /// Settings that can be written and not read.
    pub secret: &'static [&'static str],
    /// Settings without which an object can be created, since the API gives a value.
    pub given: &'static [&'static str],
    /// Settings that are optional in the file, and that an object of the API has.
    pub required: &'static [&'static str],
    /// Members of bodies that are no settings.
    pub body: Option<Type>,
    /// Members of answers that are no settings.
    pub added: Type,
}

/// A parameter of the query.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    pub name: &'static str,
    pub doc: &'static str,
    pub form: QueryForm,
}

#[derive(Clone, Copy, Debug)]
pub enum QueryForm {
    Text,
    /// RFC 3339.
    Time,
    /// A whole number from 1.
    Number {
        usual: u32,
        most: u32,
    },
}

impl Object {
    /// An object that is written by the settings of this table of the file. `Added` are the members of its answers that are no
    /// settings.
    #[must_use]
    pub const fn managed<Added: JsonSchema>(
        name: &'static str,
        tag: &'static str,
        table: &'static str,
    ) -> Self {
        let table = Table {
            key: table,
            without: &[],
            secret: &[],
            given: &[],
            required: &[],
            body: None,
            added: SchemaGenerator::subschema_for::<Added>,
        };
        Self::new(name, tag, Members::Table(table))
    }

    /// The API does not have these settings.
    #[must_use]
    pub const fn without(mut self, without: &'static [&'static str]) -> Self {
        if let Members::Table(table) = &mut self.members {
            table.without = without;
        }
        self
    }

    /// These settings can be written and not read.
    #[must_use]
    pub const fn secret(mut self, secret: &'static [&'static str]) -> Self {
        if let Members::Table(table) = &mut self.members {
            table.secret = secret;
        }
        self
    }

    /// The API gives these a value where they are left out.
    #[must_use]
    pub const fn given(mut self, given: &'static [&'static str]) -> Self {
        if let Members::Table(table) = &mut self.members {
            table.given = given;
        }
        self
    }

    /// These settings, optional in the file, are required.
    #[must_use]
    pub const fn required(mut self, required: &'static [&'static str]) -> Self {
        if let Members::Table(table) = &mut self.members {
            table.required = required;
        }
        self
    }

    /// `Body` are the members of bodies that are no settings.
    #[must_use]
    pub const fn body<Body: JsonSchema>(mut self) -> Self {
        if let Members::Table(table) = &mut self.members {
            table.body = Some(SchemaGenerator::subschema_for::<Body>);
        }
        self
    }

    /// An object that is only read: `T` is what answers are serialized from.
    #[must_use]
    pub const fn answer<T: JsonSchema>(name: &'static str, tag: &'static str) -> Self {
        let members = Members::Answer(SchemaGenerator::subschema_for::<T>);
        Self::new(name, tag, members)
    }

    /// Whether answers have an ETag.
    /// An object whose bodies are a `Body` and whose answers are a `T`.
    #[must_use]
    pub const fn written<Body: JsonSchema, T: JsonSchema>(
        name: &'static str,
        tag: &'static str,
    ) -> Self {
        let body = SchemaGenerator::subschema_for::<Body>;
        let answer = SchemaGenerator::subschema_for::<T>;
        Self::new(name, tag, Members::Written(body, answer))
    }

    /// What the answer to its creation has besides, and no other answer.
    #[must_use]
    pub const fn gives_once<Once: JsonSchema>(mut self) -> Self {
        self.created = Some(SchemaGenerator::subschema_for::<Once>);
        self
    }

    #[must_use]
    pub const fn has_versions(&self) -> bool {
        matches!(self.members, Members::Table(_))
    }

    const fn new(name: &'static str, tag: &'static str, members: Members) -> Self {
        Self {
            name,
            tag,
            members,
            created: None,
        }
    }
}

impl Operation {
    #[must_use]
    pub const fn new(
        kind: Kind,
        id: &'static str,
        object: &'static Object,
        summary: &'static str,
    ) -> Self {
        Self {
            kind,
            id,
            summary,
            object,
            rights: &[],
            query: &[],
            refusals: &[],
        }
    }

    #[must_use]
    pub const fn needs(self, rights: &'static [Right]) -> Self {
        Self { rights, ..self }
    }

    #[must_use]
    pub const fn query(self, query: &'static [Query]) -> Self {
        Self { query, ..self }
    }

    #[must_use]
    pub const fn refuses(self, refusals: &'static [ApiCode]) -> Self {
        Self { refusals, ..self }
    }
}

impl Kind {
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::List | Self::Read => "GET",
            Self::Create | Self::Act => "POST",
            Self::Replace => "PUT",
            Self::Change => "PATCH",
            Self::Delete | Self::End => "DELETE",
        }
    }

    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Create => 201,
            Self::Delete | Self::End => 204,
            _ => 200,
        }
    }

    #[must_use]
    pub const fn changes(self) -> bool {
        !matches!(self, Self::List | Self::Read)
    }

    /// Whether it needs the version that it changes.
    #[must_use]
    pub const fn is_conditional(self) -> bool {
        matches!(self, Self::Replace | Self::Change | Self::Delete)
    }

    /// The media type of the body, where there is one.
    #[must_use]
    pub const fn body(self) -> Option<&'static str> {
        match self {
            Self::Create | Self::Replace => Some("application/json"),
            Self::Change => Some("application/merge-patch+json"),
            _ => None,
        }
    }

    /// Refusals of each operation of this kind; those of tokens, paths, rights and conditions aside.
    #[must_use]
    pub const fn refusals(self) -> &'static [ApiCode] {
        const WRITES: &[ApiCode] = &[
            ApiCode::Malformed,
            ApiCode::Forbidden,
            ApiCode::Declared,
            ApiCode::TooLarge,
            ApiCode::UnsupportedMediaType,
            ApiCode::Invalid,
            ApiCode::TooManyRequests,
        ];
        match self {
            Self::List | Self::Read => &[ApiCode::Malformed],
            Self::Create | Self::Replace | Self::Change => WRITES,
            Self::Delete | Self::End | Self::Act => &[
                ApiCode::Malformed,
                ApiCode::Forbidden,
                ApiCode::Declared,
                ApiCode::TooManyRequests,
            ],
        }
    }
}
