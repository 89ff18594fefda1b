//! Buckets and a parameter store in folders: they are slow to answer, fail, and kill whoever asks,
//! as their seed says, and can be made to leave out one safeguard.

use std::{
    collections::BTreeMap,
    fs,
    future::pending,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fastrand::Rng;
use futures_util::FutureExt;
use nozzle::{
    aws::Failure,
    functions::{
        Function, Moment,
        star_schema::{
            Settings, StarSchema, Unavailable,
            description::Star,
            store::{
                ObjectStore, Origin, Parameter, ParameterStore, Put, Sink, Standing,
                folder::{FolderParameters, FolderStore},
                spool::Spool,
            },
        },
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::Notify, task::yield_now, time::Instant};

use super::support::folder::files;

/// What a world may be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Safeguard {
    /// An object is put whatever is there.
    PutCondition,
    /// Whatever is there counts as of this packet.
    SourceEtag,
    /// An object is there before it is whole.
    WholeObjects,
    /// What a crash left of a joined dimension does not count beyond its own number.
    LastNumber,
    /// Ids need not follow on each other.
    Sequence,
}

pub(crate) struct World {
    folder: TempDir,
    strikes: Arc<Strikes>,
    pub(crate) without: Option<Safeguard>,
}

/// What befalls whoever asks.
pub(crate) struct Strikes {
    drawn: Mutex<Drawn>,
    death: Notify,
}

struct Drawn {
    random: Rng,
    /// Requests until whoever asks dies; none lets it live.
    until_death: Option<u32>,
    /// Of a hundred requests, how many fail.
    troubles: u8,
    /// A parameter that somebody else writes before the next one is put.
    moved: Option<(String, String)>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        // A folder in memory has no disk to wait for.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            TempDir::new_in(memory)
        } else {
            TempDir::new()
        };
        let drawn = Drawn {
            random: Rng::with_seed(seed),
            until_death: None,
            troubles: 0,
            moved: None,
        };
        Self {
            folder: folder.unwrap(),
            strikes: Arc::new(Strikes {
                drawn: Mutex::new(drawn),
                death: Notify::new(),
            }),
            without: None,
        }
    }

    pub(crate) fn troubled(self, troubles: u8) -> Self {
        self.strikes.drawn().troubles = troubles;
        self
    }

    /// Requests fail no more.
    pub(crate) fn mend(&self) {
        self.strikes.drawn().troubles = 0;
    }

    pub(crate) fn put_packet(&self, key: &str, text: impl AsRef<[u8]>) {
        write(&self.folder.path().join("packets").join(key), text);
    }

    /// Somebody else writes into the star's bucket.
    pub(crate) fn put_foreign(&self, key: &str, text: impl AsRef<[u8]>) {
        write(&self.folder.path().join("star").join(key), text);
    }

    pub(crate) fn remove(&self, key: &str) {
        fs::remove_file(self.folder.path().join("star").join(key)).unwrap();
    }

    pub(crate) fn function(&self) -> StarSchema<StruckStore, StruckParameters> {
        self.function_with(
            Settings::read(|_| None).unwrap(),
            &Star::built_in().unwrap(),
        )
    }

    pub(crate) fn function_with(
        &self,
        settings: Settings,
        star: &Star,
    ) -> StarSchema<StruckStore, StruckParameters> {
        let store = |name: &str| StruckStore {
            store: FolderStore::new(self.folder.path().join(name)),
            strikes: Arc::clone(&self.strikes),
            without: self.without,
            asked: Arc::default(),
        };
        StarSchema {
            settings,
            star: star.clone(),
            packets: store("packets"),
            processed: store("star"),
            parameters: StruckParameters {
                store: FolderParameters::new(self.folder.path().join("parameters")),
                strikes: Arc::clone(&self.strikes),
            },
        }
    }

    pub(crate) fn move_a_parameter_at_the_next_put(&self, table: &str, value: &str) {
        self.strikes.drawn().moved = Some((table.to_owned(), value.to_owned()));
    }

    /// Everything that is in the star's bucket, by its key.
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.below("star")
    }

    /// How far each table is.
    pub(crate) fn parameters(&self) -> BTreeMap<String, String> {
        let parameters = self.below("parameters").into_iter();
        let value = |text: Vec<u8>| serde_json::from_slice::<Parameter>(&text).unwrap().value;
        parameters
            .map(|(table, text)| (table, value(text)))
            .collect()
    }

    fn below(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let folder = self.folder.path().join(name);
        let key = |file: &Path| {
            file.strip_prefix(&folder)
                .unwrap()
                .to_string_lossy()
                .into_owned()
        };
        let all = files(&folder).into_iter();
        let all = all.map(|file| (key(&file), fs::read(file).unwrap()));
        all.filter(|(key, _)| !key.starts_with(".nozzle")).collect()
    }

    /// Calls the function, which dies at one of its next requests where that is said; none then.
    pub(crate) async fn call(
        &self,
        packets: &[(&str, u64)],
        until_death: Option<u32>,
    ) -> Option<Result<Value, Unavailable>> {
        self.strikes.drawn().until_death = until_death;
        let (function, body) = (self.function(), request(packets));
        // Several of a call's requests may have told of its death.
        let _ = self.strikes.death.notified().now_or_never();
        let answered = tokio::select! {
            answered = ask(&function, &body) => Some(answered),
            () = self.strikes.death.notified() => None,
        };
        self.strikes.drawn().until_death = None;
        answered
    }
}

pub(crate) fn request(packets: &[(&str, u64)]) -> Vec<u8> {
    let packets = packets
        .iter()
        .map(|(table, id)| json!({"table": table, "id": id}));
    let packets: Vec<_> = packets.collect();
    json!({ "packets": packets }).to_string().into_bytes()
}

/// 2024-11-20.
pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_732_100_000)
}

pub(crate) async fn ask<F: Function>(function: &F, body: &[u8]) -> Result<Value, F::Failure> {
    let moment = Moment {
        now: now(),
        deadline: Instant::now() + Duration::from_mins(10),
    };
    let answered = function.answer(body, moment).await?;
    Ok(serde_json::from_slice(&answered.body).unwrap())
}

fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

impl Strikes {
    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place at which whoever asks may be overtaken, or die.
    async fn pass(&self) {
        if self.drawn().random.bool() {
            yield_now().await;
        }
        let dies = {
            let mut drawn = self.drawn();
            let dies = drawn.until_death == Some(0);
            drawn.until_death = drawn.until_death.map(|left| left.saturating_sub(1));
            dies
        };
        if dies {
            self.death.notify_one();
            pending::<()>().await;
        }
    }

    /// A request: it may fail before it is seen to, or after.
    async fn strike<T>(
        &self,
        asked: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.pass().await;
        let drawn = self.drawn().random.u8(..100);
        let fails = drawn < self.drawn().troubles;
        let away = || Failure::Passing("away for now".to_owned());
        if fails && drawn.is_multiple_of(2) {
            return Err(away());
        }
        let answer = asked.await;
        self.pass().await;
        if fails { Err(away()) } else { answer }
    }
}

/// A folder that is struck.
pub(crate) struct StruckStore {
    store: FolderStore,
    strikes: Arc<Strikes>,
    without: Option<Safeguard>,
    /// Of what the last object was to be.
    asked: Arc<Mutex<Option<Origin>>>,
}

impl StruckStore {
    fn is_without(&self, safeguard: Safeguard) -> bool {
        self.without == Some(safeguard)
    }

    async fn put_weakly(
        &self,
        key: &str,
        spool: &mut Spool,
        origin: &Origin,
        deadline: Instant,
    ) -> Result<Put, Failure> {
        *self.asked.lock().unwrap() = Some(origin.clone());
        let path = self.store.path().join(key);
        if self.is_without(Safeguard::PutCondition) && path.exists() {
            fs::remove_file(&path).unwrap();
        }
        if self.is_without(Safeguard::WholeObjects) && !path.exists() {
            let mut half = Spool::default();
            let mut whole = Vec::new();
            std::io::Read::read_to_end(spool.reader().unwrap(), &mut whole).unwrap();
            std::io::Write::write_all(&mut half, &whole[..whole.len() / 2]).unwrap();
            self.store.put(key, &mut half, origin, deadline).await?;
            self.strikes.pass().await;
            fs::remove_file(&path).unwrap();
        }
        self.store.put(key, spool, origin, deadline).await
    }
}

impl ObjectStore for StruckStore {
    async fn list(
        &self,
        prefix: &str,
        after: &str,
        deadline: Instant,
    ) -> Result<Vec<String>, Failure> {
        let listed = self
            .strikes
            .strike(self.store.list(prefix, after, deadline));
        let mut keys = listed.await?;
        if self.is_without(Safeguard::LastNumber) && after.contains("_processed_") {
            keys.retain(|key| key.starts_with(after));
        }
        if self.is_without(Safeguard::Sequence)
            && prefix.starts_with("packets/")
            && !after.is_empty()
        {
            let last = keys.last().cloned();
            let id = |key: &str| key[prefix.len()..prefix.len() + 8].parse::<u64>().unwrap();
            let last = last.map_or(0, |last| id(&last));
            keys = (id(after) + 1..=last)
                .map(|id| format!("{prefix}{id:08}.json"))
                .collect();
        }
        Ok(keys)
    }

    async fn look(&self, key: &str, deadline: Instant) -> Result<Option<Standing>, Failure> {
        let looked = self.strikes.strike(self.store.look(key, deadline));
        let mut there = looked.await?;
        if let Some(there) = &mut there
            && self.is_without(Safeguard::SourceEtag)
        {
            there.origin.clone_from(&self.asked.lock().unwrap());
        }
        Ok(there)
    }

    async fn read(
        &self,
        key: &str,
        sink: Sink<'_>,
        deadline: Instant,
    ) -> Result<Option<String>, Failure> {
        self.strikes
            .strike(self.store.read(key, sink, deadline))
            .await
    }

    async fn put(
        &self,
        key: &str,
        spool: &mut Spool,
        origin: &Origin,
        deadline: Instant,
    ) -> Result<Put, Failure> {
        let put = self.put_weakly(key, spool, origin, deadline);
        let put = self.strikes.strike(put).await;
        // Whoever does not look beyond its own number would ask for the next one for ever.
        let is_blind = self.is_without(Safeguard::LastNumber) && matches!(put, Ok(Put::Refused));
        if is_blind && key.contains("_processed_") {
            return Err(Failure::Passing("taken".to_owned()));
        }
        put
    }
}

pub(crate) struct StruckParameters {
    store: FolderParameters,
    strikes: Arc<Strikes>,
}

impl ParameterStore for StruckParameters {
    async fn get(&self, table: &str, deadline: Instant) -> Result<Option<Parameter>, Failure> {
        self.strikes.strike(self.store.get(table, deadline)).await
    }

    async fn put(&self, table: &str, value: &str, deadline: Instant) -> Result<u64, Failure> {
        let moved = self.strikes.drawn().moved.take();
        if let Some((table, value)) = moved {
            self.store.put(&table, &value, deadline).await?;
        }
        self.strikes
            .strike(self.store.put(table, value, deadline))
            .await
    }
}
