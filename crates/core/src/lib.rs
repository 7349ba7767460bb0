//! The protocol: what Grantor decides, and nothing of how it is carried out.
//!
//! No socket, SQL, clock or async in here. Time, randomness and keys come in as values,
//! decisions go out as data; `ARCHITECTURE.md` walks one request through the house.

pub mod row;
pub mod time;
