//! The output of the device.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use grantor_server::cause::Causes;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use serde_json::{Map, Value as Json, json};

use super::Codes;
use super::failure::Failure;

/// Standard output: for people, or one JSON object a line for programs.
pub(super) struct Screen<W> {
    out: W,
    json: bool,
    colours: bool,
}

impl<W: Write> Screen<W> {
    pub(super) fn new(out: W, json: bool, terminal: bool) -> Self {
        Self {
            out,
            json,
            colours: terminal,
        }
    }

    /// Shows where to go and the code to compare. The device code is a credential and not shown.
    pub(super) fn codes(&mut self, codes: &Codes) -> io::Result<()> {
        let Codes {
            user_code,
            verification_uri,
            verification_uri_complete,
            expires_in,
            interval,
            ..
        } = codes;
        if self.json {
            return self.event(
                "code",
                json!({
                    "user_code": user_code,
                    "verification_uri": verification_uri,
                    "verification_uri_complete": verification_uri_complete,
                    "expires_in": expires_in,
                    "interval": interval,
                }),
            );
        }
        let complete = verification_uri_complete
            .as_ref()
            .unwrap_or(verification_uri);
        writeln!(
            self.out,
            "On your phone or computer, open\n\n    {}\n",
            printable(verification_uri)
        )?;
        writeln!(
            self.out,
            "and enter the code\n\n    {}\n",
            printable(user_code)
        )?;
        if let Some(code) = qr_code(complete, self.colours) {
            writeln!(self.out, "or scan this and compare the code:\n\n{code}")?;
        }
        self.out.flush()
    }

    /// Shows the token response.
    pub(super) fn tokens(&mut self, tokens: Map<String, Json>) -> io::Result<()> {
        if self.json {
            return self.event("tokens", Json::Object(tokens));
        }
        let width = tokens.keys().map(String::len).max().unwrap_or(0);
        for (name, value) in &tokens {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            writeln!(
                self.out,
                "{:width$}  {}",
                printable(name),
                printable(&value)
            )?;
        }
        self.out.flush()
    }

    /// Shows why the login failed: as text on standard error.
    pub(super) fn failed(&mut self, failure: &Failure) -> io::Result<()> {
        if !self.json {
            return writeln!(io::stderr(), "{}", printable(&Causes(failure).to_string()));
        }
        let event = match failure {
            Failure::Refused {
                error,
                description,
                trace_id,
            } => {
                json!({ "error": error, "error_description": description, "trace_id": trace_id })
            }
            Failure::Expired => {
                json!({ "error": "expired_token", "error_description": Causes(failure).to_string() })
            }
            _ => json!({ "error": null, "error_description": Causes(failure).to_string() }),
        };
        self.event("error", event)
    }

    fn event(&mut self, event: &str, mut object: Json) -> io::Result<()> {
        // Last, so that no answer can pass for another event.
        object["event"] = Json::from(event);
        writeln!(self.out, "{object}")?;
        self.out.flush()
    }
}

/// Lets `time` pass; with `progress`, a line on standard error says that it does.
pub(super) async fn wait(time: Duration, progress: bool) {
    if !progress {
        return tokio::time::sleep(time).await;
    }
    for left in (1..=time.as_secs()).rev() {
        // The terminal may be gone.
        write!(
            io::stderr(),
            "\rWaiting for approval, next look in {left} s \x1b[K"
        )
        .ok();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    write!(io::stderr(), "\r\x1b[K").ok();
}

/// A QR code in half blocks, with its quiet zone. With `colours` it is dark on light whatever the
/// terminal's colours are; without, it takes the terminal to be dark.
pub(super) fn qr_code(text: &str, colours: bool) -> Option<String> {
    // None for a URI that is too long for a code: it is shown as text anyway.
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let image = code
        .render::<Dense1x2>()
        // A block is drawn in the foreground colour, which is the light one.
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .quiet_zone(true)
        .build();
    let mut lines = String::new();
    for line in image.lines() {
        let (start, end) = if colours {
            ("\x1b[97;40m", "\x1b[0m")
        } else {
            ("", "")
        };
        // Writing to a string cannot fail.
        writeln!(lines, "{start}{line}{end}").ok();
    }
    Some(lines)
}

/// The text without what would steer a terminal: it comes from the server.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}
