//! The certificate of the settings: read at the start, and again when its files change.

mod watch;

use std::time::Duration;

use grantor_core::base::time::Timestamp;
use grantor_web::{Certificate, CertificateError, MinTlsVersion, Tls};
use url::{Host, Url};

use crate::files::readable_by_others;
use crate::setting_error::SettingError;
use grantor_config::{self as config, Settings, TlsVersion};

pub use watch::{Stamps, Watch};

/// For this long before a certificate expires, it is logged.
const EXPIRY_WARNING: Duration = Duration::from_secs(14 * 24 * 60 * 60);

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The files cannot be used.
    #[error("tls")]
    Certificate(#[from] CertificateError),
    /// The library refuses the settings.
    #[error("tls")]
    Library(#[from] rustls::Error),
}

/// Reads the certificate that the settings name, and what its files were just before.
///
/// # Errors
/// [`CertificateError`]
pub fn read(files: &config::Tls) -> Result<(Certificate, Stamps), CertificateError> {
    let stamps = Stamps::read(files);
    Certificate::read(&files.cert, &files.key).map(|certificate| (certificate, stamps))
}

/// The same for the files of the settings, if there are any.
///
/// # Errors
/// [`SettingError`] of a [`TlsError`]
pub fn of_settings(settings: &Settings) -> Result<Option<(Certificate, Stamps)>, SettingError> {
    let read = settings.tls.as_ref().map(read).transpose();
    read.map_err(|error| SettingError::new(settings, "tls", TlsError::from(error)))
}

/// TLS by the settings.
///
/// # Errors
/// [`TlsError`]
pub fn start(tls: &config::Tls, certificate: Certificate) -> Result<Tls, TlsError> {
    let oldest = match tls.min {
        TlsVersion::V1_3 => MinTlsVersion::V1_3,
        TlsVersion::V1_2 => MinTlsVersion::V1_2,
    };
    Ok(Tls::new(certificate, oldest)?)
}

/// A sentence for each property of the certificate and its key that is probably a mistake.
#[must_use]
pub fn advice(settings: &Settings, tls: &config::Tls, certificate: &Certificate) -> Vec<String> {
    let host = Url::parse(&settings.issuer)
        .ok()
        .and_then(|issuer| Some(issuer.host()?.to_owned()));
    // Behind a proxy, the clients see the certificate of the proxy.
    let other_name = host
        .filter(|_| settings.trusted_proxies.is_empty())
        .map(|host: Host| host.to_string())
        .filter(|host| !certificate.is_valid_for(host))
        .map(|host| {
            let file = tls.cert.display();
            format!("The certificate of {file} is not for {host}, the issuer's host: clients will refuse it.")
        });
    let open = readable_by_others(&tls.key).then(|| {
        let file = tls.key.display();
        format!("Others on this machine can read the private key {file}: chmod o= {file}")
    });
    other_name.into_iter().chain(open).collect()
}

/// A sentence where the certificate is not valid at `now`, or expires soon.
#[must_use]
pub fn validity(certificate: &Certificate, now: Timestamp) -> Option<String> {
    let (begins, ends) = (certificate.not_before(), certificate.not_after());
    if begins > now {
        return Some(format!(
            "The certificate is not valid before {}.",
            day(begins)
        ));
    }
    if ends.is_past(now) {
        return Some(format!("The certificate is not valid since {}.", day(ends)));
    }
    (ends.since(now) <= EXPIRY_WARNING).then(|| format!("The certificate ends on {}.", day(ends)))
}

/// A timestamp, for a sentence.
fn day(at: Timestamp) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds)
        .map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;
    use grantor_config::Environment;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tempfile::TempDir;

    /// The settings of an issuer in this folder, where a certificate for this name is, of the year 2030.
    fn home(folder: &Path, issuer: &str, name: &str) -> Settings {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2030, 1, 1);
        params.not_after = date_time_ymd(2030, 12, 31);
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap();
        fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
        fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
        fs::set_permissions(folder.join("key.pem"), fs::Permissions::from_mode(0o640)).unwrap();
        let text = format!(
            "issuer = \"{issuer}\"\nlisten = \"0.0.0.0:8443\"\ntls = {{ cert = \"cert.pem\", key = \"key.pem\" }}\n"
        );
        config::parse(&text, "grantor.toml", folder, &Environment::default()).unwrap()
    }

    #[test]
    fn the_issuers_host_is_among_the_certificates_names_and_the_key_is_not_for_all() {
        let folder = TempDir::new().unwrap();
        let said = |settings: &Settings| {
            let tls = settings.tls.as_ref().unwrap();
            let place = format!("{}/", folder.path().display());
            let advice = advice(settings, tls, &read(tls).unwrap().0);
            advice.concat().replace(&place, "")
        };
        let right = home(
            folder.path(),
            "https://id.example.com:8443",
            "id.example.com",
        );
        assert_eq!(said(&right), "");
        let key = fs::Permissions::from_mode(0o644);
        fs::set_permissions(folder.path().join("key.pem"), key).unwrap();
        assert_eq!(
            said(&right),
            "Others on this machine can read the private key key.pem: chmod o= key.pem"
        );
        let mut wrong = home(folder.path(), "https://id.example.com", "example.com");
        assert_eq!(
            said(&wrong),
            "The certificate of cert.pem is not for id.example.com, the issuer's host: clients will refuse it."
        );
        wrong.trusted_proxies = vec!["10.0.0.1/32".parse().unwrap()];
        assert_eq!(said(&wrong), "");
        assert_eq!(said(&home(folder.path(), "https://[::1]:8443", "::1")), "");
    }

    #[test]
    fn an_invalid_or_soon_expired_certificate_is_reported() {
        let folder = TempDir::new().unwrap();
        let settings = home(folder.path(), "https://a.example", "a.example");
        let (certificate, _) = read(settings.tls.as_ref().unwrap()).unwrap();
        let at = |year, month, day| {
            let day = jiff::civil::date(year, month, day);
            let day = day.to_zoned_datetime(jiff::tz::TimeZone::UTC).unwrap();
            let second = u64::try_from(day.timestamp().as_second()).unwrap();
            validity(&certificate, Timestamp::from_secs(second)).unwrap_or_default()
        };
        assert_eq!(
            at(2029, 12, 31),
            "The certificate is not valid before 2030-01-01 00:00 UTC."
        );
        assert_eq!(at(2030, 1, 1), "");
        assert_eq!(at(2030, 12, 16), "");
        assert_eq!(
            at(2030, 12, 17),
            "The certificate ends on 2030-12-31 00:00 UTC."
        );
        assert_eq!(
            at(2030, 12, 31),
            "The certificate is not valid since 2030-12-31 00:00 UTC."
        );
    }
}
