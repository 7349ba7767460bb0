//! How decisions are driven: what they need, what they return, and the steps that the shell performs in between.

pub mod decide;
pub mod drive;
pub mod env;
pub mod event;
pub mod explain;
pub mod facts;
pub mod limits;
mod step;
