//! Golden pairs: `fixtures/firehose-transform/<situation>.in.json` and the answer to it. Rewritten
//! by `UPDATE=1 cargo test --test fixtures`.
#![expect(clippy::expect_used, reason = "a test may panic")]

mod support;

use std::{
    fs,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use nozzle::functions::{
    Function, Moment,
    firehose_transform::{FirehoseTransform, Settings},
};
use support::{golden, memory::Memory};
use tokio::time::Instant;

/// The answer as people read it: a record a line.
async fn answer(input: &Path) -> String {
    let body = fs::read(input).expect("a fixture can be read");
    let settings = Settings::read(|_| None).expect("the defaults are allowed");
    let function = FirehoseTransform::new(settings, Memory::default());
    let moment = Moment {
        now: UNIX_EPOCH + Duration::from_secs(1_789_014_301),
        deadline: Instant::now() + Duration::from_mins(1),
    };
    let answer = function.answer(&body, moment).await;
    let response =
        String::from_utf8(answer.expect("the batch is answered").body).expect("an answer is UTF-8");
    response
        .replace("[{", "[\n{")
        .replace("},{", "},\n{")
        .replace("}]}", "}\n]}\n")
}

#[tokio::test]
async fn each_situation_has_its_answer() {
    golden::check("firehose-transform", 20, answer).await;
}
