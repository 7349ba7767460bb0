//! Exit codes beside those of the system, 0 for success and 1 for failure.

/// The command was used wrongly, or its configuration is wrong.
pub const USAGE: u8 = 2;
