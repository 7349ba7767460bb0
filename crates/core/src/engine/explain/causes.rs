//! Private causes of refusals.

use crate::base::error::Cause;

/// Why it was refused, and what to do.
pub(super) const fn words(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::AsDescribed => (
            "The description says it all.",
            "Change the request as the description says.",
        ),
        Cause::UnknownClient => (
            "No client has this id.",
            "Compare the client_id in the app with those of this server; add the client if it is missing.",
        ),
        Cause::DisabledClient => (
            "The client is disabled.",
            "Enable it, or remove it from where it is still used.",
        ),
        Cause::OwnerCannotHaveClient => (
            "The client is stopped with its owner, who is disabled, deleted or belongs to another organization.",
            "Enable the owner or move them back; or make a client that belongs to someone else.",
        ),
        Cause::WrongSecret => (
            "The client secret is wrong.",
            "Compare the secret in the app with the current one; after a rotation, give the app the new one.",
        ),
        Cause::SecretMissing => (
            "The client has a secret, and the request had none, or the client is public where a secret is needed.",
            "Have the app send its secret, or use a client that has one.",
        ),
        Cause::MethodNotAllowed => (
            "The client sent its secret in a way that its settings do not allow.",
            "Make the app and the client's `auth` setting agree: client_secret_basic, client_secret_post or none.",
        ),
        Cause::CredentialsMissing => (
            "The request names no client.",
            "Have the app send its client_id, or an Authorization header.",
        ),
        Cause::AssertionNotSupported => (
            "The client authenticates with a JWT, which is not supported.",
            "Set the app to a client secret.",
        ),
        Cause::SchemeNotSupported => (
            "The Authorization header has a scheme that this endpoint does not take.",
            "Use Basic for a client secret, and Bearer for an access token.",
        ),
        Cause::BasicMalformed => (
            "The Authorization header is not valid Basic credentials.",
            "Encode id and secret as RFC 6749 section 2.3.1 says: percent-encoding first, then Base64.",
        ),
        Cause::TooManyWrongSecrets => (
            "There were too many wrong secrets for this client from this network.",
            "Find out who sends wrong secrets. The limit ends by itself.",
        ),
        Cause::ForgedOrForeignToken => (
            "The code or token was not issued by this server for this use, or was changed.",
            "Check that the app sends the whole value, unchanged, to the issuer that gave it.",
        ),
        Cause::NoSuchGrant => (
            "The grant behind the code or token does not exist: it ended, was revoked, or is of another store.",
            "Have the user sign in again. If it happens to many, look for a store that was replaced.",
        ),
        Cause::RevokedGrant => (
            "The grant was revoked, or was not approved.",
            "Have the user sign in again.",
        ),
        Cause::GrantOfAnotherClient => (
            "The code or token was given to another client.",
            "Check that the app uses the same client_id at each step.",
        ),
        Cause::CodeUsed => (
            "The device code was used already.",
            "The device must keep the tokens that it got, and stop polling.",
        ),
        Cause::UserGone => (
            "No user has this name or id.",
            "Check the spelling; add the user if someone is missing.",
        ),
        Cause::UserDisabled => (
            "The user is disabled.",
            "Enable the user with `grantor user enable`, if they should have access.",
        ),
        Cause::OrganizationDisabled => (
            "The organization of the user or client is disabled.",
            "Enable the organization, if it should have access.",
        ),
        Cause::ClientNotAvailable => (
            "The client is not for this user: its `availability` names an organization or its owner.",
            "Move the user into the client's organization, or change `availability`.",
        ),
        Cause::ScopesWithheld => (
            "The user is in none of the groups to which the scopes are limited.",
            "Add the user to a group that the scope names, if they should have it.",
        ),
        Cause::SignedOutEverywhere => (
            "The user was signed out everywhere after this was granted, or got another password.",
            "Have the user sign in again.",
        ),
        Cause::SessionEnded => (
            "The session to which the access belongs has ended.",
            "Have the user sign in again; an app that must outlast the session asks for offline_access.",
        ),
        Cause::RefreshReused => (
            "The refresh token was used before, so it may have been stolen.",
            "Have the user sign in again. Look for an app that keeps an old refresh token, or runs twice with one.",
        ),
        Cause::RefreshReuseAfterUnknownCommit => (
            "The store did not say whether an earlier attempt of this request was written.",
            "Have the app try again; look at the store if it happens often.",
        ),
        Cause::RefreshRepeatedFromElsewhere => (
            "A used refresh token came again from another network, within the grace.",
            "If the app did not move, someone else has its token: end the grant.",
        ),
        Cause::RefreshExpired => (
            "The refresh token has expired.",
            "Have the user sign in again; `refresh_idle` and `refresh_absolute` of the client are the times.",
        ),
        Cause::TokenRevoked => ("The token was revoked.", "Have the app get a new one."),
        Cause::TokenExpired => (
            "The token has expired.",
            "Have the app refresh before the end; compare the clocks of both machines.",
        ),
        Cause::TokenMissing => (
            "The request has no access token.",
            "Send it in the header `Authorization: Bearer …`.",
        ),
        Cause::CodeExpired => (
            "The authorization code has expired.",
            "Have the app redeem its code at once; the user must start again.",
        ),
        Cause::CodeReused => (
            "The authorization code came twice, so a copy of it may be in other hands. The grant was revoked.",
            "Have the user sign in again. Look for an app that sends its request twice.",
        ),
        Cause::CodeReplayUnproven => (
            "A used authorization code came again, without proof that its owner sent it.",
            "Look for an app that sends its request twice; otherwise someone has seen the code.",
        ),
        Cause::CodeSeenAfterUnknownCommit => (
            "The store did not say whether an earlier attempt of this request was written.",
            "Have the user start again; look at the store if it happens often.",
        ),
        Cause::VerifierWrong => (
            "The code_verifier is not the one of the code_challenge.",
            "The app must keep the verifier of each request, and send that one with its code.",
        ),
        Cause::VerifierMissing => (
            "The authorization request had a code_challenge, and the token request has no code_verifier.",
            "Have the app send the verifier of its challenge.",
        ),
        Cause::VerifierUnexpected => (
            "The token request has a code_verifier, and the authorization request had no code_challenge.",
            "Have the app send a code_challenge with method S256 first.",
        ),
        Cause::RedirectUriMissing => (
            "The request names no redirect_uri, and the client has not exactly one.",
            "Have the app send the redirect_uri that is registered for it.",
        ),
        Cause::RedirectUriOther => (
            "The redirect_uri is not one of the client's, or not the one of the authorization request.",
            "Register the exact address, or correct it in the app: it is compared character by character.",
        ),
        Cause::ClientUnnamed => (
            "The sign-out names neither a client nor an ID token.",
            "Have the app send id_token_hint or client_id.",
        ),
        Cause::SubjectGone => (
            "Whom the token is about no longer exists.",
            "Have the app get a new token.",
        ),
        Cause::RuleGone => (
            "The exchange rule that gave the token is gone, or no longer allows it.",
            "Run the exchange again; `grantor explain exchange` says what the rules allow.",
        ),
        Cause::ActorGone => (
            "A client or user in the chain of the token is gone or disabled.",
            "Enable it again, or get a token without it.",
        ),
        Cause::ForeignTokenNotForUs => (
            "The token of the other issuer is not for this server.",
            "Have it issued with an audience that `[[trusted_issuer]] audiences` names.",
        ),
        Cause::ForeignTokenTooOld => (
            "The token of the other issuer is older than `max_age` allows, or does not say when it was issued.",
            "Get a new one for each exchange, or raise `max_age`.",
        ),
        Cause::ForeignTokenMalformed => (
            "The token of the other issuer lacks what is needed, or is another kind of token.",
            "Compare its header and claims with the page on token exchange.",
        ),
        Cause::UnknownIssuer => (
            "No `[[trusted_issuer]]` is the issuer of the token.",
            "Add the issuer, or correct its address: it is compared character by character.",
        ),
        Cause::UnverifiedClaim => (
            "The claim by which the user is found is not verified by its issuer.",
            "Have the issuer verify the address, or use another `user_claim`.",
        ),
        Cause::WrongPassword => (
            "The password was wrong.",
            "If the user asks, set another with `grantor user password`.",
        ),
        Cause::TooManyTries => (
            "There were too many wrong passwords or codes.",
            "Find out who guesses. The limit ends by itself.",
        ),
        Cause::TooManyRevoked => (
            "The client has revoked too many access tokens that would still live.",
            "Have the client revoke refresh tokens instead, or wait until some have ended.",
        ),
        Cause::TooManyUndelivered => (
            "Too many sign-outs of the user waited for this app.",
            "Make the app's back-channel logout address answer.",
        ),
    }
}
