//! Commands at a terminal, which `script` of util-linux makes.

use std::io::{BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::home::{Home, output, spawn};

/// A shell command at a terminal of its own.
struct Terminal {
    script: Child,
    keyboard: ChildStdin,
    screen: BufReader<ChildStdout>,
    shown: String,
}

impl Terminal {
    fn start(home: &Home, command: &str) -> Self {
        let mut script = home.placed(Command::new("script"));
        script.args(["--quiet", "--command", command, "/dev/null"]);
        let program = env!("CARGO_BIN_EXE_grantor");
        script.env("GRANTOR", program).env("PATH", "/usr/bin:/bin");
        script.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = spawn(&mut script);
        Self {
            keyboard: child.stdin.take().expect("piped"),
            screen: BufReader::new(child.stdout.take().expect("piped")),
            script: child,
            shown: String::new(),
        }
    }

    /// Waits until the screen shows a text.
    fn wait_for(&mut self, text: &str) {
        while !self.shown.ends_with(text) {
            let mut byte = [0];
            let read = self.screen.read(&mut byte).expect("a screen");
            assert!(read == 1, "ended without {text:?}: {}", self.shown);
            self.shown.push(char::from(byte[0]));
        }
    }

    fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("it reads");
    }

    /// All that was shown, once the command has ended.
    fn end(mut self) -> String {
        self.screen.read_to_string(&mut self.shown).expect("text");
        self.script.wait().expect("it ended");
        self.shown
    }
}

const PASSWORD: &str = "\"$GRANTOR\" user password dave; echo code=$?; stty -a";

#[test]
fn ctrl_c_at_the_question_for_a_password_ends_the_command_and_leaves_the_terminal_as_it_was() {
    let home = Home::new("");
    let _server = home.serve();
    let added = output(&mut home.command(&["user", "add", "dave"]));
    assert!(added.status.success());
    let mut terminal = Terminal::start(&home, PASSWORD);
    terminal.wait_for("New password: ");
    terminal.keys("staple\u{3}");
    let shown = terminal.end();
    assert!(shown.contains("code=130"), "{shown}");
    assert!(!shown.contains("staple"), "{shown}");
    for hidden in ["-isig", "-icanon", "-echo "] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
    assert!(shown.contains("isig icanon"), "{shown}");

    let mut terminal = Terminal::start(&home, PASSWORD);
    terminal.wait_for("New password: ");
    terminal.keys("staple of davx\u{7f}e\n");
    terminal.wait_for("The same again: ");
    terminal.keys("staple of dave\n");
    let shown = terminal.end();
    assert!(shown.contains("code=0"), "{shown}");
    assert!(!shown.contains("staple"), "{shown}");
    assert!(home.signs_in("dave", "staple of dave"));
}

#[test]
fn no_password_is_asked_for_where_it_cannot_be_changed() {
    let home = Home::new("[[user]]\nusername = \"alice\"\npassword = \"of the file\"\n");
    let server = home.serve();
    home.ready();
    let refused = |name: &str, why: &str| {
        let command = format!("\"$GRANTOR\" user password {name}; echo code=$?");
        let shown = Terminal::start(&home, &command).end();
        assert!(!shown.contains("New password"), "{shown}");
        assert!(shown.contains(why) && shown.contains("code=1"), "{shown}");
    };
    let declared = "grantor.toml declares this user, in the [[user]] with username = \"alice\"";
    refused("alice", declared);
    refused("dave", "There is no user \"dave\".");
    server.end("TERM");
    refused("alice", declared);
}
