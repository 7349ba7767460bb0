//! Which of a user's groups are told. RFC 9068 section 2.2.3.1 speaks of those "that are relevant to the resource being
//! accessed", RFC 8693 section 6 of "the minimally necessary amount of data".

use std::str::FromStr;

/// Which groups are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GroupFilter {
    /// All of them.
    #[default]
    All,
    /// Those that one of these patterns names; without a pattern, none.
    Only(Vec<GroupPattern>),
}

impl GroupFilter {
    /// The filter that lets nothing through.
    pub const NONE: Self = Self::Only(Vec::new());

    /// Those of `groups` that are told, in their order.
    #[must_use]
    pub fn of(&self, groups: &[String]) -> Vec<String> {
        let told = |group: &&String| match self {
            Self::All => true,
            Self::Only(patterns) => patterns.iter().any(|pattern| pattern.names(group)),
        };
        groups.iter().filter(told).cloned().collect()
    }
}

/// A group, or with a star at its end all groups that begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPattern {
    text: String,
    prefix: bool,
}

/// What is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not the name of a group, which may end in a star: \"orders-*\"")]
pub struct InvalidPattern;

impl GroupPattern {
    /// All groups.
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

    fn told(patterns: &[&str]) -> Vec<String> {
        let patterns = patterns.iter().map(|text| text.parse().unwrap());
        let groups = ["staff", "orders-clerk", "orders-admin", "order"].map(ToOwned::to_owned);
        GroupFilter::Only(patterns.collect()).of(&groups)
    }

    #[test]
    fn a_pattern_names_one_group_or_all_that_begin_so() {
        assert_eq!(told(&["staff"]), ["staff"]);
        assert_eq!(told(&["orders-*"]), ["orders-clerk", "orders-admin"]);
        assert_eq!(told(&["order", "staff"]), ["staff", "order"]);
        assert_eq!(told(&["*"]).len(), 4);
        assert!(told(&["Staff", "staf", "orders-"]).is_empty());
        assert!(told(&[]).is_empty());
    }

    #[test]
    fn what_is_no_name_with_at_most_a_star_at_its_end_is_no_pattern() {
        for text in ["", "*-admin", "a*b", "**", "a\n"] {
            assert_eq!(text.parse::<GroupPattern>(), Err(InvalidPattern), "{text}");
        }
    }
}
