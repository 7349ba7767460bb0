//! Which of a user's groups a token contains: those "that are relevant to the resource being accessed" (RFC 9068
//! section 2.2.3.1), "the minimally necessary amount of data" (RFC 8693 section 6).

use std::str::FromStr;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GroupFilter {
    #[default]
    All,
    /// Groups that match any of these patterns.
    Only(Vec<GroupPattern>),
}

impl GroupFilter {
    pub const NONE: Self = Self::Only(Vec::new());

    #[must_use]
    pub fn apply(&self, groups: &[String]) -> Vec<String> {
        let selected = |group: &&String| match self {
            Self::All => true,
            Self::Only(patterns) => patterns.iter().any(|pattern| pattern.names(group)),
        };
        groups.iter().filter(selected).cloned().collect()
    }
}

/// A group's name, or a prefix followed by a star.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPattern {
    text: String,
    prefix: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not the name of a group, which may end in a star: \"orders-*\"")]
pub struct InvalidPattern;

impl GroupPattern {
    pub const ANY: Self = Self {
        text: String::new(),
        prefix: true,
    };

    fn names(&self, group: &str) -> bool {
        match self.prefix {
            true => group.starts_with(&self.text),
            false => group == self.text,
        }
    }
}

impl FromStr for GroupPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let (name, prefix) = match text.strip_suffix('*') {
            Some(beginning) => (beginning, true),
            None => (text, false),
        };
        let is_name = !name.contains('*') && !name.chars().any(char::is_control);
        if text.is_empty() || !is_name {
            return Err(InvalidPattern);
        }
        Ok(Self {
            text: name.to_owned(),
            prefix,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(patterns: &[&str]) -> Vec<String> {
        let patterns = patterns.iter().map(|text| text.parse().unwrap());
        let groups = ["staff", "orders-clerk", "orders-admin", "order"].map(ToOwned::to_owned);
        GroupFilter::Only(patterns.collect()).apply(&groups)
    }

    #[test]
    fn a_pattern_matches_one_group_or_a_prefix() {
        assert_eq!(selected(&["staff"]), ["staff"]);
        assert_eq!(selected(&["orders-*"]), ["orders-clerk", "orders-admin"]);
        assert_eq!(selected(&["order", "staff"]), ["staff", "order"]);
        assert_eq!(selected(&["*"]).len(), 4);
        assert!(selected(&["Staff", "staf", "orders-"]).is_empty());
        assert!(selected(&[]).is_empty());
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for text in ["", "*-admin", "a*b", "**", "a\n"] {
            assert_eq!(text.parse::<GroupPattern>(), Err(InvalidPattern), "{text}");
        }
    }
}
