//! Translations for the clients of other systems.

/// Which of them are spoken. They translate requests and answers, and decide nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialects {
    pub iroh: bool,
}
