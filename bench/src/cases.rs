//! The kinds of requests that are measured, in an order in which each finds what it needs in the answers to earlier ones.

use std::net::SocketAddr;

use crate::Result;
use crate::browser::Browser;
use crate::http::{Answer, Request, basic};
use crate::installation::{DEVICE, DEVICE_OPENID, MACHINE, PORTAL, PORTAL_ORIGIN, SECRET, USERS};
use crate::load::send;
use crate::results::{CONNECTIONS, WRITERS};
use crate::workload::{self, Workload, path};

/// Devices that are approved in each round.
pub(crate) const APPROVED: usize = 1200;

/// Devices that poll too fast, again and again.
const IMPATIENT: usize = 200;

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    ClientCredentialsEs256,
    ClientCredentialsEdDsa,
    ClientCredentialsRs256,
    ClientCredentialsSealed,
    DeviceAuthorization,
    DeviceAuthorizationWriters,
    PollPending,
    PollTooFast,
    Redeem,
    RedeemWithIdToken,
    Refresh,
    IntrospectMachine,
    IntrospectUser,
    TokenExchange,
    Userinfo,
    UserinfoFromScript,
    AuthorizeWithHint,
    ExchangeIdToken,
    Jwks,
}

impl Case {
    pub(crate) const ALL: [Self; 19] = [
        Self::ClientCredentialsEs256,
        Self::ClientCredentialsEdDsa,
        Self::ClientCredentialsRs256,
        Self::ClientCredentialsSealed,
        Self::DeviceAuthorization,
        Self::DeviceAuthorizationWriters,
        Self::PollPending,
        Self::PollTooFast,
        Self::Redeem,
        Self::RedeemWithIdToken,
        Self::Refresh,
        Self::IntrospectMachine,
        Self::IntrospectUser,
        Self::TokenExchange,
        Self::Userinfo,
        Self::UserinfoFromScript,
        Self::AuthorizeWithHint,
        Self::ExchangeIdToken,
        Self::Jwks,
    ];

    /// Its name in the tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ClientCredentialsEs256 => "client_credentials, ES256",
            Self::ClientCredentialsEdDsa => "client_credentials, EdDSA",
            Self::ClientCredentialsRs256 => "client_credentials, RS256",
            Self::ClientCredentialsSealed => "client_credentials, sealed",
            Self::DeviceAuthorization => "device_authorization",
            Self::DeviceAuthorizationWriters => "device_authorization, 64 writers",
            Self::PollPending => "poll, pending",
            Self::PollTooFast => "poll, too fast",
            Self::Redeem => "redeem",
            Self::RedeemWithIdToken => "redeem with ID token",
            Self::Refresh => "refresh",
            Self::IntrospectMachine => "introspect, a machine's token",
            Self::IntrospectUser => "introspect, a user's token",
            Self::TokenExchange => "token exchange",
            Self::Userinfo => "userinfo",
            Self::UserinfoFromScript => "userinfo, by a script",
            Self::AuthorizeWithHint => "authorize with id_token_hint",
            Self::ExchangeIdToken => "exchange of an ID token",
            Self::Jwks => "JWKS",
        }
    }

    pub(crate) const fn connections(self) -> usize {
        match self {
            Self::DeviceAuthorizationWriters => WRITERS,
            _ => CONNECTIONS,
        }
    }
}

/// What the answers of one server gave so far in this round.
#[derive(Default)]
pub(crate) struct Session {
    machine_token: String,
    user_token: String,
    /// Answers of devices that want an ID token, and of those that do not.
    openid_devices: Vec<Answer>,
    devices: Vec<Answer>,
    refresh_tokens: Vec<String>,
}

impl Session {
    /// The requests of a case. Approves the devices whose codes are redeemed, which is not measured.
    pub(crate) async fn prepare(&mut self, case: Case, server: SocketAddr) -> Result<Workload> {
        let authorization = basic(MACHINE, SECRET);
        let client_credentials = |scope| {
            let request = workload::client_credentials(&authorization, scope);
            Workload::repeat(request, workload::TOKEN)
        };
        Ok(match case {
            Case::ClientCredentialsEs256 => client_credentials("es256/read"),
            Case::ClientCredentialsEdDsa => client_credentials("eddsa/read"),
            Case::ClientCredentialsRs256 => client_credentials("rs256/read"),
            Case::ClientCredentialsSealed => client_credentials("sealed/read"),
            Case::DeviceAuthorization => Workload::repeat(
                workload::device_authorization(DEVICE_OPENID),
                workload::CODES,
            ),
            Case::DeviceAuthorizationWriters => {
                Workload::repeat(workload::device_authorization(DEVICE), workload::CODES)
            }
            Case::PollPending => Workload::once(polls(&self.devices), workload::PENDING),
            Case::PollTooFast => {
                let mut polls = polls(&self.devices);
                polls.truncate(IMPATIENT);
                // The last poll must be so recent that the next one is too fast.
                for poll in &polls {
                    send(server, poll).await?;
                }
                Workload::cycle(polls, workload::SLOW_DOWN)
            }
            Case::Redeem => redeem(server, &self.devices).await?,
            Case::RedeemWithIdToken => redeem(server, &self.openid_devices).await?,
            Case::Refresh => Workload::refresh(std::mem::take(&mut self.refresh_tokens)),
            Case::IntrospectMachine => Workload::repeat(
                workload::introspect(&authorization, &self.machine_token),
                workload::ACTIVE,
            ),
            Case::IntrospectUser => Workload::repeat(
                workload::introspect(&authorization, &self.user_token),
                workload::ACTIVE,
            ),
            Case::TokenExchange => Workload::repeat(
                workload::exchange(&authorization, &self.user_token),
                workload::TOKEN,
            ),
            Case::Userinfo => {
                Workload::repeat(workload::userinfo(&self.user_token), (200, "\"sub\""))
            }
            Case::UserinfoFromScript => {
                let tokens = website(server).await?;
                let token = tokens.member("access_token").unwrap_or_default();
                let request = workload::userinfo_from(PORTAL_ORIGIN, &token);
                Workload::repeat(request, (200, "\"sub\""))
            }
            Case::AuthorizeWithHint => {
                let browser = Browser::sign_in(server, 0).await?;
                let tokens = website(server).await?;
                let hint = tokens.member("id_token");
                Workload::repeat(browser.authorization(hint.as_deref()), (303, ""))
            }
            Case::ExchangeIdToken => {
                let tokens = website(server).await?;
                let token = tokens.member("id_token").unwrap_or_default();
                let authorization = basic(PORTAL, SECRET);
                let request = workload::exchange_id_token(&authorization, &token);
                Workload::repeat(request, workload::TOKEN)
            }
            Case::Jwks => Workload::repeat(Request::get(path::JWKS, &[]), (200, "\"keys\"")),
        })
    }

    /// Keeps what later cases need of the answers.
    pub(crate) fn keep(&mut self, case: Case, answers: Vec<Answer>) {
        match case {
            Case::ClientCredentialsEs256 => {
                self.machine_token = first_member(&answers, "access_token");
            }
            Case::DeviceAuthorization => self.openid_devices = answers,
            Case::DeviceAuthorizationWriters => self.devices = answers,
            Case::Redeem => {
                let tokens = members(&answers, "refresh_token");
                self.refresh_tokens = tokens.take(CONNECTIONS).collect();
            }
            // One that userinfo accepts.
            Case::RedeemWithIdToken => self.user_token = first_member(&answers, "access_token"),
            _ => {}
        }
    }
}

/// Approves devices; the requests that redeem their codes.
pub(crate) async fn redeem(server: SocketAddr, devices: &[Answer]) -> Result<Workload> {
    let devices = devices.get(..APPROVED).unwrap_or(devices);
    for (user, devices) in devices.chunks(APPROVED.div_ceil(USERS)).enumerate() {
        let mut browser = Browser::sign_in(server, user).await?;
        for user_code in members(devices, "user_code") {
            browser.approve(&user_code).await?;
        }
    }
    Ok(Workload::once(polls(devices), workload::TOKEN))
}

/// The tokens of a website in which a user signs in.
async fn website(server: SocketAddr) -> Result<Answer> {
    let mut browser = Browser::sign_in(server, 0).await?;
    browser.tokens_of_website().await
}

/// One poll for each answer to a device authorization request.
pub(crate) fn polls(devices: &[Answer]) -> Vec<Request> {
    members(devices, "device_code")
        .map(|code| workload::poll(&code))
        .collect()
}

/// The string member `name` of each answer.
fn members<'a>(answers: &'a [Answer], name: &'a str) -> impl Iterator<Item = String> + 'a {
    answers.iter().filter_map(move |answer| answer.member(name))
}

fn first_member(answers: &[Answer], name: &str) -> String {
    members(answers, name).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Case;
    use crate::results::ROWS;

    #[test]
    fn every_case_has_a_row_in_the_report_with_its_connections() {
        for case in Case::ALL {
            let row = ROWS.iter().find(|row| row.name == case.name());
            assert_eq!(
                row.map(|row| row.connections),
                Some(case.connections()),
                "{case:?}"
            );
        }
    }
}
