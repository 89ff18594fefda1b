//! Nothing of a row stands in a log line, a metric or an error, at any level.

use nozzle::functions::{Counted, Function, Moment};
use tokio::time::Instant;

use super::{
    support::said::Lines,
    world::{World, now, request},
};

const SECRET: &str = "s3cret";

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
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
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
