//! Operations of users in a browser (sign-in and sign-out, device approval, the account page) and of the operator on
//! users.
//!
//! Their replies are outcomes for pages to render, never protocol errors.

pub mod account;
mod administer;
mod attempt;
pub mod backchannel;
mod change_user;
mod device_decision;
mod establish_session;
mod first_administrator;
mod form;
mod logins;
mod lookup_user_code;
mod provision;
mod provision_clients;
mod provision_links;
mod remember_declared;
pub(crate) mod session;
mod sign_in;
mod visit;
pub(crate) mod withheld;

pub use administer::{AddAdministrator, AddUser, AddUserReply, SetEnabled, SetEnabledReply};
pub(crate) use administer::{added, new_user};
pub use change_user::{
    ChangeUser, ChangeUserReply, DeleteUser, FindUser, RenameUser, SetPassword, UserChange,
};
pub(crate) use change_user::{changed_user, deleted_user};
pub use device_decision::{
    DecidedDevice, DeviceDecision, DeviceDecisionReply, ViewDecision, ViewDecisionReply,
};
pub use first_administrator::{
    CreateFirstAdministrator, CreateFirstAdministratorReply, FIRST_ADMINISTRATOR_LIFETIME,
    HadAdministrator,
};
pub use form::{Action, Binding};
pub use logins::{LoginRefused, MoveLogins};
pub use lookup_user_code::{
    CodeCheck, LookupUserCode, LookupUserCodeReply, PendingDevice, WithheldDevice,
};
pub use provision::{
    Deprovision, Password, PreparePassword, PreparedPassword, Provision, ProvisionReply,
};
pub use provision_clients::{ProvisionClients, RememberInstances, WithdrawClient};
pub use provision_links::{ProvisionLink, ProvisionLinkReply, WithdrawLink};
pub use remember_declared::RememberDeclared;
pub use session::Visitor;
pub use sign_in::{KNOWN_BROWSER_LIFETIME, SignIn, SignInReply};
pub use visit::Visit;
pub use withheld::Withheld;
