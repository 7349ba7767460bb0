//! Not a part of any program. Cargo builds a dependency once per set of features, and `cargo run --release` alone would ask
//! for fewer features than the tests of the whole workspace. This package is a default member, and so `cargo run` asks for
//! the features of these dependencies too, although it does not build them. The step *dependencies* of `cargo xtask test`
//! reports packages that would be built twice.

use axum as _;
use grantor_verify as _;
use jsonwebtoken as _;
use oauth2 as _;
use openidconnect as _;
use proptest as _;
use rcgen as _;
use tempfile as _;
use tokio_postgres as _;
