//! What is managed while the server runs: clients, users, organizations, resources, scopes and rules, by the API and by the
//! operator's commands.
//!
//! Each operation is admitted first: a [`Caller`] with its rights, of a live access token or of the admin socket. What it
//! refuses is a [`ApiRefusal`], never an OAuth error.

mod admitted;
mod answer;
mod caller;
pub mod clients;
mod document;
mod edit;
mod effective;
mod idempotent;
mod judge;
mod me;
mod merge_patch;
pub mod organizations;
mod page;
pub mod parts;
mod precondition;
mod refusal;
pub mod resolve;
pub mod users;

pub use admitted::{Admission, Admit, Admitted, ApiOperation};
pub use answer::ApiAnswer;
pub use caller::{Actor, Caller};
pub use edit::Edit;
pub use effective::{PROPAGATION, effective_at};
pub use idempotent::{IdempotencyKey, Idempotent};
pub use judge::{Excess, excess_of_user, rights_of_user};
pub use me::{Me, MeReply};
pub use merge_patch::merge_patch;
pub use page::{CursorScope, PageRequest};
pub use precondition::{ETag, IfMatch};
pub use refusal::{ApiCode, ApiRefusal, FieldError, NO_SUCH_OBJECT};
