//! What an operator declares of a scope: its words, and who can be given it.

/// A scope of a resource, or what a plain scope has of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredScope {
    /// For people.
    pub text: String,
    /// Only users in one of these groups can be given it: no user where there are none. `None` is no limit. Machines are
    /// limited by their client's scopes alone.
    pub groups: Option<Vec<String>>,
    /// Whether the owner of a client may let it act for itself with this scope.
    pub machines: bool,
}

impl DeclaredScope {
    /// Whether a user in these groups can be given it.
    #[must_use]
    pub fn allows(&self, groups: &[String]) -> bool {
        let of_user = |group: &String| groups.contains(group);
        let limit = self.groups.as_ref();
        limit.is_none_or(|limit| limit.iter().any(of_user))
    }
}
