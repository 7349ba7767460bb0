//! TLS: the certificate with its key, and how both are replaced while connections live.

mod certificate;

use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs as aws_lc};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ServerConfig};
use tokio_rustls::TlsAcceptor;

pub use certificate::{Certificate, CertificateError};

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OldestTls {
    /// TLS 1.3 and nothing else.
    #[default]
    V1_3,
    /// TLS 1.2 too, by ECDHE with AES-GCM only.
    V1_2,
}

/// What the server proves itself with. Replacing the certificate leaves open connections alone.
#[derive(Debug)]
pub struct Tls {
    config: Arc<ServerConfig>,
    current: Arc<Current>,
}

impl Tls {
    /// TLS with this certificate, from this version on.
    ///
    /// # Errors
    /// None in practice: the versions and suites are fixed, and fit each other.
    pub fn new(certificate: Certificate, oldest: OldestTls) -> Result<Self, rustls::Error> {
        let current = Arc::new(Current(RwLock::new(certificate.key)));
        let versions = match oldest {
            OldestTls::V1_3 => &[&TLS13][..],
            OldestTls::V1_2 => &[&TLS13, &TLS12],
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        // RFC 7301 section 3.2: a client that offers nothing of these is refused, not misunderstood.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            current,
        })
    }

    /// From the next handshake on, another certificate.
    pub fn replace(&self, certificate: Certificate) {
        let mut current = self
            .current
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = certificate.key;
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

/// The suites of TLS 1.3, and of TLS 1.2 those that RFC 9325 section 4.2 recommends: ECDHE with AES-GCM.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc::default_provider();
    provider.cipher_suites.retain(|suite| match suite.suite() {
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => true,
        _ => suite.tls13().is_some(),
    });
    provider
}

/// The certificate of now.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    /// Whatever name a client asks for: there is one certificate.
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}
