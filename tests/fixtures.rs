//! Golden pairs: `fixtures/firehose-transform/<situation>.in.json` and the answer to it. Rewritten
//! by `UPDATE=1 cargo test --test fixtures`.
#![expect(clippy::expect_used, reason = "a test may panic")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use nozzle::functions::{
    Function, Moment,
    firehose_transform::{FirehoseTransform, Settings},
};
use support::memory::Memory;
use tokio::time::Instant;

fn situations() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/firehose-transform");
    let entries = fs::read_dir(folder).expect("the fixtures can be listed");
    let paths = entries.map(|entry| entry.expect("an entry can be read").path());
    let mut inputs: Vec<_> = paths
        .filter(|path| path.to_string_lossy().ends_with(".in.json"))
        .collect();
    inputs.sort();
    inputs
}

/// The answer as people read it: a record a line.
fn answer(input: &Path) -> String {
    let body = fs::read(input).expect("a fixture can be read");
    let settings = Settings::read(|_| None).expect("the defaults are allowed");
    let function = FirehoseTransform::new(settings, Memory::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let answer = runtime.block_on(async {
        let now = UNIX_EPOCH + Duration::from_secs(1_789_014_301);
        function
            .answer(
                &body,
                Moment {
                    now,
                    deadline: Instant::now() + Duration::from_mins(1),
                },
            )
            .await
    });
    let response =
        String::from_utf8(answer.expect("the batch is answered").body).expect("an answer is UTF-8");
    response
        .replace("[{", "[\n{")
        .replace("},{", "},\n{")
        .replace("}]}", "}\n]}\n")
}

#[test]
fn each_situation_has_its_answer() {
    #[expect(clippy::disallowed_methods, reason = "a person asks for the rewrite")]
    let update = std::env::var_os("UPDATE").is_some();
    let situations = situations();
    assert!(
        situations.len() >= 20,
        "only {} fixtures are found",
        situations.len()
    );
    for input in situations {
        let output = PathBuf::from(input.to_string_lossy().replace(".in.json", ".out.json"));
        let answer = answer(&input);
        if update {
            fs::write(&output, &answer).expect("a fixture can be written");
        }
        let expected = fs::read_to_string(&output)
            .unwrap_or_else(|_| panic!("{} is missing", output.display()));
        assert_eq!(answer, expected, "{}", input.display());
    }
}
