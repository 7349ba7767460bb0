//! TLS on a real socket, with a real client: versions, suites, protocols, and a certificate that changes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use grantor_web::{Certificate, MinTlsVersion, Tls};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use grantor_testkit::server::TestServer;

const HEALTHY: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

/// A server with TLS on a free port of the loopback.
struct Server {
    tls: Arc<Tls>,
    address: String,
    own: CertificateDer<'static>,
    folder: TempDir,
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<()>,
}

/// A certificate for 127.0.0.1, itself and as a file with its key.
fn made(folder: &TempDir, name: &str) -> (CertificateDer<'static>, PathBuf) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let file = folder.path().join(name);
    let pem = made.cert.pem() + &made.signing_key.serialize_pem();
    fs::write(&file, pem).expect("a file");
    (made.cert.der().clone(), file)
}

impl Server {
    async fn start(oldest: MinTlsVersion) -> Self {
        let folder = TempDir::new().expect("a folder");
        let (own, file) = made(&folder, "first.pem");
        let certificate = Certificate::read(&file, &file).expect("it is right");
        let tls = Arc::new(Tls::new(certificate, oldest).expect("suites for the versions"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let server = TestServer::new().await;
        let served = grantor_web::serve(server.app, listener, Some(Arc::clone(&tls)), stopped);
        let served = tokio::spawn(async { served.await.expect("it ends well") });
        Self {
            tls,
            address,
            own,
            folder,
            stop,
            served,
        }
    }

    async fn end(self) {
        self.stop.send(()).expect("it serves");
        self.served.await.expect("it stops");
    }

    /// A client that trusts this certificate.
    fn client(
        &self,
        trusted: &CertificateDer<'static>,
        provider: CryptoProvider,
        versions: &[&'static SupportedProtocolVersion],
        alpn: &str,
    ) -> Result<Client, std::io::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(versions)
            .expect("suites for the versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.into()];
        let name = "127.0.0.1".try_into().expect("an address");
        let mut connection = ClientConnection::new(Arc::new(config), name).expect("a client");
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(Client(StreamOwned::new(connection, stream)))
    }

    fn of_version(
        &self,
        version: &'static SupportedProtocolVersion,
    ) -> Result<Client, std::io::Error> {
        let provider = aws_lc_rs::default_provider();
        self.client(&self.own, provider, &[version], "http/1.1")
    }
}

struct Client(StreamOwned<ClientConnection, TcpStream>);

impl Client {
    /// Whether a request on this connection is answered.
    fn is_answered(&mut self) -> bool {
        self.0.write_all(HEALTHY).expect("it reads");
        let mut answer = [0; 4096];
        let read = self.0.read(&mut answer).expect("it answers");
        answer[..read].starts_with(b"HTTP/1.1 200 OK\r\n")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_1_3_is_offered_and_1_2_only_when_configured() {
    let server = Server::start(MinTlsVersion::V1_3).await;
    let mut client = server.of_version(&TLS13).expect("a handshake");
    assert!(client.is_answered());
    let spoken = client.0.conn.alpn_protocol();
    assert_eq!(spoken, Some(&b"http/1.1"[..]));
    let refused = server.of_version(&TLS12).err().expect("no handshake");
    assert!(refused.to_string().contains("ProtocolVersion"), "{refused}");
    drop(client);
    server.end().await;

    let server = Server::start(MinTlsVersion::V1_2).await;
    for version in [&TLS12, &TLS13] {
        let mut client = server.of_version(version).expect("a handshake");
        assert!(client.is_answered());
        assert_eq!(client.0.conn.protocol_version(), Some(version.version));
    }
    // The newest that both speak.
    let provider = aws_lc_rs::default_provider();
    let both = server.client(&server.own, provider, &[&TLS12, &TLS13], "http/1.1");
    let version = both.expect("a handshake").0.conn.protocol_version();
    assert_eq!(version, Some(ProtocolVersion::TLSv1_3));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_over_tls_have_strict_transport_security_and_plain_ones_do_not() {
    let server = Server::start(MinTlsVersion::V1_3).await;
    let mut client = server.of_version(&TLS13).expect("a handshake");
    client.0.write_all(HEALTHY).expect("it reads");
    let mut answer = [0; 4096];
    let read = client.0.read(&mut answer).expect("it answers");
    let answer = String::from_utf8_lossy(&answer[..read]);
    let header = "strict-transport-security: max-age=31536000\r\n";
    assert!(answer.contains(header), "{answer}");
    drop(client);
    server.end().await;

    // RFC 6797 section 7.2: "An HSTS Host MUST NOT include the STS header field in HTTP responses conveyed over
    // non-secure transport."
    let plain = TestServer::new().await.get("/healthz").await;
    assert!(!plain.headers.contains_key("strict-transport-security"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_1_2_is_offered_with_aes_gcm_only() {
    let server = Server::start(MinTlsVersion::V1_2).await;
    for (suite, spoken) in [
        (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, true),
        (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, true),
        (
            CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            false,
        ),
    ] {
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites.retain(|one| one.suite() == suite);
        let client = server.client(&server.own, provider, &[&TLS12], "http/1.1");
        assert_eq!(client.is_ok(), spoken, "{suite:?}");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alpn_protocol_other_than_http_1_1_is_refused() {
    let server = Server::start(MinTlsVersion::V1_3).await;
    let provider = aws_lc_rs::default_provider();
    let refused = server.client(&server.own, provider, &[&TLS13], "h2").err();
    let refused = refused.expect("no handshake").to_string();
    assert!(refused.contains("NoApplicationProtocol"), "{refused}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_used_for_new_connections_and_old_ones_stay_open() {
    let server = Server::start(MinTlsVersion::V1_3).await;
    let mut old = server.of_version(&TLS13).expect("a handshake");
    assert!(old.is_answered());
    let (second, file) = made(&server.folder, "second.pem");
    server
        .tls
        .replace(Certificate::read(&file, &file).expect("it is right"));

    assert!(
        server.of_version(&TLS13).is_err(),
        "the first is not shown any more"
    );
    let provider = aws_lc_rs::default_provider();
    let new = server.client(&second, provider, &[&TLS13], "http/1.1");
    assert!(new.expect("a handshake").is_answered());
    assert!(old.is_answered());
    drop(old);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_without_tls_are_closed_and_the_server_keeps_running() {
    let server = Server::start(MinTlsVersion::V1_3).await;
    for text in [
        HEALTHY,
        b"\x16\x03\x01\x00\x05hello",
        b"\x80\x2e\x01\x00\x02",
    ] {
        let mut stream = TcpStream::connect(&server.address).expect("it listens");
        stream.write_all(text).expect("it reads");
        // A client that sends nothing else.
        stream.shutdown(std::net::Shutdown::Write).expect("our end");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        // At most an alert (RFC 8446 section 6).
        assert!(
            answer.len() <= 7 && !answer.starts_with(b"HTTP"),
            "{answer:?}"
        );
    }
    let mut client = server.of_version(&TLS13).expect("a handshake");
    assert!(client.is_answered());
    server.end().await;
}
