//! Settings that this version accepts and does not implement yet.

use super::names::{DeviceTokens, Dialect};
use super::settings::Settings;
use super::text::Store;

impl Settings {
    /// A sentence for each thing that is set and has no effect yet, for `check` and the start.
    /// A store that is not built is an error at the start: nothing could stand in for it.
    pub fn not_built(&self) -> Vec<String> {
        let all = [
            (
                matches!(self.store, Store::Postgres(_)),
                "PostgreSQL is not built yet: no server starts with this store.",
            ),
            (
                self.dialects.contains(&Dialect::CognitoDevice),
                "The dialect cognito_device is not built yet: its paths are not found.",
            ),
            (
                !self.providers.is_empty(),
                "Upstream providers are not built yet: no one signs in with them.",
            ),
            (
                self.device.tokens == DeviceTokens::Provider,
                "A provider's tokens for devices are not built yet: devices get Grantor's own.",
            ),
            (
                !self.device.token_set.access,
                "A token_set without ACCESS is not built yet: devices get an access token too.",
            ),
        ];
        let set = all.into_iter().filter(|(is_set, _)| *is_set);
        set.map(|(_, sentence)| sentence.to_owned()).collect()
    }
}
