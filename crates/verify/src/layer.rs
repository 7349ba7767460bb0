//! A layer of `tower` that lets only requests with a good token through.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower::{Layer, Service};

use crate::bearer;
use crate::refusal::Refusal;
use crate::scope::Scopes;
use crate::secret::BearerToken;
use crate::token::AccessToken;
use crate::verifier::Verifier;

/// Protects services: requests without a good token are answered with the challenge of RFC 6750 section 3, and what
/// comes through has [`AccessToken`] and [`BearerToken`] among its extensions.
///
/// Put around one another with clones of one verifier, a request's token is verified once: so a router can be
/// protected as a whole, and its routes by their scopes.
#[derive(Clone, Debug)]
pub struct Protect {
    verifier: Verifier,
    scopes: Scopes,
}

impl Protect {
    /// Asks for a good token, whatever its scopes.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            scopes: Scopes::default(),
        }
    }

    /// The same, and for this scope too, or for several with spaces between them.
    #[must_use]
    pub fn scope(&self, scope: &str) -> Self {
        Self {
            verifier: self.verifier.clone(),
            scopes: self.scopes.clone().and(Scopes::from(scope)),
        }
    }

    /// Finds the token of a request and verifies it, unless that was done further out.
    async fn admit<B>(&self, request: &mut Request<B>) -> Result<(), Refusal> {
        let known = match request.extensions().get::<VerifiedBy>() {
            Some(VerifiedBy(verifier)) if verifier.is(&self.verifier) => {
                request.extensions().get::<AccessToken>().cloned()
            }
            _ => None,
        };
        let access = match known {
            Some(access) => access,
            None => {
                let bearer = bearer::presented(request.headers(), request.uri().query())?;
                let access = self.verifier.verify(bearer.reveal()).await?;
                let extensions = request.extensions_mut();
                extensions.insert::<AccessToken>(access.clone());
                extensions.insert::<BearerToken>(bearer);
                extensions.insert(VerifiedBy(self.verifier.clone()));
                access
            }
        };
        match access.scope.has_all(&self.scopes) {
            true => Ok(()),
            false => Err(Refusal::InsufficientScope(self.scopes.clone())),
        }
    }
}

/// Whose word the token of a request has.
#[derive(Clone, Debug)]
struct VerifiedBy(Verifier);

impl<S> Layer<S> for Protect {
    type Service = Protected<S>;

    fn layer(&self, inner: S) -> Protected<S> {
        Protected {
            protect: self.clone(),
            inner,
        }
    }
}

/// A service that [`Protect`] protects.
#[derive(Clone, Debug)]
pub struct Protected<S> {
    protect: Protect,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Protected<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let protect = self.protect.clone();
        // The one that was found ready is the one to call.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        Box::pin(async move {
            match protect.admit(&mut request).await {
                Ok(()) => inner.call(request).await,
                Err(refusal) => {
                    // What is away was told once already; this is said for each request.
                    tracing::debug!(%refusal, "a request is not let through");
                    Ok(refusal.response(protect.verifier.realm()))
                }
            }
        })
    }
}

#[cfg(test)]
mod tests;
