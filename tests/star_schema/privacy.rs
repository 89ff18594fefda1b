//! Nothing of a row stands in a log line, a metric or an error, at any level.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    thread::{self, ThreadId},
};

use nozzle::functions::{Counted, Function, Moment};
use tokio::time::Instant;
use tracing_subscriber::fmt::MakeWriter;

use super::world::{World, now, request};

const SECRET: &str = "s3cret";

/// What one thread says: other tests run beside it.
#[derive(Clone)]
struct Lines {
    of: ThreadId,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Lines {
    fn of_this_thread() -> Self {
        Self {
            of: thread::current().id(),
            bytes: Arc::default(),
        }
    }

    fn text(&self) -> String {
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

fn put_packets(world: &World) {
    let good = format!(
        r#"{{"currency_id":1,"currency_code":"{SECRET}","last_updated":"2024-11-15 10:00:00","more":"{SECRET}"}}"#
    );
    let bad =
        format!(r#"{{"currency_id":"{SECRET}","currency_code":3,"last_updated":"{SECRET}"}}"#);
    world.put_packet(
        "currency_1_x.jsonl",
        format!("{good}\n{bad}\n{SECRET}\n[\"{SECRET}\"]"),
    );
    world.put_packet("currency_2_x.jsonl", format!("[{good}"));
    world.put_packet(
        "currency_3_x.jsonl",
        format!("{{\"currency\":[{good}]}}{SECRET}"),
    );
    world.put_packet("currency_4_x.jsonl.gz", SECRET);
    world.put_packet("currency_7_x.jsonl", good);
    world.put_packet("currency_7_y.jsonl", SECRET);
}

#[test]
fn nothing_of_a_row_is_told() {
    let world = World::new(0);
    put_packets(&world);
    let lines = Lines::of_this_thread();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    // A subscriber of this thread alone would not be asked for what another thread says first.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let told = runtime.unwrap().block_on(async {
        let moment = Moment {
            now: now(),
            deadline: Instant::now() + std::time::Duration::from_mins(1),
        };
        let packets = [1, 2, 3, 4, 7, 8].map(|id| ("currency", id));
        let error = world.function().answer(&request(&packets), moment).await;
        let error = error.map(|response| response.body).unwrap_err();
        format!("{error} {error:?} {:?}", error.metrics())
    });
    let log = lines.text();
    assert!(log.contains("a packet is loaded"), "{log}");
    assert!(log.contains("more"), "an unknown column is named: {log}");
    assert!(!log.contains(SECRET), "{log}");
    assert!(!told.contains(SECRET), "{told}");
    assert!(told.contains("packet_unreadable"), "{told}");
}
