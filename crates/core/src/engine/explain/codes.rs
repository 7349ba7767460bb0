//! Error codes of refusals without a cause of their own.

use crate::base::error::ErrorCode;

/// What the code means, and what to do.
pub(super) const fn words(code: ErrorCode) -> (&'static str, &'static str) {
    match code {
        ErrorCode::InvalidRequest => (
            "The request does not have the form that the endpoint takes.",
            "Change the request as the description says.",
        ),
        ErrorCode::InvalidClient => (
            "The client did not authenticate as it must.",
            "Compare id, secret and method in the app with those of the client.",
        ),
        ErrorCode::InvalidGrant => (
            "The code or token is not valid any more, or never was.",
            "Have the user sign in again.",
        ),
        ErrorCode::UnauthorizedClient => (
            "The client may not use this grant type.",
            "Add the grant type to `grants` of the client, if it should.",
        ),
        ErrorCode::UnsupportedGrantType => (
            "This server does not know the grant type.",
            "Set the app to a grant type that the metadata document lists.",
        ),
        ErrorCode::InvalidScope => (
            "A scope that was asked for is unknown, or the client or user may not have it.",
            "Add it to `scopes` of the client, or take it out of the app's settings.",
        ),
        ErrorCode::AuthorizationPending | ErrorCode::SlowDown => (
            "The user has not decided yet.",
            "Nothing: the device goes on polling.",
        ),
        ErrorCode::AccessDenied => (
            "The user chose Deny.",
            "Nothing, unless the user says that they did not: then someone else was at their browser.",
        ),
        ErrorCode::ExpiredToken => (
            "The device code has expired before the user decided.",
            "Have the device ask for a new code.",
        ),
        ErrorCode::InvalidTarget => (
            "The resource or audience is unknown, or is not one that the client or grant has.",
            "Add it to `resources` of the client, or correct it in the app.",
        ),
        ErrorCode::InvalidToken => (
            "The access token is not valid.",
            "Have the app get a new one.",
        ),
        ErrorCode::InsufficientScope => (
            "The access token lacks a scope.",
            "Have the app ask for the scope that the description names.",
        ),
        ErrorCode::ServerError => (
            "This server could not decide.",
            "Look for the trace id in the log: a line of the target grantor::failure has the reason.",
        ),
        ErrorCode::TemporarilyUnavailable => (
            "This server could not decide at that time.",
            "Have the app try again. If it lasts, look for the trace id in the log.",
        ),
        ErrorCode::TooManyRequests => (
            "A limit was reached.",
            "Find out who asks so often. The page on limits says what is counted, and when it ends.",
        ),
        ErrorCode::UnsupportedResponseType => (
            "The app asks for tokens by the browser, which is not supported.",
            "Set the app to the authorization code flow: response_type=code.",
        ),
        ErrorCode::LoginRequired => (
            "The app asked without a page, and the user is not signed in as it expects.",
            "Nothing: the app then sends the user to sign in, without prompt=none.",
        ),
        ErrorCode::ConsentRequired => (
            "The app asked without a page, and the user has not agreed yet.",
            "Nothing: the app then asks again without prompt=none.",
        ),
        ErrorCode::RequestNotSupported | ErrorCode::RequestUriNotSupported => (
            "The app sends a request object, which is not supported.",
            "Set the app to plain parameters.",
        ),
        ErrorCode::RegistrationNotSupported => (
            "The app registers itself in the request, which is not supported.",
            "Add the client here, and set the app to its id.",
        ),
        ErrorCode::InvalidAuthorizationDetails => (
            "The app sends authorization_details, which are not supported.",
            "Set the app to scopes.",
        ),
        ErrorCode::UnmetAuthenticationRequirements => (
            "The app demands a class of authentication that is not offered here.",
            "Change what the app demands by the claim acr.",
        ),
    }
}
