//! What people decide, one file each: in a browser, signing in and out, approving a device, and taking back what they
//! gave; by command or file, the operator who the users are.
//!
//! These answer with what happened, never with a protocol error: a page tells it in words.

pub mod account;
mod administer;
pub mod backchannel;
mod device_decision;
mod form;
mod lookup_user_code;
mod provision;
pub(crate) mod session;
mod sign_in;
mod visit;

pub use administer::{AddUser, AddUserReply, SetEnabled, SetEnabledReply};
pub use device_decision::{DeviceDecision, DeviceDecisionReply};
pub use form::{Action, Binding};
pub use lookup_user_code::{CodeCheck, LookupUserCode, LookupUserCodeReply, PendingDevice};
pub use provision::{Deprovision, Password, Provision, ProvisionReply};
pub use session::Visitor;
pub use sign_in::{SignIn, SignInReply};
pub use visit::Visit;
