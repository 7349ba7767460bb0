//! How commands get a password: from the first line of standard input, or typed at a terminal, which does not show it.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use grantor_core::model::credentials::{InvalidPassword, check_new_password};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use grantor_core::base::secret::Secret;

#[derive(Debug, thiserror::Error)]
pub(super) enum PasswordError {
    #[error("the password cannot be read")]
    Read(#[from] io::Error),
    /// Nobody can be asked.
    #[error("standard input is no terminal: write the password there and give --password-stdin")]
    NoTerminal,
    #[error("the two passwords differ")]
    Different,
    #[error("the password {0}")]
    Unfit(InvalidPassword),
}

/// A password that somebody may be given.
pub(super) fn new_password(from_stdin: bool) -> Result<Secret, PasswordError> {
    let password = if from_stdin {
        first_line()?
    } else if io::stdin().is_terminal() {
        let password = typed("New password: ")?;
        if *typed("The same again: ")? != *password {
            return Err(PasswordError::Different);
        }
        password
    } else {
        return Err(PasswordError::NoTerminal);
    };
    let password = Secret::new(password.as_str());
    check_new_password(&password).map_err(PasswordError::Unfit)?;
    Ok(password)
}

pub(super) fn first_line() -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

/// Standard output may be a file, so the question goes to standard error.
fn typed(question: &str) -> io::Result<Zeroizing<String>> {
    let mut stderr = io::stderr();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let line = {
        let _hidden = HiddenInput::new()?;
        first_line()
    };
    writeln!(stderr)?;
    line
}

/// While it lives, the terminal does not show what is typed.
struct HiddenInput(Termios);

impl HiddenInput {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(before))
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        // The terminal may have gone.
        tcsetattr(io::stdin(), OptionalActions::Flush, &self.0).ok();
    }
}
