//! What a function says in its log, to be looked through for what must not be in it.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    thread::{self, ThreadId},
};

use tracing_subscriber::fmt::MakeWriter;

/// What one thread says: other tests run beside it.
#[derive(Clone)]
pub(crate) struct Lines {
    of: ThreadId,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Lines {
    /// From now on, at every level. A subscriber of this thread alone would not be asked for what
    /// another thread says first.
    pub(crate) fn of_this_thread() -> Self {
        let lines = Self {
            of: thread::current().id(),
            bytes: Arc::default(),
        };
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(lines.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        lines
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if thread::current().id() == self.of {
            self.bytes.lock().unwrap().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
