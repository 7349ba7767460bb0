//! How a decision is driven: what it asks for, what it answers with, and the steps between that the shell performs.

pub mod decide;
pub mod drive;
pub mod env;
pub mod event;
pub mod limits;
