//! A certificate chain with its private key, read from PEM files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use grantor_core::base::time::Timestamp;
use rustls::crypto::aws_lc_rs as aws_lc;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use webpki::{EndEntityCert, KeyUsage};
use zeroize::Zeroizing;

/// A certificate chain, the end-entity certificate first, with its private key.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    not_before: Timestamp,
    not_after: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("{} cannot be read", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{} is not valid PEM: part of it is cut off or damaged", file.display())]
    Pem { file: PathBuf },
    #[error(
        "{} contains no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----",
        file.display()
    )]
    NoCertificate { file: PathBuf },
    #[error("the first certificate in {} cannot be used", file.display())]
    Unusable {
        file: PathBuf,
        source: webpki::Error,
    },
    #[error("{} contains no private key: it must be PEM, with -----BEGIN PRIVATE KEY-----", file.display())]
    NoKey { file: PathBuf },
    #[error(
        "the private key in {} is encrypted: decrypt it (openssl pkey -in FILE -out FILE) and make it readable for the server only",
        file.display()
    )]
    EncryptedKey { file: PathBuf },
    /// The type or the encoding of the key is not supported.
    #[error(
        "the private key in {} cannot be used: it must be RSA (2048 bits or more), ECDSA (P-256, P-384, P-521) or Ed25519",
        file.display()
    )]
    UnusableKey { file: PathBuf },
    #[error(
        "the private key in {} does not match the first certificate in {}: the server's own certificate must come before those of its issuers",
        key.display(), cert.display()
    )]
    Mismatch { cert: PathBuf, key: PathBuf },
}

impl Certificate {
    /// Reads PEM files. Both may be the same file.
    ///
    /// # Errors
    /// [`CertificateError`] with the file's name, but nothing from a key file.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, CertificateError> {
        let chain = chain(cert)?;
        let unusable = |source| CertificateError::Unusable {
            file: cert.to_owned(),
            source,
        };
        let (not_before, not_after) = validity(&chain[0]).map_err(unusable)?;
        let certified = CertifiedKey::new(chain, private_key(key)?);
        if certified.keys_match().is_err() {
            return Err(CertificateError::Mismatch {
                cert: cert.to_owned(),
                key: key.to_owned(),
            });
        }
        Ok(Self {
            key: Arc::new(certified),
            not_before,
            not_after,
        })
    }

    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether it is valid for this host, a name or an address (RFC 9525 section 6).
    #[must_use]
    pub fn is_valid_for(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let (Ok(name), Ok(own)) = (ServerName::try_from(host), self.key.end_entity_cert()) else {
            return false;
        };
        EndEntityCert::try_from(own)
            .is_ok_and(|own| own.verify_is_valid_for_subject_name(&name).is_ok())
    }
}

fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    let unreadable = |source| CertificateError::Unreadable {
        file: file.to_owned(),
        source,
    };
    std::fs::read(file).map(Zeroizing::new).map_err(unreadable)
}

fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let pem = read(file)?;
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&pem).collect();
    let file = file.to_owned();
    match chain {
        Ok(chain) if chain.is_empty() => Err(CertificateError::NoCertificate { file }),
        Ok(chain) => Ok(chain),
        Err(_) => Err(CertificateError::Pem { file }),
    }
}

fn private_key(file: &Path) -> Result<Arc<dyn rustls::sign::SigningKey>, CertificateError> {
    let pem = read(file)?;
    let encrypted = || {
        // PKCS #8, or OpenSSL's older form.
        [
            &b"BEGIN ENCRYPTED PRIVATE KEY"[..],
            b"Proc-Type: 4,ENCRYPTED",
        ]
        .iter()
        .any(|mark| pem.windows(mark.len()).any(|window| window == *mark))
    };
    let der = PrivateKeyDer::from_pem_slice(&pem);
    let file = file.to_owned();
    match der {
        _ if encrypted() => Err(CertificateError::EncryptedKey { file }),
        Ok(der) => aws_lc::default_provider()
            .key_provider
            .load_private_key(der)
            .map_err(|_| CertificateError::UnusableKey { file }),
        Err(pem::Error::NoItemsFound) => Err(CertificateError::NoKey { file }),
        Err(_) => Err(CertificateError::Pem { file }),
    }
}

/// RFC 5280 section 4.1.2.5. `webpki` reports the two dates only in its errors for times outside of them, which it checks
/// first. So this asks for the earliest and for the latest time.
fn validity(certificate: &CertificateDer<'_>) -> Result<(Timestamp, Timestamp), webpki::Error> {
    let certificate = EndEntityCert::try_from(certificate)?;
    let error_at = |seconds| {
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let usage = KeyUsage::server_auth();
        let verified = certificate.verify_for_usage(&[], &[], &[], at, usage, None, None);
        verified.err().unwrap_or(webpki::Error::UnknownIssuer)
    };
    // After the year 9999, when no certificate can be valid.
    let latest = 1 << 48;
    match (error_at(0), error_at(latest)) {
        (
            webpki::Error::CertNotValidYet { not_before, .. },
            webpki::Error::CertExpired { not_after, .. },
        ) => Ok((seconds(not_before), seconds(not_after))),
        // Valid from before 1970.
        (_, webpki::Error::CertExpired { not_after, .. }) => {
            Ok((Timestamp::default(), seconds(not_after)))
        }
        (_, error) => Err(error),
    }
}

const fn seconds(time: UnixTime) -> Timestamp {
    Timestamp::from_secs(time.as_secs())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, date_time_ymd};
    use tempfile::TempDir;

    use grantor_core::base::cause::Causes;

    use super::*;

    /// A certificate for these names and its key, as PEM.
    fn generate(names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let generated = rcgen::generate_simple_self_signed(names).unwrap();
        (generated.cert.pem(), generated.signing_key.serialize_pem())
    }

    /// Writes the texts to files and reads them; the error contains its causes.
    fn read(cert: &str, key: &str) -> Result<Certificate, String> {
        let folder = TempDir::new().unwrap();
        let [cert_file, key_file] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        fs::write(&cert_file, cert).unwrap();
        fs::write(&key_file, key).unwrap();
        let place = format!("{}/", folder.path().display());
        Certificate::read(&cert_file, &key_file)
            .map_err(|error| Causes(&error).to_string().replace(&place, ""))
    }

    #[test]
    fn a_certificate_is_valid_for_its_names_and_addresses() {
        let (cert, key) = generate(&["id.example.com", "*.apps.example.com", "127.0.0.1", "::1"]);
        let certificate = read(&cert, &key).unwrap();
        for (host, valid) in [
            ("id.example.com", true),
            ("a.apps.example.com", true),
            ("127.0.0.1", true),
            ("[::1]", true),
            ("example.com", false),
            ("a.b.apps.example.com", false),
            ("127.0.0.2", false),
            ("not a name", false),
        ] {
            assert_eq!(certificate.is_valid_for(host), valid, "{host}");
        }
    }

    #[test]
    fn the_validity_period_of_a_certificate_is_read() {
        let validity = |year, month, day| {
            let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            params.not_before = date_time_ymd(2020, 2, 3);
            params.not_after = date_time_ymd(year, month, day);
            let key = KeyPair::generate().unwrap();
            let cert = params.self_signed(&key).unwrap();
            let read = read(&cert.pem(), &key.serialize_pem()).unwrap();
            (read.not_before().as_secs(), read.not_after().as_secs())
        };
        assert_eq!(validity(2030, 4, 5), (1_580_688_000, 1_901_577_600));
        assert_eq!(validity(9999, 12, 31).1, 253_402_214_400);
    }

    #[test]
    fn keys_of_all_supported_types_and_encodings_are_accepted() {
        let params = || CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        for kind in [
            &rcgen::PKCS_ECDSA_P256_SHA256,
            &rcgen::PKCS_ECDSA_P384_SHA384,
            &rcgen::PKCS_ED25519,
            &PKCS_RSA_SHA256,
        ] {
            let key = KeyPair::generate_for(kind).unwrap();
            let cert = params().self_signed(&key).unwrap();
            read(&cert.pem(), &key.serialize_pem()).unwrap();
            // In one file, in either order.
            let both = cert.pem() + &key.serialize_pem();
            read(&both, &both).unwrap();
        }
    }

    #[test]
    fn errors_name_the_file_but_contain_nothing_of_a_key() {
        let (cert, key) = generate(&["a.example"]);
        let (_, other_key) = generate(&["a.example"]);
        let cut = |pem: &str| pem[..pem.len() / 2].to_owned();
        let empty_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned();
        let empty_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned();
        let encrypted =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        for (cert, key, message) in [
            ("", &*key, "cert.pem contains no certificate"),
            (&*key, &*key, "cert.pem contains no certificate"),
            (&cut(&cert), &*key, "cert.pem is not valid PEM"),
            (
                &empty_der,
                &*key,
                "the first certificate in cert.pem cannot be used: ",
            ),
            (&*cert, "", "key.pem contains no private key"),
            (&*cert, &*cert, "key.pem contains no private key"),
            (&*cert, &cut(&key), "key.pem is not valid PEM"),
            (
                &*cert,
                &empty_key,
                "the private key in key.pem cannot be used",
            ),
            (&*cert, encrypted, "the private key in key.pem is encrypted"),
            (
                &*cert,
                &*other_key,
                "the private key in key.pem does not match the first certificate in cert.pem",
            ),
        ] {
            let error = read(cert, key).unwrap_err();
            assert!(error.starts_with(message), "{message}: {error}");
            let line = key.lines().nth(1).unwrap_or("no second line");
            assert!(!error.contains(line), "{error}");
        }
        let missing =
            Certificate::read(Path::new("missing/cert.pem"), Path::new("missing/key.pem"));
        assert_eq!(
            Causes(&missing.unwrap_err()).to_string(),
            "missing/cert.pem cannot be read: No such file or directory (os error 2)"
        );
    }
}
