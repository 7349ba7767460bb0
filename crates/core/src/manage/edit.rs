//! Changes of JSON objects: as a whole, or by a merge patch (RFC 7396).

use serde_json::{Map, Value};

use super::merge_patch::merge_patch;

#[derive(Clone, Debug)]
pub enum Edit {
    /// PUT.
    Replace(Map<String, Value>),
    /// PATCH: a member that is null is removed.
    Merge(Map<String, Value>),
}

impl Edit {
    /// What the object becomes. Of members that are only read, none is taken.
    #[must_use]
    pub fn apply(&self, object: &Map<String, Value>, read_only: &[&str]) -> Map<String, Value> {
        let mut edited = match self {
            Self::Replace(object) => object.clone(),
            Self::Merge(patch) => {
                let mut edited = object.clone();
                merge_patch(&mut edited, patch.clone());
                edited
            }
        };
        edited.retain(|key, _| !read_only.contains(&key.as_str()));
        edited
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_are_only_read_are_not_taken() {
        let given = json!({"name": "TV", "owner": "me"});
        let given = given.as_object().cloned().expect("an object");
        for edit in [Edit::Replace(given.clone()), Edit::Merge(given)] {
            let edited = edit.apply(&Map::new(), &["owner"]);
            assert_eq!(Value::Object(edited), json!({"name": "TV"}));
        }
    }
}
