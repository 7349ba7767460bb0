//! Token exchange (RFC 8693): the rules, and the one engine that decides by them and explains them.

mod actor;
mod assumed;
mod content;
mod decision;
mod explain;
mod party;
mod policy;
mod request;
mod rule;
mod token_type;

pub use actor::{Actor, MayAct};
pub use explain::{Explain, Explanation, Issued, PartySaid, Refused, RuleAsked};
pub use policy::Unmet;
pub use rule::{ActorRule, Kind, Rule, RuleTarget, SubjectRule};
pub use token_type::TokenType;

pub(crate) use content::{Content, NewGrant, still_given};
pub(crate) use decision::{Case, Granted, evaluate};
pub(crate) use party::Party;
pub(crate) use request::Request;
