//! Rights over the management API: the scopes of the built-in resource `grantor`.

use crate::base::names::config_names;
use crate::model::scope::Scope;

/// The identifier of the built-in resource.
pub const RESOURCE: &str = "grantor";

/// The client of the API's documentation page, which is there while the API is.
pub const DOCS_CLIENT: &str = "grantor-docs";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    ClientsRead,
    ClientsWrite,
    UsersRead,
    UsersWrite,
    OrganizationsRead,
    OrganizationsWrite,
    /// Resources, scopes and exchange rules.
    ConfigRead,
    ConfigWrite,
    /// Sessions, too.
    GrantsRead,
    GrantsWrite,
    KeysRead,
    KeysWrite,
    EventsRead,
    /// Clients of one's own, within one's own scopes.
    ClientsOwn,
    /// Who one is.
    Me,
}

config_names!(Right {
    ClientsRead = "clients:read",
    ClientsWrite = "clients:write",
    UsersRead = "users:read",
    UsersWrite = "users:write",
    OrganizationsRead = "organizations:read",
    OrganizationsWrite = "organizations:write",
    ConfigRead = "config:read",
    ConfigWrite = "config:write",
    GrantsRead = "grants:read",
    GrantsWrite = "grants:write",
    KeysRead = "keys:read",
    KeysWrite = "keys:write",
    EventsRead = "events:read",
    ClientsOwn = "clients:own",
    Me = "self",
});

impl Right {
    /// The scope token: `grantor/clients:read`.
    #[must_use]
    pub fn token(self) -> String {
        format!("{RESOURCE}/{}", self.name())
    }

    /// What people read where they consent.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::ClientsRead => "See the apps",
            Self::ClientsWrite => "Add, change and delete apps",
            Self::UsersRead => "See the users",
            Self::UsersWrite => "Add, change and delete users",
            Self::OrganizationsRead => "See the organizations",
            Self::OrganizationsWrite => "Add, change and delete organizations",
            Self::ConfigRead => "See APIs, scopes and rules",
            Self::ConfigWrite => "Change APIs, scopes and rules",
            Self::GrantsRead => "See where users are signed in",
            Self::GrantsWrite => "Sign users out",
            Self::KeysRead => "See which keys sign",
            Self::KeysWrite => "Replace the keys that sign",
            Self::EventsRead => "See what happened",
            Self::ClientsOwn => "Add and change apps of your own",
            Self::Me => "See who you are",
        }
    }

    /// Who may write may read, too: a change names the version that was read.
    const fn included(self) -> Option<Self> {
        match self {
            Self::ClientsWrite => Some(Self::ClientsRead),
            Self::UsersWrite => Some(Self::UsersRead),
            Self::OrganizationsWrite => Some(Self::OrganizationsRead),
            Self::ConfigWrite => Some(Self::ConfigRead),
            Self::GrantsWrite => Some(Self::GrantsRead),
            Self::KeysWrite => Some(Self::KeysRead),
            _ => None,
        }
    }

    /// Whether it is about all organizations, and so only for who belongs to none.
    #[must_use]
    pub const fn is_global(self) -> bool {
        matches!(
            self,
            Self::OrganizationsRead
                | Self::OrganizationsWrite
                | Self::ConfigRead
                | Self::ConfigWrite
                | Self::KeysRead
                | Self::KeysWrite
        )
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u16);

impl Rights {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub fn all() -> Self {
        Right::ALL.iter().copied().collect()
    }

    /// Those that a scope names: `grantor/NAME`.
    #[must_use]
    pub fn of_scope(scope: &Scope) -> Self {
        scope.iter().filter_map(Self::of_token).collect()
    }

    /// The right that a scope token names.
    #[must_use]
    pub fn of_token(token: &str) -> Option<Right> {
        let name = token.strip_prefix(RESOURCE)?.strip_prefix('/')?;
        Right::ALL.iter().copied().find(|it| it.name() == name)
    }

    /// Whether it has this right, or one that includes it.
    #[must_use]
    pub fn allows(self, right: Right) -> bool {
        let mut including = Right::ALL.iter().filter(|it| it.included() == Some(right));
        self.contains(right) || including.any(|it| self.contains(*it))
    }

    #[must_use]
    pub const fn contains(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether they are more than to ask who one is.
    #[must_use]
    pub fn are_over_others(self) -> bool {
        self.iter().any(|right| right != Right::Me)
    }

    /// Whether `other` allows each of them.
    #[must_use]
    pub fn are_within(self, other: Self) -> bool {
        self.iter().all(|right| other.allows(right))
    }

    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Without those that are about all organizations.
    #[must_use]
    pub fn within_an_organization(self) -> Self {
        self.iter().filter(|right| !right.is_global()).collect()
    }

    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL
            .iter()
            .copied()
            .filter(move |right| self.contains(*right))
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().fold(0, |all, right| all | right.bit()))
    }
}

/// Who may be given rights: `[api]` of the configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiSettings {
    /// Whether the listeners serve `/api`.
    pub enabled: bool,
    /// The groups whose members may be given all rights.
    pub admins: Vec<String>,
    /// The groups whose members may have clients of their own.
    pub developers: Vec<String>,
}

impl ApiSettings {
    /// The groups whose users may be given a right; `None` for one that all may.
    #[must_use]
    pub fn groups_of(&self, right: Right) -> Option<Vec<String>> {
        match right {
            Right::Me => None,
            Right::ClientsOwn => Some([&*self.admins, &*self.developers].concat()),
            _ => Some(self.admins.clone()),
        }
    }

    /// What a user of these groups may be given.
    #[must_use]
    pub fn rights_of_groups(&self, groups: &[String]) -> Rights {
        let is_in = |named: &[String]| groups.iter().any(|group| named.contains(group));
        if is_in(&self.admins) {
            Rights::all()
        } else if is_in(&self.developers) {
            [Right::ClientsOwn, Right::Me].into_iter().collect()
        } else {
            [Right::Me].into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_includes_reading_and_nothing_else_includes_anything() {
        for right in Right::ALL {
            let held: Rights = [*right].into_iter().collect();
            for asked in Right::ALL {
                let writes = right.name().strip_suffix(":write");
                let reads = asked.name().strip_suffix(":read");
                let is_included = writes.is_some() && writes == reads;
                assert_eq!(held.allows(*asked), right == asked || is_included);
            }
        }
    }

    #[test]
    fn a_scope_token_names_its_right_exactly() {
        for right in Right::ALL {
            assert_eq!(Rights::of_token(&right.token()), Some(*right));
        }
        for other in [
            "grantor",
            "grantor/",
            "grantor/clients",
            "Grantor/self",
            "x/self",
        ] {
            assert_eq!(Rights::of_token(other), None, "{other}");
        }
    }

    #[test]
    fn only_members_of_named_groups_may_be_given_more_than_to_ask_who_they_are() {
        let api = ApiSettings {
            enabled: true,
            admins: vec!["admins".to_owned()],
            developers: vec!["devs".to_owned()],
        };
        let of = |group: &str| api.rights_of_groups(&[group.to_owned()]);
        assert_eq!(of("admins"), Rights::all());
        assert!(of("devs").contains(Right::ClientsOwn) && !of("devs").allows(Right::ClientsRead));
        assert!(of("staff").iter().eq([Right::Me]));
        // The same, right by right.
        for group in ["admins", "devs", "staff"] {
            for right in Right::ALL {
                let groups = api.groups_of(*right);
                let may = groups.is_none_or(|groups| groups.contains(&group.to_owned()));
                assert_eq!(may, of(group).contains(*right), "{group} {right:?}");
            }
        }
        assert!(
            !of("admins")
                .within_an_organization()
                .allows(Right::KeysRead)
        );
    }
}
