//! The server as a program: its command line and its commands.
//!
//! What belongs here: arguments, what commands print, and exit codes. It is a library with a small `main`, so that tests
//! reach the commands without a process.

// Printing panics where it cannot be written.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
pub mod commands;
pub mod exit;
