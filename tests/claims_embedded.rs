//! The embedded store: the contract, two callers at once, crashes and damage, with real processes
//! and files.
#![cfg(feature = "tool")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write, stdin, stdout},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use nozzle::{
    database::{OpenError, Trouble},
    dedup::{
        Claim, ClaimStore, Claimed, NEVER, Owner, ReleaseStore, Released, Terms,
        embedded::EmbeddedStore,
    },
};
use tempfile::{TempDir, tempdir};
use tokio::time::Instant;

use support::contract;

#[tokio::test]
async fn it_keeps_the_contract() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    contract::holds(&store, "not yet durable").await;
    contract::holds_for_ever(&store, "not yet durable").await;
    contract::gives_back(&store, "not yet durable").await;
    store.commit(b"").unwrap();
    contract::holds(&store, "durable").await;
    drop(store);
    contract::holds(&open(&folder), "reopened").await;
}

#[test]
fn a_claim_that_was_given_back_is_gone_for_good() {
    let folder = tempdir().unwrap();
    let ids = ["durable".to_owned(), "kept".to_owned()];
    let [durable, kept] = [&ids[..1], &ids[1..]];
    let store = open(&folder);
    claim(&store, &ids);
    store.commit(b"note").unwrap();
    let released = wait_for(store.release(&claims(durable), Instant::now()));
    assert_eq!(released.unwrap(), [Released::Free]);
    drop(store);
    let store = open(&folder);
    assert_eq!(claim(&store, durable), [Claimed::Taken]);
    assert_ne!(claim(&store, kept), [Claimed::Taken]);
    assert_eq!(store.note().unwrap(), Some(b"note".to_vec()));
}

#[test]
fn of_two_threads_one_takes_each_claim() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    for round in 0..20 {
        let ids: Vec<_> = (0..200).map(|n| format!("{round}/{n}")).collect();
        let reversed: Vec<_> = ids.iter().rev().cloned().collect();
        let (ours, mut theirs) = thread::scope(|scope| {
            let theirs = scope.spawn(|| claim(&store, &reversed));
            (claim(&store, &ids), theirs.join().unwrap())
        });
        theirs.reverse();
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let taken = [ours, theirs].map(|claimed| *claimed == Claimed::Taken);
            assert!(taken[0] ^ taken[1], "{ours:?} and {theirs:?}");
        }
    }
}

#[test]
fn what_is_claimed_after_a_cut_waits_for_the_commit_after() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    take(&store, &["1", "2"]);
    store.cut();
    assert_eq!(store.pending(), 0);
    hold(&store, &["1", "2"]);
    take(&store, &["3"]);
    store.commit(b"up to the cut").unwrap();
    hold(&store, &["1", "2", "3"]);
    assert_eq!(store.pending(), 1);
    drop(store);

    let store = open(&folder);
    hold(&store, &["1", "2"]);
    take(&store, &["3"]);
    store.cut();
    take(&store, &["4"]);
    store.cut();
    store.commit(b"two cuts").unwrap();
    take(&store, &["5"]);
    store.cut();
    take(&store, &["6"]);
    store.roll_back();
    take(&store, &["5", "6"]);
    drop(store);
    hold(&open(&folder), &["1", "2", "3", "4"]);
}

#[test]
fn claims_go_on_while_others_are_committed() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    let ids: Vec<_> = (0..30_000).map(|n| n.to_string()).collect();
    thread::scope(|scope| {
        for ids in ids.chunks(1_000) {
            let ids: Vec<_> = ids.iter().map(String::as_str).collect();
            take(&store, &ids);
            store.cut();
            let committing = scope.spawn(|| store.commit(b"").unwrap());
            hold(&store, &ids);
            committing.join().unwrap();
            hold(&store, &ids);
        }
    });
}

#[test]
fn a_roll_back_forgets_what_is_not_committed() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    assert_eq!(store.note().unwrap(), None);
    take(&store, &["1", "2"]);
    store.commit(b"two").unwrap();
    take(&store, &["3"]);
    assert_eq!(store.pending(), 1);
    store.roll_back();
    assert_eq!(store.pending(), 0);
    take(&store, &["3"]);
    hold(&store, &["1", "2"]);
    drop(store);

    let store = open(&folder);
    assert_eq!(store.note().unwrap(), Some(b"two".to_vec()));
    hold(&store, &["1", "2"]);
    take(&store, &["3"]);
}

#[test]
fn a_second_process_is_told_that_the_store_is_in_use() {
    if let Some(folder) = child_folder() {
        let _store = EmbeddedStore::open(&folder).unwrap();
        say("open");
        stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let folder = tempdir().unwrap();
    let mut child = Killed::start(
        "a_second_process_is_told_that_the_store_is_in_use",
        folder.path(),
    );
    assert_eq!(child.hear(), "open");
    let error = refused(folder.path());
    assert!(matches!(error.trouble, Trouble::InUse), "{error}");
    child.kill();
    let _store = open(&folder);
    let error = refused(folder.path());
    assert!(matches!(error.trouble, Trouble::InUse), "{error}");
}

/// The process commits window after window, and is killed somewhere between two words of it.
#[test]
fn after_a_kill_the_note_and_the_claims_agree() {
    if let Some(folder) = child_folder() {
        let store = EmbeddedStore::open(&folder).unwrap();
        for window in window_after(&store).. {
            claim(&store, &identities(window));
            store.commit(&window.to_be_bytes()).unwrap();
            say(&window.to_string());
        }
    }
    let folder = tempdir().unwrap();
    for round in 0..12 {
        let mut child = Killed::start("after_a_kill_the_note_and_the_claims_agree", folder.path());
        let heard = (0..=round).map(|_| child.hear()).last().unwrap();
        child.kill();

        let store = open(&folder);
        let next = window_after(&store);
        assert!(next > heard.parse().unwrap(), "{heard} was committed");
        for window in 0..next {
            hold(&store, &identities(window));
        }
        take(&store, &identities(next));
    }
}

#[test]
fn a_full_disk_is_said_and_loses_nothing_committed() {
    if let Some(folder) = child_folder() {
        let store = EmbeddedStore::open(&folder).unwrap();
        let commit = |seed: u64| {
            claim(&store, &[format!("{seed}")]);
            store.commit(&note_of(BIG, seed)).err()
        };
        let error = (1..=4).find_map(commit);
        say(&error.unwrap().to_string());
        say(&format!("{} pending", store.pending()));
        store.cut();
        commit(5).unwrap();
        say(&format!("{} pending after a cut", store.pending()));
        hold(&store, &["1", "2", "5"]);
        say("held");
        stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let folder = tempdir().unwrap();
    let store = open(&folder);
    take(&store, &["0"]);
    store.commit(b"before").unwrap();
    drop(store);

    // Files may have 64 MiB: written beyond, as on a full disk, they cannot grow.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 131072; exec \"$@\"", "sh"]);
    limited.arg(env::current_exe().unwrap());
    let name = "a_full_disk_is_said_and_loses_nothing_committed";
    let mut child = Killed::start_as(limited, name, folder.path());
    let text = child.hear();
    assert!(text.contains("cannot be used"), "{text}");
    assert!(text.contains("os error 27"), "{text}");
    assert!(
        text.contains(&folder.path().display().to_string()),
        "{text}"
    );
    assert_eq!(child.hear(), "1 pending");
    assert_eq!(child.hear(), "1 pending after a cut");
    assert_eq!(child.hear(), "held");
    child.kill();

    let store = open(&folder);
    assert_eq!(store.note().unwrap(), Some(note_of(BIG, 1)));
    hold(&store, &["0", "1"]);
    take(&store, &["2"]);
}

const BIG: usize = 40 << 20;

/// Bytes that cannot be compressed.
fn note_of(bytes: usize, seed: u64) -> Vec<u8> {
    let mix = |n: u64| {
        (n + seed)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(21)
    };
    (0..)
        .flat_map(|n| mix(n).to_le_bytes())
        .take(bytes)
        .collect()
}

#[test]
fn a_folder_that_cannot_be_one_is_named() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("claims")] {
        let error = refused(&path);
        assert!(matches!(error.trouble, Trouble::Unusable(_)), "{error}");
        assert!(
            error.to_string().contains(&*path.to_string_lossy()),
            "{error}"
        );
    }
}

#[test]
fn damage_to_any_file_is_said_with_what_to_do_or_loses_nothing() {
    let whole = tempdir().unwrap();
    let windows = fill(&whole);
    let mut unsaid = vec!["commits", "0.jnl", "version", "current", "tables"];
    for file in files_below(whole.path()) {
        for damage in DAMAGES {
            let damaged = tempdir().unwrap();
            copy(whole.path(), damaged.path());
            damage(&damaged.path().join(&file));
            match EmbeddedStore::open(damaged.path()) {
                Ok(store) => (0..windows).for_each(|window| hold(&store, &identities(window))),
                Err(error) => {
                    assert!(matches!(error.trouble, Trouble::Damaged(_)), "{error}");
                    let text = error.to_string();
                    assert!(text.contains("move it away"), "{text}");
                    assert!(text.contains(&*damaged.path().to_string_lossy()), "{text}");
                    unsaid.retain(|kind| !file.iter().any(|part| part == *kind));
                }
            }
        }
    }
    assert!(unsaid.is_empty(), "{unsaid:?}");
}

type Damage = fn(&Path);

const DAMAGES: [Damage; 4] = [
    |file| fs::remove_file(file).unwrap(),
    |file| fs::write(file, "").unwrap(),
    |file| {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    },
    |file| {
        let bytes = fs::read(file).unwrap();
        let garbled: Vec<_> = bytes.iter().map(|byte| byte ^ 0x55).collect();
        fs::write(file, garbled).unwrap();
    },
];

/// Commits windows until the store has files of every kind, and says how many.
fn fill(folder: &TempDir) -> u64 {
    let store = open(folder);
    let tables = folder.path().join("store/keyspaces/2/tables");
    let mut windows = 0;
    while fs::read_dir(&tables).unwrap().count() == 0 {
        take(&store, &identities(windows));
        store.commit(&note_of(2 << 20, windows)).unwrap();
        windows += 1;
    }
    drop(store);
    // Opened again, the journal is as long as what is in it.
    drop(open(folder));
    windows
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("store/lock") {
                files.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    files
}

fn copy(from: &Path, to: &Path) {
    for file in files_below(from).into_iter().chain(["store/lock".into()]) {
        fs::create_dir_all(to.join(&file).parent().unwrap()).unwrap();
        fs::copy(from.join(&file), to.join(&file)).unwrap();
    }
}

fn open(folder: &TempDir) -> EmbeddedStore {
    EmbeddedStore::open(folder.path()).unwrap()
}

#[track_caller]
fn refused(folder: &Path) -> OpenError {
    EmbeddedStore::open(folder).err().expect("refused")
}

fn claim(store: &EmbeddedStore, ids: &[impl AsRef<str>]) -> Vec<Claimed> {
    let terms = Terms {
        now_seconds: 4_000_000_000,
        ttl_seconds: NEVER,
        deadline: Instant::now(),
    };
    let answers = wait_for(store.claim(&claims(ids), terms));
    assert!(answers.failure.is_none(), "{:?}", answers.failure);
    answers.claimed
}

/// In the name of this thread.
fn claims(ids: &[impl AsRef<str>]) -> Vec<Claim<'_>> {
    let name = thread::current().id();
    let owner = Owner::of(&format!("{name:?}"), None, b"{}");
    let claim = |id| Claim {
        identity: AsRef::as_ref(id),
        led_by: None,
        owner,
    };
    ids.iter().map(claim).collect()
}

fn wait_for<T>(answer: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(answer)
}

#[track_caller]
fn take(store: &EmbeddedStore, ids: &[impl AsRef<str>]) {
    let is_taken = |claimed| matches!(claimed, Claimed::Taken);
    assert!(claim(store, ids).into_iter().all(is_taken));
}

#[track_caller]
fn hold(store: &EmbeddedStore, ids: &[impl AsRef<str>]) {
    let is_held = |claimed| matches!(claimed, Claimed::Held(_));
    assert!(claim(store, ids).into_iter().all(is_held));
}

/// The first window that the store's note does not count as done.
fn window_after(store: &EmbeddedStore) -> u64 {
    match store.note().unwrap() {
        None => 0,
        Some(note) => u64::from_be_bytes(note.try_into().unwrap()) + 1,
    }
}

fn identities(window: u64) -> Vec<String> {
    (0..50).map(|n| format!("{window}/{n}")).collect()
}

const FOLDER: &str = "NOZZLE_TEST_FOLDER";

/// Set where a test runs again as a process of its own, the one that is killed.
#[expect(clippy::disallowed_methods, reason = "the one test tells the other")]
fn child_folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

fn say(word: &str) {
    let mut out = stdout();
    writeln!(out, "\n> {word}").unwrap();
    out.flush().unwrap();
}

/// A test as a process of its own.
struct Killed {
    child: Child,
    words: Box<dyn Iterator<Item = String>>,
}

impl Killed {
    fn start(test: &str, folder: &Path) -> Self {
        Self::start_as(Command::new(env::current_exe().unwrap()), test, folder)
    }

    fn start_as(mut command: Command, test: &str, folder: &Path) -> Self {
        command.args(["--exact", test, "--nocapture"]);
        command.env(FOLDER, folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let words = lines.filter_map(|line| Some(line.unwrap().strip_prefix("> ")?.to_owned()));
        Self {
            child,
            words: Box::new(words),
        }
    }

    fn hear(&mut self) -> String {
        self.words.next().expect("the process says more")
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        self.kill();
    }
}
