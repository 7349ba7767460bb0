//! What is counted, and what happens where a table has no slot for a subject.

use crate::base::peer::Width;

/// Wrong user codes, passwords and client secrets, undecided device codes, and rows that anyone can make. Each has its own
/// table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    UserCodesPerAccount,
    UserCodesPerNetwork(Width),
    /// Only reported and delayed, never refused.
    UserCodesPerRealm,
    PasswordsPerAccountAndAddress,
    PasswordsPerNetwork(Width),
    PasswordsPerAccount,
    PasswordsPerKnownBrowser,
    /// In all known browsers of a user together.
    PasswordsInKnownBrowsersPerAccount,
    PasswordChangesPerSession,
    PasswordChangesPerAccount,
    SecretsPerClientAndNetwork(Width),
    /// Secrets that are still answered where the limit above is reached.
    SecretsBeyondLimit,
    /// Right secrets, by client and address.
    ProvenSecrets,
    /// Right secrets that are still answered at a proven address, beyond its limit.
    RightSecretsBeyondLimit,
    /// Wrong secrets at a proven address, beyond its limit.
    WrongSecretsBeyondLimit,
    /// Access tokens of a client that were revoked.
    RevokedPerClient,
    /// Those of a user's grants at a client.
    RevokedPerClientAndUser,
    /// A user's sign-outs that a client was not told of at the first attempt.
    UndeliveredPerUser,
    /// Rows that keep the answers to requests with an `Idempotency-Key`.
    IdempotencyKeysPerCaller,
    /// Names that another organization has, which a caller of the API asked for.
    TakenNamesPerCaller,
    PendingPerClient,
    /// A client's share for one network. See [`pending`](super::pending).
    PendingPerClientAndNetwork,
    PendingPerNetwork(Width),
    PendingPerRealm,
}

impl Counter {
    /// Whether a subject that finds no slot passes uncounted, since another counter holds. Else it is refused: so a
    /// counter that nothing else stands in for must have subjects that nobody can make up by the ten thousand.
    pub(super) const fn is_bounded_elsewhere(self) -> bool {
        match self {
            // The account's count holds. Its subjects are accounts that are signed in.
            Self::UserCodesPerNetwork(_) => true,
            Self::UserCodesPerAccount => false,
            // The account's count holds. Anybody can make up names and addresses.
            Self::PasswordsPerAccountAndAddress | Self::PasswordsPerNetwork(_) => true,
            // Names can be made up here, too, but each takes 50 hashes an hour, and nothing else bounds the guesses at one
            // account from many networks. Known browsers are not held to it.
            Self::PasswordsPerAccount => false,
            // The user's count holds, and beyond it those of new browsers. A refusal here only leads to those.
            Self::PasswordsPerKnownBrowser => true,
            Self::PasswordsInKnownBrowsersPerAccount => false,
            // The account's count holds. Its subjects are users who are signed in.
            Self::PasswordChangesPerSession => true,
            Self::PasswordChangesPerAccount => false,
            // The site's count holds; at a proven address, that beyond the limit.
            Self::SecretsPerClientAndNetwork(Width::Address | Width::Block) => true,
            // Nothing else holds. A refusal here still has the slow answers, and a proven address is not held to it.
            Self::SecretsPerClientAndNetwork(Width::Site) => false,
            // Nothing else holds, and a slot lasts seconds.
            Self::SecretsBeyondLimit => false,
            // The count of wrong ones holds. Subjects of both have presented the right secret.
            Self::RightSecretsBeyondLimit => true,
            Self::WrongSecretsBeyondLimit => false,
            // A mark and no limit: the coldest and oldest goes.
            Self::ProvenSecrets => true,
            // The client's count holds. Its subjects are declared.
            Self::PendingPerClientAndNetwork | Self::PendingPerNetwork(_) => true,
            Self::PendingPerClient => false,
            // Nothing else holds. Subjects are declared clients, and users with tokens or sessions.
            Self::RevokedPerClient | Self::RevokedPerClientAndUser | Self::UndeliveredPerUser => {
                false
            }
            // Nothing else holds. Subjects are callers of the API with rights to change something.
            Self::IdempotencyKeysPerCaller | Self::TakenNamesPerCaller => false,
            // One subject.
            Self::UserCodesPerRealm | Self::PendingPerRealm => true,
        }
    }
}
