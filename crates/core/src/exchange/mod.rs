//! Token exchange (RFC 8693): one engine that applies the rules and explains them.

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
pub(crate) use policy::still_allowed;

pub(crate) use content::Content;
pub(crate) use decision::{Case, Granted, evaluate};
pub(crate) use party::Party;
pub(crate) use request::ExchangeRequest;
pub use request::PreparedExchange;
