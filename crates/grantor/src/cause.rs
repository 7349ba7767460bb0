//! Why something of others failed, in few words.

/// The cause at the bottom ("Connection refused") says more than the layers above it.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map_or_else(String::new, ToString::to_string)
}
