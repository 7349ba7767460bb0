//! Changes of JSON objects: as a whole, or by a merge patch (RFC 7396).

use serde_json::{Map, Value};

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
                merge(&mut edited, patch);
                edited
            }
        };
        edited.retain(|key, _| !read_only.contains(&key.as_str()));
        edited
    }
}

/// RFC 7396 section 2.
fn merge(object: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, value) in patch {
        match value {
            Value::Null => {
                object.remove(key);
            }
            Value::Object(inner) => {
                let member = object.entry(key).or_insert_with(|| Map::new().into());
                if !member.is_object() {
                    *member = Map::new().into();
                }
                if let Value::Object(member) = member {
                    merge(member, inner);
                }
            }
            value => {
                object.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Objects of RFC 7396 appendix A.
    #[test]
    fn rfc7396_appendix_a_examples() {
        for (original, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": "b"}),
                json!({"b": "c"}),
                json!({"a": "b", "b": "c"}),
            ),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (
                json!({"a": "b", "b": "c"}),
                json!({"a": null}),
                json!({"b": "c"}),
            ),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (
                json!({"a": [{"b": "c"}]}),
                json!({"a": [1]}),
                json!({"a": [1]}),
            ),
            (
                json!({"e": null}),
                json!({"a": 1}),
                json!({"e": null, "a": 1}),
            ),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
        ] {
            let object = |value: &Value| value.as_object().cloned().expect("an object");
            let edited = Edit::Merge(object(&patch)).apply(&object(&original), &[]);
            assert_eq!(edited, object(&result), "{original} {patch}");
        }
    }

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
