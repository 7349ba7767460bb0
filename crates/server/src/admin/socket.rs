//! The Unix socket next to the store.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::{UnixListener, UnixSocket};

use super::{Admin, router};
use crate::cause::Causes;

/// `sun_path` without its terminator, see unix(7).
const MAX_PATH_BYTES: usize = 107;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 64;

#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The path is longer than a socket's may be.
    #[error("the path {} has {length} bytes, and a socket's has {MAX_PATH_BYTES} at most: give the store a shorter one", path.display())]
    TooLong { path: PathBuf, length: usize },
    /// Another kind of file has the path. It was not changed.
    #[error("{} is in the way: it is not a socket", .0.display())]
    InTheWay(PathBuf),
    #[error("cannot use the socket {}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// The path of the socket of the server that has this store open.
///
/// # Errors
/// [`SocketError::TooLong`]
pub fn path(store: &Path) -> Result<PathBuf, SocketError> {
    let mut path = store.as_os_str().to_owned();
    path.push(".sock");
    let (path, length) = (PathBuf::from(&path), path.len());
    if length > MAX_PATH_BYTES {
        return Err(SocketError::TooLong { path, length });
    }
    Ok(path)
}

/// Who connected, by the user id of the system. Only the owner and root can.
#[derive(Clone, Copy, Debug)]
pub struct PeerUid(pub u32);

impl Connected<IncomingStream<'_, UnixListener>> for PeerUid {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let peer = stream.io().peer_cred();
        Self(peer.map_or(u32::MAX, |peer| peer.uid()))
    }
}

/// A listening socket, whose file is removed when it is dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    name: Name,
}

#[derive(Debug)]
struct Name(PathBuf);

impl Drop for Name {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

impl Socket {
    /// Listens next to the store. This process must hold the store's lock, so another socket of that path is stale. Only
    /// the owner can connect, from the start.
    ///
    /// # Errors
    /// [`SocketError`]
    pub fn listen(store: &Path) -> Result<Self, SocketError> {
        let path = path(store)?;
        let system = |source| SocketError::Io {
            path: path.clone(),
            source,
        };
        match fs::symlink_metadata(&path) {
            Ok(there) if there.file_type().is_socket() => fs::remove_file(&path).map_err(system)?,
            Ok(_) => return Err(SocketError::InTheWay(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(system(error)),
        }
        let socket = UnixSocket::new_stream().map_err(system)?;
        socket.bind(&path).map_err(system)?;
        let name = Name(path.clone());
        // No connection is possible before it listens.
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(system)?;
        let listener = socket.listen(BACKLOG).map_err(system)?;
        Ok(Self { listener, name })
    }

    /// Serves requests until it is dropped.
    pub async fn serve(self, admin: Arc<Admin>) {
        let Self {
            listener,
            name: _name,
        } = self;
        let service = router(admin).into_make_service_with_connect_info::<PeerUid>();
        // It retries after errors and never ends.
        if let Err(error) = axum::serve(listener, service).await {
            tracing::error!(error = %Causes(&error), "the admin socket is closed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[tokio::test]
    async fn only_the_owner_connects_and_nothing_is_left_behind() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = folder.path().join("grantor.db");
        let path = path(&store).unwrap();
        let socket = Socket::listen(&store).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        UnixStream::connect(&path).unwrap();
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_anything_else_is_left() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = folder.path().join("grantor.db");
        let path = path(&store).unwrap();
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(UnixStream::connect(&path).is_err(), "stale");
        let socket = Socket::listen(&store).unwrap();
        UnixStream::connect(&path).unwrap();
        drop(socket);

        fs::write(&path, "a letter").unwrap();
        let error = Socket::listen(&store).unwrap_err();
        assert!(matches!(error, SocketError::InTheWay(_)), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"a letter");
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_reported() {
        let fits = "/".repeat(MAX_PATH_BYTES - 5);
        assert!(path(Path::new(&fits)).is_ok());
        let error = path(Path::new(&format!("{fits}x"))).unwrap_err();
        assert!(error.to_string().contains("has 108 bytes"), "{error}");
    }
}
