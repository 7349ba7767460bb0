//! Organizations, to which users and clients belong.

use grantor_core::model::ids::OrganizationId;

use crate::table::table;

table! {
    /// To which users and applications belong.
    pub struct Organization {
        /// Its id.
        id: OrganizationId, example "acme";

        /// Its name, as people read it.
        name: String, example "Acme Ltd";

        /// Whether its users may sign in, and its applications may get and use tokens.
        enabled: bool = "true", example "false";
    }
}
