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

/// A certificate chain, the server's own first, with the private key that belongs to it.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    begins: Timestamp,
    ends: Timestamp,
}

/// Why files make no certificate. Each sentence names the file.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The system gives none.
    #[error("{} cannot be read: {error}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// Something begins like PEM, and is none.
    #[error("{} is not whole PEM: a part of it is cut off or damaged", file.display())]
    Pem {
        /// The file.
        file: PathBuf,
    },
    /// No certificate.
    #[error(
        "{} holds no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----",
        file.display()
    )]
    NoCertificate {
        /// The file.
        file: PathBuf,
    },
    /// A certificate that is none.
    #[error("the first certificate of {} cannot be used: {reason}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: webpki::Error,
    },
    /// No key.
    #[error("{} holds no private key: it must be PEM, with -----BEGIN PRIVATE KEY-----", file.display())]
    NoKey {
        /// The file.
        file: PathBuf,
    },
    /// A key under a password.
    #[error(
        "the private key of {} is encrypted: decrypt it (openssl pkey -in FILE -out FILE), and let only the server read it",
        file.display()
    )]
    EncryptedKey {
        /// The file.
        file: PathBuf,
    },
    /// A key of a kind or form that is not spoken.
    #[error(
        "the private key of {} cannot be used: it must be RSA (2048 bits or more), ECDSA (P-256, P-384, P-521) or Ed25519",
        file.display()
    )]
    UnusableKey {
        /// The file.
        file: PathBuf,
    },
    /// Two that do not belong together.
    #[error(
        "the private key of {} is not that of the first certificate of {}: the server's own comes first, then those above it",
        key.display(), cert.display()
    )]
    Mismatch {
        /// The file of the certificates.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
}

impl Certificate {
    /// Reads a chain and its key from PEM files. Both may be the same file.
    ///
    /// # Errors
    /// [`CertificateError`], with the file's name and nothing of what a key's file holds.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, CertificateError> {
        let chain = chain(cert)?;
        let unusable = |reason| CertificateError::Unusable {
            file: cert.to_owned(),
            reason,
        };
        let (begins, ends) = validity(&chain[0]).map_err(unusable)?;
        let certified = CertifiedKey::new(chain, private_key(key)?);
        if certified.keys_match().is_err() {
            return Err(CertificateError::Mismatch {
                cert: cert.to_owned(),
                key: key.to_owned(),
            });
        }
        Ok(Self {
            key: Arc::new(certified),
            begins,
            ends,
        })
    }

    /// When it begins to be valid.
    #[must_use]
    pub const fn begins(&self) -> Timestamp {
        self.begins
    }

    /// When it ends to be valid.
    #[must_use]
    pub const fn ends(&self) -> Timestamp {
        self.ends
    }

    /// Whether it is for this host, a name or an address (RFC 9525 section 6).
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let (Ok(name), Ok(own)) = (ServerName::try_from(host), self.key.end_entity_cert()) else {
            return false;
        };
        EndEntityCert::try_from(own)
            .is_ok_and(|own| own.verify_is_valid_for_subject_name(&name).is_ok())
    }
}

fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    let unreadable = |error| CertificateError::Unreadable {
        file: file.to_owned(),
        error,
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

/// RFC 5280 section 4.1.2.5. The verifier tells both ends of the time only by refusing the times beyond them, which it does
/// first; so it is asked about the first and the last moment that there is.
fn validity(certificate: &CertificateDer<'_>) -> Result<(Timestamp, Timestamp), webpki::Error> {
    let certificate = EndEntityCert::try_from(certificate)?;
    let refused_at = |seconds| {
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let usage = KeyUsage::server_auth();
        let verified = certificate.verify_for_usage(&[], &[], &[], at, usage, None, None);
        verified.err().unwrap_or(webpki::Error::UnknownIssuer)
    };
    // Beyond the year 9999, after which no certificate can be valid.
    let never = 1 << 48;
    match (refused_at(0), refused_at(never)) {
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

    use super::*;

    /// A certificate for these names, and its key, as PEM.
    fn made(names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    /// What comes of files with these texts.
    fn read(cert: &str, key: &str) -> Result<Certificate, String> {
        let folder = TempDir::new().unwrap();
        let [cert_file, key_file] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        fs::write(&cert_file, cert).unwrap();
        fs::write(&key_file, key).unwrap();
        let place = format!("{}/", folder.path().display());
        Certificate::read(&cert_file, &key_file)
            .map_err(|error| error.to_string().replace(&place, ""))
    }

    #[test]
    fn a_certificate_is_for_its_names_and_addresses() {
        let (cert, key) = made(&["id.example.com", "*.apps.example.com", "127.0.0.1", "::1"]);
        let certificate = read(&cert, &key).unwrap();
        for (host, right) in [
            ("id.example.com", true),
            ("a.apps.example.com", true),
            ("127.0.0.1", true),
            ("[::1]", true),
            ("example.com", false),
            ("a.b.apps.example.com", false),
            ("127.0.0.2", false),
            ("not a name", false),
        ] {
            assert_eq!(certificate.is_for(host), right, "{host}");
        }
    }

    #[test]
    fn a_certificate_tells_when_it_begins_and_ends() {
        let ends = |year, month, day| {
            let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            params.not_before = date_time_ymd(2020, 2, 3);
            params.not_after = date_time_ymd(year, month, day);
            let key = KeyPair::generate().unwrap();
            let cert = params.self_signed(&key).unwrap();
            let read = read(&cert.pem(), &key.serialize_pem()).unwrap();
            (read.begins().as_secs(), read.ends().as_secs())
        };
        assert_eq!(ends(2030, 4, 5), (1_580_688_000, 1_901_577_600));
        assert_eq!(ends(9999, 12, 31).1, 253_402_214_400);
    }

    #[test]
    fn keys_of_each_usual_kind_and_form_are_taken() {
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
    fn what_is_wrong_with_a_file_is_said_with_its_name_and_nothing_of_it() {
        let (cert, key) = made(&["a.example"]);
        let (_, other_key) = made(&["a.example"]);
        let cut = |pem: &str| pem[..pem.len() / 2].to_owned();
        let der_of_nothing =
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned();
        let key_of_nothing =
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned();
        let encrypted =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        for (cert, key, said) in [
            ("", &*key, "cert.pem holds no certificate"),
            (&*key, &*key, "cert.pem holds no certificate"),
            (&cut(&cert), &*key, "cert.pem is not whole PEM"),
            (
                &der_of_nothing,
                &*key,
                "the first certificate of cert.pem cannot be used: ",
            ),
            (&*cert, "", "key.pem holds no private key"),
            (&*cert, &*cert, "key.pem holds no private key"),
            (&*cert, &cut(&key), "key.pem is not whole PEM"),
            (
                &*cert,
                &key_of_nothing,
                "the private key of key.pem cannot be used",
            ),
            (&*cert, encrypted, "the private key of key.pem is encrypted"),
            (
                &*cert,
                &*other_key,
                "the private key of key.pem is not that of the first certificate of cert.pem",
            ),
        ] {
            let error = read(cert, key).unwrap_err();
            assert!(error.starts_with(said), "{said}: {error}");
            let line = key.lines().nth(1).unwrap_or("nothing of a key");
            assert!(!error.contains(line), "{error}");
        }
        let gone = Certificate::read(Path::new("gone/cert.pem"), Path::new("gone/key.pem"));
        assert_eq!(
            gone.unwrap_err().to_string(),
            "gone/cert.pem cannot be read: No such file or directory (os error 2)"
        );
    }
}
