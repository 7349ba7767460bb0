//! A `tower` layer that passes only requests with a valid token.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower::{Layer, Service};

use crate::bearer;
use crate::refusal::Refusal;
use crate::report::Report;
use crate::scope::Scopes;
use crate::secret::BearerToken;
use crate::token::AccessToken;
use crate::verifier::Verifier;

/// Protects services: a request without a valid token is answered with the challenge of RFC 6750 section 3; any other has
/// [`AccessToken`] and [`BearerToken`] in its extensions.
///
/// Nested layers with clones of one verifier verify a request's token once. So a router can be protected as a whole, and
/// its routes by their scopes.
#[derive(Clone, Debug)]
pub struct Protect {
    verifier: Verifier,
    scopes: Scopes,
}

impl Protect {
    /// Requires a valid token with any scopes.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            scopes: Scopes::default(),
        }
    }

    /// Requires this scope as well, or several separated by spaces.
    #[must_use]
    pub fn scope(&self, scope: &str) -> Self {
        Self {
            verifier: self.verifier.clone(),
            scopes: self.scopes.clone().union(Scopes::from(scope)),
        }
    }

    /// Verifies the token of a request, unless an outer layer did.
    async fn authorize<B>(&self, request: &mut Request<B>) -> Result<(), Refusal> {
        let known = match request.extensions().get::<VerifiedBy>() {
            Some(VerifiedBy(verifier)) if verifier.is(&self.verifier) => {
                request.extensions().get::<AccessToken>().cloned()
            }
            _ => None,
        };
        let access = match known {
            Some(access) => access,
            None => {
                let bearer = bearer::from_request(request.headers(), request.uri().query())?;
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

/// The verifier that accepted the token of a request.
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

/// A service inside [`Protect`].
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
        // Call the service that was polled ready; its clone may not be ready.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        Box::pin(async move {
            match protect.authorize(&mut request).await {
                Ok(()) => inner.call(request).await,
                Err(refusal) => {
                    // Failed requests to the issuer are logged as warnings elsewhere; this is one line per request.
                    let refused = Report(&refusal);
                    tracing::debug!(error = %refused, "request refused");
                    Ok(refusal.response(protect.verifier.realm()))
                }
            }
        })
    }
}

#[cfg(test)]
#[cfg(all(feature = "axum", feature = "fetch"))]
mod tests;
