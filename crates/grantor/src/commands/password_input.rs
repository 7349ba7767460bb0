//! How commands get a password: from the first line of standard input, or typed at a terminal, which does not show it.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;

use grantor_core::base::secret::Secret;
use grantor_core::model::credentials::{InvalidPassword, NewPassword};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::exit;

/// What a shell expects of a program that ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

#[derive(Debug, thiserror::Error)]
pub(super) enum PasswordError {
    #[error("the password cannot be read")]
    Read(#[from] io::Error),
    /// No one can be asked.
    #[error("standard input is no terminal: write the password there and give --password-stdin{0}")]
    NoTerminal(&'static str),
    #[error("interrupted")]
    Interrupted,
    #[error("the two passwords differ")]
    Different,
    #[error("the password {0}")]
    Unfit(InvalidPassword),
}

impl PasswordError {
    pub(super) fn exit(&self) -> ExitCode {
        match self {
            Self::Interrupted => ExitCode::from(INTERRUPTED),
            _ => exit::failure(self),
        }
    }
}

/// A password that a user may have. `or` is what else can be given where there is no terminal.
pub(super) fn new_password(
    from_stdin: bool,
    or: &'static str,
) -> Result<NewPassword, PasswordError> {
    let password = if from_stdin {
        first_line()?
    } else if io::stdin().is_terminal() {
        let password = typed("New password: ")?;
        if *typed("The same again: ")? != *password {
            return Err(PasswordError::Different);
        }
        password
    } else {
        return Err(PasswordError::NoTerminal(or));
    };
    NewPassword::new(Secret::new(password.as_str())).map_err(PasswordError::Unfit)
}

pub(super) fn first_line() -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

/// Standard output may be a file, so the question goes to standard error.
fn typed(question: &str) -> Result<Zeroizing<String>, PasswordError> {
    let mut stderr = io::stderr();
    let line = {
        // First, so that nothing typed after the question is shown or lost.
        let _hidden = HiddenInput::new()?;
        write!(stderr, "{question}")?;
        stderr.flush()?;
        typed_line()
    };
    writeln!(stderr)?;
    line
}

/// A line of a terminal that interprets no keys: Ctrl-C ends the program only after the terminal is as it was.
fn typed_line() -> Result<Zeroizing<String>, PasswordError> {
    let mut line = Zeroizing::new(Vec::new());
    for byte in io::stdin().lock().bytes() {
        match byte? {
            b'\n' | b'\r' | keys::CTRL_D => break,
            keys::CTRL_C => return Err(PasswordError::Interrupted),
            keys::CTRL_U => line.clear(),
            keys::BACKSPACE | keys::DELETE => {
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte => line.push(byte),
        }
    }
    let text = std::str::from_utf8(&line).map_err(io::Error::other)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// What terminals send for keys.
mod keys {
    pub(super) const CTRL_C: u8 = 3;
    pub(super) const CTRL_D: u8 = 4;
    pub(super) const BACKSPACE: u8 = 8;
    pub(super) const CTRL_U: u8 = 21;
    pub(super) const DELETE: u8 = 127;
}

/// While it lives, the terminal shows nothing of what is typed, and interprets no keys.
struct HiddenInput(Termios);

impl HiddenInput {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        let interpreted = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        hidden.local_modes.remove(interpreted);
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
