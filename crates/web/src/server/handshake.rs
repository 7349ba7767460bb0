//! The TLS handshake, with a time limit like that for request headers.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::stream::Stream;

/// What a connection needs for its handshake.
pub(super) struct Handshake {
    pub(super) acceptor: TlsAcceptor,
    pub(super) timeout: Duration,
    /// Cancelled when the server stops, or the connection must make room.
    pub(super) closing: CancellationToken,
}

impl Handshake {
    /// `None` if the handshake fails. Plain HTTP, scanners and old clients are expected, and rustls has sent the alert.
    pub(super) async fn accept_tls(
        self,
        stream: Stream,
        address: IpAddr,
    ) -> Option<TlsStream<Stream>> {
        let accepted = timeout(self.timeout, self.acceptor.accept(stream));
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            () = self.closing.cancelled() => return None,
        };
        let reason = match accepted {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "timed out".to_owned(),
        };
        tracing::debug!(%address, reason, "TLS handshake failed");
        None
    }
}
