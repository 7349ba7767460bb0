//! Token exchange (RFC 8693): the rules, and the one engine that decides by them and explains them.

mod actor;
mod rule;
mod token_type;

pub use actor::{Actor, MayAct};
pub use rule::{ActorRule, Kind, Rule, RuleTarget, SubjectRule};
pub use token_type::TokenType;
