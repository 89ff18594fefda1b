//! Nothing is lost and nothing doubled, whatever fails: the function's binary behind a Firehose that
//! tries as the real one does, and the tool, under faults drawn from a seed. A short round each;
//! `make soak` goes on, from seed to seed, for a time.

#![cfg(all(feature = "lambda", feature = "tool"))]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
    fs,
    io::Write as _,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use fastrand::Rng;
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use support::{
    folder::files,
    lake,
    proxy::{Fault, Proxy},
    requests::{Sent, event, request, results},
    runtime_api::{Function, Outcome},
    soak::Soak,
};

/// Firehose's attempts at a batch.
const ATTEMPTS_MAX: usize = 4;
const RECORDS_OF_A_BATCH: usize = 120;
/// Of twenty batches, the one for which the store is away.
const OUTAGE: usize = 3;

#[tokio::test]
async fn a_function_under_faults_loses_no_record_and_delivers_none_twice() {
    for seed in Soak::read().seeds(1) {
        let mut random = seed.random();
        let batches = batches(25, &mut random);
        let fates = send(&batches, &mut random).await;
        fates.check(&batches);
    }
}

/// What became of every record that was sent.
#[derive(Default)]
struct Fates {
    delivered: HashMap<String, usize>,
    duplicates: usize,
    /// By the bytes that an error object keeps.
    kept: Vec<Vec<u8>>,
    failed_batches: usize,
    deaths: usize,
}

impl Fates {
    fn add_answer(&mut self, batch: &[Sent], answer: &[u8]) {
        let results = results(answer);
        assert_eq!(results.len(), batch.len());
        for (sent, (id, result)) in batch.iter().zip(results) {
            assert_eq!(sent.id, id);
            match result.as_str() {
                "Ok" => {
                    let uuid = uuid(&sent.bytes).unwrap();
                    *self.delivered.entry(uuid).or_default() += 1;
                }
                "Dropped" => self.duplicates += 1,
                _ => self.kept.push(sent.bytes.clone()),
            }
        }
    }

    fn keep(&mut self, batch: &[Sent]) {
        self.failed_batches += 1;
        self.kept
            .extend(batch.iter().map(|sent| sent.bytes.clone()));
    }

    #[track_caller]
    fn check(&self, batches: &[Vec<Sent>]) {
        let records = batches.iter().map(Vec::len).sum::<usize>();
        let delivered = self.delivered.values().sum::<usize>();
        assert_eq!(delivered + self.duplicates + self.kept.len(), records);
        let doubled = self.delivered.iter().find(|(_, times)| **times > 1);
        assert_eq!(doubled, None);
        let kept: BTreeSet<_> = self.kept.iter().filter_map(|bytes| uuid(bytes)).collect();
        let sent = batches.iter().flatten();
        let lost = sent
            .filter_map(|sent| uuid(&sent.bytes))
            .find(|uuid| !self.delivered.contains_key(uuid) && !kept.contains(uuid));
        assert_eq!(lost, None);
        assert!(self.deaths > 0, "nobody was killed");
        assert!(self.failed_batches > 0, "nothing was given up");
    }
}

/// None for what is no event.
fn uuid(bytes: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(bytes).ok()?;
    Some(event["event_uuid"].as_str()?.to_owned())
}

/// Events, most of them with copies in other batches, and a few records that are none.
fn batches(count: usize, random: &mut Rng) -> Vec<Vec<Sent>> {
    let mut records: Vec<_> = (0..count * RECORDS_OF_A_BATCH)
        .map(|number| {
            let text = match number % 20 {
                0 => format!("no json {number}"),
                1 => event(&format!("{number}")).replace("account:", ":"),
                _ => event(&format!(
                    "{}",
                    random.usize(..count * RECORDS_OF_A_BATCH / 2)
                )),
            };
            let arrival = 1_800_000_000_000 + i64::try_from(number).unwrap();
            Sent::new(&format!("record-{number}"), arrival, &text)
        })
        .collect();
    random.shuffle(&mut records);
    let batches = records.chunks(RECORDS_OF_A_BATCH);
    batches.map(<[Sent]>::to_vec).collect()
}

/// As Firehose does it: each batch until it is answered, at most four times.
async fn send(batches: &[Vec<Sent>], random: &mut Rng) -> Fates {
    let proxy = Proxy::in_memory();
    let is_away = Arc::new(AtomicBool::new(false));
    let (faults, away) = (Mutex::new(random.fork()), Arc::clone(&is_away));
    proxy.play(move |_| {
        if away.load(Ordering::SeqCst) {
            Fault::Reset
        } else {
            fault(&mut faults.lock().unwrap())
        }
    });
    let address = proxy.listen().await;
    let aim = Arc::new(Aim::default());
    let shot = Arc::clone(&aim);
    proxy.after_write(move |_| shot.pull());
    let mut function = start(address).await;
    let mut fates = Fates::default();
    for (index, batch) in batches.iter().enumerate() {
        is_away.store(index % 20 == OUTAGE, Ordering::SeqCst);
        for attempt in 1..=ATTEMPTS_MAX {
            aim.at(function.process_id, random.usize(..20));
            match function
                .invoke_within(request(batch), Duration::from_millis(1_500))
                .await
            {
                Outcome::Answer(answer) if random.u8(..8) > 0 => {
                    fates.add_answer(batch, &answer);
                    break;
                }
                // It came too late, or the store was away.
                Outcome::Answer(_) | Outcome::Failure(_) => {}
                Outcome::Died => {
                    fates.deaths += 1;
                    function = start(address).await;
                }
            }
            if attempt == ATTEMPTS_MAX {
                fates.keep(batch);
            }
        }
    }
    fates
}

fn fault(random: &mut Rng) -> Fault {
    match random.u8(..100) {
        0..8 => Fault::Refuse(500, "InternalServerError"),
        8..16 => Fault::Refuse(400, "ThrottlingException"),
        16..26 => Fault::RefuseStatements(0.4, "ThrottlingError"),
        26..32 => Fault::Reset,
        32..38 => Fault::LoseAnswer,
        38..40 => Fault::Delay(Duration::from_millis(50)),
        40 => Fault::BlackHole,
        41 => Fault::SwallowAnswer,
        _ => Fault::Pass,
    }
}

async fn start(address: SocketAddr) -> Function {
    let endpoint = format!("http://{address}");
    let function = Function::start(&[("AWS_ENDPOINT_URL_DYNAMODB", &endpoint)]).await;
    function.ready().await;
    function
}

/// Kills a process once the store has answered so many requests.
#[derive(Default)]
struct Aim(Mutex<Option<(u32, usize)>>);

impl Aim {
    fn at(&self, process_id: u32, requests: usize) {
        *self.0.lock().unwrap() = Some((process_id, requests));
    }

    fn pull(&self) {
        let mut aim = self.0.lock().unwrap();
        *aim = match *aim {
            Some((process_id, 0)) => {
                signal("-9", process_id);
                None
            }
            other => other.map(|(process_id, requests)| (process_id, requests - 1)),
        };
    }
}

fn signal(which: &str, process_id: u32) {
    let process_id = process_id.to_string();
    // Gone already is as good.
    let _ = Command::new("kill").args([which, &process_id]).output();
}

#[test]
fn a_run_under_faults_loses_no_record_and_delivers_none_twice() {
    let soak = Soak::read();
    for seed in soak.seeds(1) {
        let mut random = seed.random();
        let folder = tempfile::tempdir().unwrap();
        let run = Run {
            folder: folder.path(),
            events: if soak.is_long { 150_000 } else { 10_000 },
        };
        run.write_input(&mut random);
        for _ in 0..6 {
            run.disturb(&mut random);
            run.check_nothing_doubled();
        }
        run.finish();
    }
}

/// A run of `nozzle run` over files in a folder.
struct Run<'a> {
    folder: &'a Path,
    events: usize,
}

impl Run<'_> {
    /// Every event twice, the copies far apart, and refused records between, in three files.
    fn write_input(&self, random: &mut Rng) {
        fs::create_dir(self.folder.join("in")).unwrap();
        let mut numbers: Vec<_> = (0..self.events).chain(0..self.events).collect();
        random.shuffle(&mut numbers);
        let mut text = String::new();
        for (index, number) in numbers.iter().enumerate() {
            if index % 50 == 0 {
                writeln!(text, "no json {index}").unwrap();
            }
            let note = "x".repeat(random.usize(..300));
            let line = event(&format!("e{number}")).replace('}', &format!(r#","note":"{note}"}}"#));
            writeln!(text, "{line}").unwrap();
        }
        let third = text.len() / 3;
        let cut = |from: usize| from + text[from..].find('\n').unwrap() + 1;
        let (one, two) = (cut(third), cut(2 * third));
        fs::write(self.folder.join("in/1.jsonl"), &text[..one]).unwrap();
        fs::write(self.folder.join("in/2.jsonl.gz"), gzip(&text[one..two])).unwrap();
        fs::write(self.folder.join("in/3.jsonl"), &text[two..]).unwrap();
    }

    /// Begins, or goes on, and meets a fault on the way.
    fn disturb(&self, random: &mut Rng) {
        match random.u8(..6) {
            0 | 1 => self.signal_after("-9", random),
            2 => self.signal_after("-INT", random),
            3 => self.meet_full_disk(random),
            4 => self.meet_truncated_input(random),
            _ => self.meet_obstacle(),
        }
    }

    fn signal_after(&self, which: &str, random: &mut Rng) {
        let mut child = self.start("trap - INT");
        let start = self.written();
        let bytes = random.u64(..500 * self.events as u64);
        while self.written() < start + bytes && child.try_wait().unwrap().is_none() {
            thread::yield_now();
        }
        signal(which, child.id());
        child.wait().unwrap();
    }

    /// No file may grow beyond a bound.
    fn meet_full_disk(&self, random: &mut Rng) {
        let blocks = random.usize(200..8_000);
        let mut child = self.start(&format!("trap '' XFSZ; ulimit -f {blocks}"));
        child.wait().unwrap();
    }

    fn meet_truncated_input(&self, random: &mut Rng) {
        let path = self.folder.join("in/2.jsonl.gz");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..random.usize(..whole.len())]).unwrap();
        self.start("").wait().unwrap();
        fs::write(&path, whole).unwrap();
    }

    /// A file stands where a folder of the lake has to be: only a run that has no event left to
    /// deliver does not come across it.
    fn meet_obstacle(&self) {
        let lake = self.folder.join("lake/events");
        let aside = self.folder.join("events-aside");
        let had_events = fs::rename(&lake, &aside).is_ok();
        fs::create_dir_all(lake.parent().unwrap()).unwrap();
        fs::write(&lake, "in the way").unwrap();
        let status = self.start("").wait().unwrap();
        fs::remove_file(&lake).unwrap();
        if had_events {
            fs::rename(&aside, &lake).unwrap();
        }
        let is_all_there = lake::delivered(&self.folder.join("lake")) == self.all_once();
        assert!(is_all_there || !status.success(), "it was not in the way");
    }

    fn all_once(&self) -> BTreeMap<String, usize> {
        (0..self.events).map(|n| (format!("e{n}"), 1)).collect()
    }

    /// In a shell that first does this.
    fn start(&self, first: &str) -> Child {
        Command::new("sh")
            .current_dir(self.folder)
            .args(["-c", &format!("{first}\nexec \"$@\""), "sh"])
            .args([env!("CARGO_BIN_EXE_nozzle"), "run", "in"])
            .args(["--flush-mb", "2", "--batch-mb", "0.2", "--summary", "json"])
            .stdin(Stdio::null())
            .stdout(fs::File::create(self.folder.join("summary.json")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn written(&self) -> u64 {
        let files = files(&self.folder.join("lake"));
        let lengths = files.iter().filter_map(|file| fs::metadata(file).ok());
        lengths.map(|metadata| metadata.len()).sum()
    }

    fn check_nothing_doubled(&self) {
        let delivered = lake::delivered(&self.folder.join("lake"));
        let doubled = delivered.iter().find(|(_, times)| **times > 1);
        assert_eq!(doubled, None);
    }

    fn finish(&self) {
        assert!(self.start("").wait().unwrap().success());
        let summary = fs::read(self.folder.join("summary.json")).unwrap();
        let summary: Value = serde_json::from_slice(&summary).unwrap();
        let lake = self.folder.join("lake");
        let (delivered, failed) = (lake::delivered(&lake), lake::failed(&lake));
        assert!(delivered == self.all_once(), "events are lost or doubled");
        let refused: BTreeSet<_> = (0..2 * self.events)
            .step_by(50)
            .map(|index| format!("no json {index}").into_bytes())
            .collect();
        let kept: BTreeSet<_> = failed.iter().cloned().collect();
        assert!(kept == refused, "refused records are lost");
        self.check_summary(&summary, failed.len());
    }

    /// A run that could go on where it was knows of every record; one that could not began again.
    fn check_summary(&self, summary: &Value, error_objects: usize) {
        let number = |name: &str| usize::try_from(summary[name].as_u64().unwrap()).unwrap();
        let records = 2 * self.events + 2 * self.events / 50;
        assert_eq!(number("records"), records);
        let sum = number("delivered") + number("duplicates") + number("error_objects");
        assert_eq!(sum, records);
        assert!(error_objects >= number("error_objects"));
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
