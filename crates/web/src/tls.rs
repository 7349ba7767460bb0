//! TLS with a certificate that can be replaced while the server runs.

mod certificate;

use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs as aws_lc};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ServerConfig};
use tokio_rustls::TlsAcceptor;

pub use certificate::{Certificate, CertificateError};

/// The minimum TLS version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MinTlsVersion {
    #[default]
    V1_3,
    /// TLS 1.2 with ECDHE and AES-GCM only, or TLS 1.3.
    V1_2,
}

/// The server's TLS settings and current certificate.
#[derive(Debug)]
pub struct Tls {
    config: Arc<ServerConfig>,
    current: Arc<CurrentCertificate>,
}

impl Tls {
    /// # Errors
    /// None in practice: the versions and cipher suites are fixed and compatible.
    pub fn new(
        certificate: Certificate,
        min_version: MinTlsVersion,
    ) -> Result<Self, rustls::Error> {
        let current = Arc::new(CurrentCertificate(RwLock::new(certificate.key)));
        let versions = match min_version {
            MinTlsVersion::V1_3 => &[&TLS13][..],
            MinTlsVersion::V1_2 => &[&TLS13, &TLS12],
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        // RFC 7301 section 3.2: a client whose ALPN list has no common protocol is refused.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            current,
        })
    }

    /// Takes effect from the next handshake; open connections continue.
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

/// All TLS 1.3 cipher suites, and the TLS 1.2 suites that RFC 9325 section 4.2 recommends: ECDHE with AES-GCM.
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

#[derive(Debug)]
struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for CurrentCertificate {
    /// There is one certificate, whatever server name the client sends.
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}
