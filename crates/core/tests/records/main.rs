//! Records as they are stored: their names, and what they keep of newer versions.

#![expect(clippy::expect_used, reason = "a part of tests")]

mod kept;
mod names;
mod newer;
mod samples;
