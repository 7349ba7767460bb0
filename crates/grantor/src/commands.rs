//! The commands, one file each.

pub mod access;
pub mod admin;
mod administer;
pub mod backup;
pub mod check;
pub mod config;
pub mod dev;
pub mod device_login;
pub mod events;
pub mod explain;
pub mod hash_password;
pub mod keys;
pub mod managed;
mod moment;
mod password_input;
pub mod reload;
pub mod restore;
pub mod serve;
mod table;
pub mod user;
pub mod why;
