//! Kinds of events.

use crate::engine::event::EventKind;

/// What happened.
pub(super) const fn sentence(kind: EventKind) -> &'static str {
    match kind {
        EventKind::DeviceAuthorizationStarted => "A device asked for codes, and got them.",
        EventKind::DeviceApproved => "A user approved a device.",
        EventKind::DeviceDenied => "A user denied a device.",
        EventKind::CodeIssued => "An app got an authorization code.",
        EventKind::ScopesLeftOut => "An app asked for scopes that it did not get.",
        EventKind::ClaimsLeftOut => "A token had no room for some of the user's claims.",
        EventKind::ConsentGiven => "A user agreed to what an app asked for.",
        EventKind::ConsentDenied => "A user denied what an app asked for.",
        EventKind::CodeReusedGrantRevoked => {
            "An authorization code came twice, and its grant was revoked."
        }
        EventKind::TokensIssued => "Tokens were issued.",
        EventKind::TokensRefreshed => "Tokens were refreshed.",
        EventKind::RefreshRepeatedInGrace => {
            "A used refresh token came again within the grace, and got the same successor."
        }
        EventKind::RefreshRepeatedFromElsewhere => {
            "A used refresh token came again within the grace, from another network."
        }
        EventKind::RefreshReusedGrantRevoked => {
            "A used refresh token came again, and its grant was revoked."
        }
        EventKind::RefreshAheadOfStore => {
            "A client had a newer refresh token than the store knows."
        }
        EventKind::TokenExchanged => "A token was exchanged.",
        EventKind::ExchangeRefused => "A token exchange was refused.",
        EventKind::TokenRevoked => "A client revoked an access token.",
        EventKind::GrantRevoked => "A client revoked a grant.",
        EventKind::SignedIn => "A user signed in.",
        EventKind::SignInFailed => "A sign-in, or a check of the password, failed.",
        EventKind::SignedOut => "A user signed out.",
        EventKind::SessionEndedByUser => "A user ended a session.",
        EventKind::SessionEndedByLimit => "A session ended: the user had too many.",
        EventKind::GrantRevokedByUser => "A user revoked a grant.",
        EventKind::GrantEndedByLimit => "A grant ended: the user had too many.",
        EventKind::ClientDisconnected => "A user removed an app's access.",
        EventKind::SignedOutEverywhere => "A user signed out everywhere.",
        EventKind::LogoutDelivered => "An app was told that a session ended.",
        EventKind::LogoutFailed => "An app could not be told that a session ended.",
        EventKind::WrongUserCode => "A user typed a code that no device has.",
        EventKind::ManyWrongUserCodes => "Very many wrong user codes were typed.",
        EventKind::TriesUsedUp => "There were too many wrong passwords or codes.",
        EventKind::UserAdded => "A user was added.",
        EventKind::UserDisabled => "A user was disabled.",
        EventKind::UserEnabled => "A user was enabled.",
        EventKind::UserChanged => "A user was changed.",
        EventKind::UserDeleted => "A user was deleted.",
        EventKind::PasswordChanged => "A password was changed.",
        EventKind::BackedUp => "The store was backed up.",
        EventKind::Restored => "A backup was restored.",
        EventKind::CertificateReplaced => "The TLS certificate was replaced.",
        EventKind::CertificateRefused => "A TLS certificate was not taken.",
        EventKind::CertificateEnds => "The TLS certificate ends soon.",
        EventKind::RealmReloaded => "The configuration file was reloaded.",
        EventKind::ReloadRefused => "A changed configuration file was not taken.",
        EventKind::SessionEndedByAdministrator => "An administrator ended a session.",
        EventKind::GrantRevokedByAdministrator => "An administrator revoked a grant.",
        EventKind::ClientAdded => "A client was added.",
        EventKind::ClientChanged => "A client was changed.",
        EventKind::ClientDeleted => "A client was deleted.",
        EventKind::ClientSecretAdded => "A client got a secret.",
        EventKind::ClientSecretDeleted => "A secret of a client was deleted.",
        EventKind::OrganizationAdded => "An organization was added.",
        EventKind::OrganizationChanged => "An organization was changed.",
        EventKind::OrganizationDeleted => "An organization was deleted.",
        EventKind::ConfigChanged => "A resource, scope or exchange rule was changed.",
        EventKind::Refused => "A request was refused.",
        EventKind::RequestFailed => "A request failed.",
    }
}

/// What to do, where something should be done and no reason says it.
pub(super) const fn advice(kind: EventKind) -> Option<&'static str> {
    Some(match kind {
        EventKind::ScopesLeftOut => {
            "Add the scopes to `scopes` of the client, or take them out of the app's settings."
        }
        EventKind::ClaimsLeftOut => {
            "Give the API or the client fewer groups, such as `groups = [\"orders-*\"]`, or have the app ask userinfo."
        }
        EventKind::CodeReusedGrantRevoked => {
            "Have the user sign in again. Look for an app that sends its request twice; otherwise someone has seen the code."
        }
        EventKind::RefreshRepeatedInGrace => {
            "Nothing, if it is rare: an answer was lost. Many of one client say that it does not keep what it gets."
        }
        EventKind::RefreshAheadOfStore => {
            "Nothing after a restore. Otherwise look whether the right store is in use."
        }
        EventKind::ExchangeRefused => {
            "`grantor explain exchange` says which rules do not apply, and why."
        }
        EventKind::SignInFailed => "Nothing, if it is rare.",
        EventKind::WrongUserCode => {
            "Have the user read the code from the device again; a new one may be shown by now."
        }
        EventKind::ManyWrongUserCodes => "Find out who guesses codes. The limit ends by itself.",
        EventKind::TriesUsedUp => "Find out who guesses. The limit ends by itself.",
        EventKind::SessionEndedByLimit | EventKind::GrantEndedByLimit => {
            "Look for an app or a device that signs in again and again instead of keeping its tokens."
        }
        EventKind::LogoutFailed => "Make the app's back-channel logout address answer with 200.",
        EventKind::SignedOutEverywhere => {
            "Look at what came before: the user may have seen something unknown in the account."
        }
        EventKind::CertificateRefused | EventKind::CertificateEnds => {
            "Renew the certificate, or correct its files; the log says what is wrong."
        }
        EventKind::ReloadRefused => {
            "Run `grantor check`, correct the file, and reload. The log has the reason."
        }
        EventKind::Refused => "Change the request as the description says.",
        EventKind::RequestFailed => "Look for the trace id in the log.",
        _ => return None,
    })
}
