//! web
pub mod locale;
pub mod pages;
pub mod render;
