//! The handshake of TLS, bounded like the head of a request: until it ends, a client has shown nothing.

use std::net::IpAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// One handshake to come.
pub(super) struct Handshake {
    pub(super) acceptor: TlsAcceptor,
    /// How long it may take.
    pub(super) patience: Duration,
    /// Ends it early: the server stops.
    pub(super) stopping: CancellationToken,
}

impl Handshake {
    /// The connection, if TLS came of it. What else came (plain http, a scanner, an old client) is nobody's concern but
    /// its own; rustls has told it what is wrong.
    pub(super) async fn shake(
        self,
        stream: TcpStream,
        address: IpAddr,
    ) -> Option<TlsStream<TcpStream>> {
        let accepted = timeout(self.patience, self.acceptor.accept(stream));
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            () = self.stopping.cancelled() => return None,
        };
        let reason = match accepted {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        tracing::debug!(%address, reason, "no TLS");
        None
    }
}
