//! A log that cannot be written, and output that no one takes, stop nothing.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, PipeReader, Write as _, pipe};
use std::net::TcpStream;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};

use rustix::fs::OFlags;

use crate::home::{Home, output, spawn, text};

fn full_disk() -> Stdio {
    let full = File::options().write(true).open("/dev/full");
    full.expect("a device that is always full").into()
}

/// A pipe whose reader has gone.
fn closed_pipe() -> Stdio {
    let (_, writer) = pipe().expect("a pipe");
    writer.into()
}

/// A pipe that takes nothing more, since its reader does not read.
fn full_pipe() -> (Stdio, PipeReader) {
    let (reader, writer) = pipe().expect("a pipe");
    // Opened once more, so that only this handle does not block.
    let mut filler = OpenOptions::new()
        .write(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(format!("/proc/self/fd/{}", writer.as_raw_fd()))
        .expect("the pipe");
    for bytes in [&[b'x'; 4096][..], b"x"] {
        let error = loop {
            if let Err(error) = filler.write_all(bytes) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
    (writer.into(), reader)
}

/// Starts a server with these streams, lets it log, and ends it.
fn serve(home: &Home, stdout: Stdio, stderr: Stdio) {
    let mut command = home.command(&["serve"]);
    let mut child = spawn(command.stdout(stdout).stderr(stderr));
    while TcpStream::connect(&home.address).is_err() {
        let ended = child.try_wait().expect("a child");
        assert_eq!(ended, None, "the server did not start");
    }
    home.ready();
    for _ in 0..20 {
        let form = "client_id=no-such-client";
        let (status, answer) = home.request("POST", "/oauth2/device_authorization", form);
        assert_eq!(status, 401, "each refusal is logged: {answer}");
    }
    let id = child.id().to_string();
    spawn(Command::new("kill").arg(id)).wait().expect("sent");
    let ended = child.wait().expect("it ends");
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn a_server_whose_log_is_a_full_disk_starts_answers_and_exits_0() {
    let home = Home::new("");
    serve(&home, Stdio::null(), full_disk());
    serve(&home, full_disk(), full_disk());
}

#[test]
fn a_server_whose_log_is_a_closed_pipe_starts_answers_and_exits_0() {
    let home = Home::new("");
    serve(&home, Stdio::null(), closed_pipe());
    serve(&home, closed_pipe(), closed_pipe());
}

#[test]
fn a_server_whose_log_no_one_reads_starts_answers_and_exits_0() {
    let home = Home::new("");
    let (stderr, _reader) = full_pipe();
    serve(&home, Stdio::null(), stderr);
    let ((stdout, _stdout), (stderr, _stderr)) = (full_pipe(), full_pipe());
    serve(&home, stdout, stderr);
}

#[test]
fn a_command_that_cannot_print_ends_with_its_own_code() {
    let home = Home::new("");
    for (arguments, code) in [
        (&["check"][..], 0),
        (&["config"], 0),
        (&["check", "--config", "none.toml"], 2),
        (&["serve", "--config", "none.toml"], 2),
        (&["keys", "list"], 1),
        (&["user", "list"], 1),
        (&["dev", "--data", "grantor.toml"], 1),
    ] {
        for stream in [full_disk, closed_pipe] {
            let mut command = home.command(arguments);
            let status = spawn(command.stdout(stream()).stderr(stream())).wait();
            assert_eq!(status.expect("it ends").code(), Some(code), "{arguments:?}");
        }
    }
}

#[test]
fn an_unknown_log_level_is_an_error_with_the_likely_one() {
    let home = Home::new("");
    let mut command = home.command(&["serve"]);
    let refused = output(command.env("GRANTOR_LOG", "verbose"));
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(
        text(&refused.stderr),
        "GRANTOR_LOG: \"verbose\" is not a level (off, error, warn, info, debug, trace); did you mean \"debug\"?\n"
    );
}
