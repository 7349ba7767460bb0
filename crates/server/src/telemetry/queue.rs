//! Log lines on their way to standard error. A thread of its own writes them, so that no request waits for a disk that is
//! full or a pipe that no one reads.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Further lines are dropped and counted.
const MAX_QUEUED_BYTES: usize = 1024 * 1024;
/// How long the end of the process waits for the last lines.
const FINISH_TIMEOUT: Duration = Duration::from_secs(1);

/// The lines that are not written yet. Writing to it never blocks and never fails.
#[derive(Clone, Debug, Default)]
pub struct LogQueue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<u8>,
    is_writing: bool,
    dropped: u64,
}

impl LogQueue {
    /// Writes what is queued to `output`, in a new thread.
    pub(super) fn start(output: impl Write + Send + 'static) -> Self {
        let queue = Self::default();
        let writer = queue.clone();
        // Without a thread, lines are dropped once the queue is full.
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.run(output))
            .ok();
        queue
    }

    /// Waits until all lines are written, or cannot be for one second.
    pub fn finish(&self) {
        let wait = |state: &mut State| state.is_writing || !state.lines.is_empty();
        let finished = self
            .0
            .changed
            .wait_timeout_while(self.state(), FINISH_TIMEOUT, wait);
        drop(finished.unwrap_or_else(PoisonError::into_inner));
    }

    fn run(&self, mut output: impl Write) {
        let mut lines = Vec::new();
        loop {
            let dropped = self.take(&mut lines);
            // A log that cannot be written is no reason to stop.
            output.write_all(&lines).and_then(|()| output.flush()).ok();
            if dropped > 0 {
                tracing::warn!(
                    dropped,
                    "log lines were dropped: they came faster than they could be written"
                );
            }
            self.state().is_writing = false;
            self.0.changed.notify_all();
        }
    }

    /// Waits for lines, and returns how many were dropped before them.
    fn take(&self, lines: &mut Vec<u8>) -> u64 {
        lines.clear();
        let is_empty = |state: &mut State| state.lines.is_empty();
        let state = self.0.changed.wait_while(self.state(), is_empty);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut state.lines, lines);
        state.is_writing = true;
        mem::take(&mut state.dropped)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for LogQueue {
    /// Takes a whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        if state.lines.len() + line.len() <= MAX_QUEUED_BYTES {
            state.lines.extend_from_slice(line);
            self.0.changed.notify_all();
        } else {
            state.dropped += 1;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// An output that takes what it is given only when the test lets it.
    struct Gate(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_output_that_blocks_or_fails_holds_back_no_writer_and_bounded_memory() {
        let ((open, gate), (sender, written)) = (channel(), channel());
        let mut queue = LogQueue::start(Gate(gate, sender));
        queue.write_all(b"first\n").unwrap();
        // The thread holds the first line, or has it in the queue still.
        for _ in 0..3 * MAX_QUEUED_BYTES / 1024 {
            queue.write_all(&[b'x'; 1024]).unwrap();
        }
        let state = queue.state();
        assert!(state.lines.len() <= MAX_QUEUED_BYTES);
        assert!(state.dropped >= 1024);
        drop(state);
        open.send(()).unwrap();
        assert!(written.recv().unwrap().starts_with(b"first\n"));
        // From now on the output fails.
        drop(open);
        queue.finish();
        queue.write_all(b"last\n").unwrap();
        queue.finish();
        assert!(queue.state().lines.is_empty());
    }
}
