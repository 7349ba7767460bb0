//! What is managed while the server runs: clients, users, organizations, resources, scopes and rules, by the API and by the
//! operator's commands.
//!
//! Each operation is admitted first: a [`Caller`] with its rights, of a live access token or of the admin socket. What it
//! refuses is a [`ApiRefusal`], never an OAuth error.

mod admitted;
mod caller;
pub mod clients;
mod document;
mod edit;
mod me;
pub mod organizations;
pub mod parts;
mod precondition;
mod refusal;
pub mod resolve;

pub use admitted::{Admission, Admitted, ApiOperation};
pub use caller::{Actor, Caller};
pub use edit::Edit;
pub use me::{Me, MeReply};
pub use precondition::{ETag, IfMatch};
pub use refusal::{ApiCode, ApiRefusal, FieldError};
