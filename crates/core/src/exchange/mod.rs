//! Token exchange (RFC 8693): the rules, and the one engine that decides by them and explains them.

mod assertion;
mod assumed;
mod content;
mod decision;
mod explain;
mod party;
mod policy;
mod request;

pub use explain::{Explain, Explanation, Issued, PartySummary, Refused, RuleTrace};
pub use policy::Unmet;
pub(crate) use policy::still_given;

pub(crate) use content::Content;
pub(crate) use decision::{Case, Granted, evaluate};
pub(crate) use party::Party;
pub(crate) use request::ExchangeRequest;
