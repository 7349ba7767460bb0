//! A part of a list: how many of it are asked for, and after which one.

use crate::base::params::Params;
use crate::base::sealing::EncryptedKind;
use crate::model::realm::Realm;

use super::refusal::{ApiCode, ApiRefusal};

const USUAL_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;
const MAX_QUERY_CHARS: usize = 255;
/// Positions are padded to a multiple of this, since their length tells something of objects that the caller does not see.
const CURSOR_BLOCK: usize = 64;

/// The parameters of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// The most objects of the answer.
    pub limit: usize,
    /// The cursor of the page before.
    pub after: Option<String>,
    /// What to search for.
    pub q: Option<String>,
}

impl PageRequest {
    pub const FOREIGN_CURSOR: ApiRefusal = ApiRefusal::new(
        ApiCode::Malformed,
        "after is not a cursor of this list, with this search and for this caller.",
    );

    /// The query of a list that takes these parameters besides `limit` and `after`.
    ///
    /// # Errors
    /// 400 for other parameters, and for a limit that is no number from 1 to 1,000.
    pub fn parse(query: Option<&str>, also: &[&str]) -> Result<(Self, Params), ApiRefusal> {
        let malformed = |why: String| ApiRefusal::naming(ApiCode::Malformed, why);
        let params = Params::parse(query.unwrap_or_default().as_bytes())
            .map_err(|why| malformed(format!("The query is malformed: {why}.")))?;
        let is_known = |name: &str| ["limit", "after"].contains(&name) || also.contains(&name);
        if params.iter().any(|(name, _)| !is_known(name)) {
            let known = [&["limit", "after"], also].concat().join(", ");
            let why = format!(
                "The query has a parameter that the list does not take. It takes: {known}."
            );
            return Err(malformed(why));
        }
        let limit = match params.opt("limit").map(str::parse) {
            None => USUAL_LIMIT,
            Some(Ok(limit @ 1..=MAX_LIMIT)) => limit,
            Some(_) => {
                let why = format!("limit is not a number from 1 to {MAX_LIMIT}.");
                return Err(malformed(why));
            }
        };
        let q = params.opt("q").map(ToOwned::to_owned);
        if q.as_ref()
            .is_some_and(|q| q.chars().count() > MAX_QUERY_CHARS)
        {
            let why = format!("q has more than {MAX_QUERY_CHARS} characters.");
            return Err(malformed(why));
        }
        let after = params.opt("after").map(ToOwned::to_owned);
        Ok((Self { limit, after, q }, params))
    }
}

/// What a cursor is bound to: the cursor of another list, another search or another organization's caller opens nothing.
#[derive(Clone, Debug)]
pub struct CursorScope(Vec<u8>);

impl CursorScope {
    /// `list` is its path; `filter`, what it was searched for.
    #[must_use]
    pub fn new(list: &str, filter: &str, organization: Option<&str>) -> Self {
        let organization = organization.map_or_else(String::new, |id| format!("of {id}"));
        Self([list, filter, &organization].join("\0").into_bytes())
    }

    /// The cursor that continues after this position.
    #[must_use]
    pub fn seal(&self, realm: &Realm, position: &str, nonce: [u8; 12]) -> Option<String> {
        let mut padded = position.as_bytes().to_vec();
        padded.resize(padded.len().next_multiple_of(CURSOR_BLOCK), 0);
        let kind = EncryptedKind::ApiCursor;
        realm.sealing.encrypt(kind, &self.0, padded, nonce)
    }

    /// The position of a cursor.
    ///
    /// # Errors
    /// 400 if we did not make it for this list.
    pub fn open(&self, realm: &Realm, cursor: &str) -> Result<String, ApiRefusal> {
        const FOREIGN: ApiRefusal = PageRequest::FOREIGN_CURSOR;
        let kind = EncryptedKind::ApiCursor;
        let padded = realm
            .sealing
            .decrypt(kind, &self.0, cursor)
            .ok_or(FOREIGN)?;
        let position = String::from_utf8(padded).map_err(|_| FOREIGN)?;
        Ok(position.trim_end_matches('\0').to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str) -> Result<usize, ApiCode> {
        let parsed = PageRequest::parse(Some(query), &["q"]);
        parsed.map(|(page, _)| page.limit).map_err(|it| it.code)
    }

    #[test]
    fn a_limit_is_from_1_to_1000_and_unknown_parameters_are_refused() {
        assert_eq!(code(""), Ok(100));
        assert_eq!(code("limit=1"), Ok(1));
        assert_eq!(code("limit=1000&q=al"), Ok(1000));
        for bad in [
            "limit=0",
            "limit=1001",
            "limit=-1",
            "limit=ten",
            "limit=1&limit=2",
            "limt=1",
            "after=a&after=b",
            "q=%ff",
        ] {
            assert_eq!(code(bad), Err(ApiCode::Malformed), "{bad}");
        }
        let long = format!("q={}", "a".repeat(256));
        assert_eq!(code(&long), Err(ApiCode::Malformed));
    }
}
