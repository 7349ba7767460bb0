//! Events, by the management API over the socket.

use std::borrow::Cow;

use grantor_core::engine::explain::Explained;
use http::Method;
use serde::Deserialize;

use super::{AdminRequest, ListedPage};

/// A page of events, newest first.
#[derive(Clone, Debug, Default)]
pub struct ListEvents {
    /// Of the query; those without a value are left out.
    pub filter: Vec<(&'static str, String)>,
    pub after: Option<String>,
    pub limit: usize,
}

impl AdminRequest for ListEvents {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/api/v1/events";
    type Answer = ListedPage;

    fn target(&self) -> Cow<'static, str> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.filter);
        query.extend_pairs(self.after.iter().map(|after| ("after", after)));
        query.append_pair("limit", &self.limit.to_string());
        format!("{}?{}", Self::PATH, query.finish()).into()
    }

    fn body(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// What happened to a request, in words.
#[derive(Clone, Debug)]
pub struct GetTrace {
    pub trace_id: String,
}

#[derive(Debug, Deserialize)]
pub struct Trace {
    pub trace_id: String,
    /// Oldest first.
    pub events: Vec<Explained>,
}

impl AdminRequest for GetTrace {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/api/v1/traces";
    type Answer = Trace;

    fn target(&self) -> Cow<'static, str> {
        // Nothing but letters and digits is an id, or needs no escape.
        let id = self.trace_id.chars().filter(char::is_ascii_alphanumeric);
        format!("{}/{}", Self::PATH, id.collect::<String>()).into()
    }

    fn body(&self) -> Vec<u8> {
        Vec::new()
    }
}
