//! What a running server takes of its changed file.

use super::Settings;

impl Settings {
    /// The tables whose entries have names.
    pub const NAMED_TABLES: [&str; 7] = [
        "resource",
        "scope",
        "organization",
        "client",
        "exchange",
        "trusted_issuer",
        "user",
    ];
    /// What else a reload takes. All other settings are of the process, and need a restart.
    pub const TAKEN_BY_RELOAD: [&str; 5] = ["lifetimes", "device", "key_rotation", "nodes", "api"];

    /// The settings of a server that takes `file`: what needs a restart stays.
    #[must_use]
    pub fn reloaded(&self, file: Self) -> Self {
        Self {
            lifetimes: file.lifetimes,
            device: file.device,
            key_rotation: file.key_rotation,
            nodes: file.nodes,
            api: file.api,
            resources: file.resources,
            scopes: file.scopes,
            organizations: file.organizations,
            clients: file.clients,
            exchanges: file.exchanges,
            trusted_issuers: file.trusted_issuers,
            users: file.users,
            ..self.clone()
        }
    }
}
