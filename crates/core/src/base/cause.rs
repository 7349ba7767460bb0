//! Errors with their causes, for where they leave the program: an error's own text does not repeat its cause.

use std::error::Error;
use std::fmt;

/// Displays an error and its causes, joined by colons. A cause that the text before it ends with is left out.
#[derive(Clone, Copy)]
pub struct Causes<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            cause = error.source();
            let next = error.to_string();
            if !text.ends_with(&next) {
                text = format!("{text}: {next}");
            }
        }
        f.write_str(&text)
    }
}

/// The last cause of an error: of one that a library wraps several times, it says most ("Connection refused").
#[must_use]
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("cannot read the file")]
        Plain(#[source] std::io::Error),
        #[error("cannot read the file: {0}")]
        Repeated(#[source] std::io::Error),
    }

    #[test]
    fn each_cause_is_displayed_once() {
        let io = || std::io::Error::other("no space");
        for error in [Outer::Plain(io()), Outer::Repeated(io())] {
            let text = Causes(&error).to_string();
            assert_eq!(text, "cannot read the file: no space");
        }
    }
}
