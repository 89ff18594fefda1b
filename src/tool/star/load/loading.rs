//! Packets through the function, one a call, so that a run can end after each. What is loaded is what
//! has a receipt: nothing else is kept between runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Error, Result};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::{
    folders::{PacketFiles, StarFolders},
    sum::LoadSum,
};
use crate::{
    functions::{
        Function, Moment,
        star_schema::{
            NotDone, Problem, StarSchema, Unavailable,
            names::Packet,
            receipt,
            store::{
                ObjectStore,
                folder::{FolderParameters, FolderStore},
            },
        },
    },
    tool::{clock::now, interrupt::sleep_until, progress::ProgressDisplay, terminal::tell},
};

/// What a packet may take here, however large it is.
const PATIENCE: Duration = Duration::from_hours(24);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A file to which nothing was written for so long is whole.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// How long a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    AllLoaded,
    /// New packets are looked for.
    Stopped,
}

/// How a run has ended.
#[derive(Debug)]
pub(super) enum LoadEnding {
    /// Every packet was given to the function.
    Complete,
    Interrupted,
    Broken(Error),
}

/// A run on its way.
pub(super) struct Loading<'a> {
    pub(super) function: StarSchema<FolderStore, FolderParameters>,
    folders: &'a StarFolders,
    stop: &'a AtomicBool,
    runtime: Runtime,
    /// Each as it was when the function had it.
    given: BTreeMap<Packet, PacketFiles>,
    /// By packet, why it is not loaded.
    left: BTreeMap<Packet, String>,
    pub(super) sum: LoadSum,
}

impl<'a> Loading<'a> {
    pub(super) fn new(
        function: StarSchema<FolderStore, FolderParameters>,
        folders: &'a StarFolders,
        stop: &'a AtomicBool,
    ) -> Result<Self> {
        Ok(Self {
            function,
            folders,
            stop,
            runtime: Builder::new_current_thread().enable_all().build()?,
            given: BTreeMap::new(),
            left: BTreeMap::new(),
            sum: LoadSum::default(),
        })
    }

    pub(super) fn run(&mut self, until: Until) -> LoadEnding {
        let started = Instant::now();
        let ending = match until {
            Until::AllLoaded => self.load_all(),
            Until::Stopped => self.watch(),
        };
        self.sum.seconds = started.elapsed().as_secs_f64();
        self.sum.left = mem::take(&mut self.left).into_values().collect();
        ending.unwrap_or_else(LoadEnding::Broken)
    }

    fn load_all(&mut self) -> Result<LoadEnding> {
        let packets = self.look()?;
        let packets = self.without_loaded(packets)?;
        let read_bytes = Arc::new(AtomicU64::new(0));
        let bytes = packets.iter().map(|(_, files)| files.bytes).sum();
        let _progress = ProgressDisplay::show(Arc::clone(&read_bytes), Some(bytes));
        for (packet, files) in packets {
            if self.is_stopped() {
                return Ok(LoadEnding::Interrupted);
            }
            read_bytes.fetch_add(files.bytes, Ordering::Relaxed);
            self.load(&packet, files)?;
        }
        Ok(LoadEnding::Complete)
    }

    /// Whoever watches ends it; only what lies there and is not loaded yet is an interruption.
    fn watch(&mut self) -> Result<LoadEnding> {
        tell("packets are loaded as they come; Ctrl-C ends it");
        let packets = self.look()?;
        let mut packets = self.without_loaded(packets)?;
        loop {
            for (packet, files) in packets {
                if self.is_stopped() {
                    return Ok(LoadEnding::Interrupted);
                }
                if is_settled(&files, now()) {
                    self.load_and_tell(&packet, files)?;
                }
            }
            sleep_until(Instant::now() + LOOK_EVERY, self.stop);
            if self.is_stopped() {
                return Ok(LoadEnding::Complete);
            }
            packets = self.look()?;
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The packets of the star's tables that the function was not given as they are, in the order in
    /// which they go.
    fn look(&mut self) -> Result<Vec<(Packet, PacketFiles)>> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let listed = self.function.packets.list("", "", deadline);
        let keys = self.runtime.block_on(listed);
        let keys = keys.map_err(Problem::from)?;
        let found = self.folders.by_packet(keys)?;
        self.sum.no_packets = found.others;
        let mut packets = Vec::new();
        for (packet, files) in found.packets {
            if !self.function.star.reads(&packet.table) {
                self.sum.not_of_the_star.insert(packet);
                continue;
            }
            self.sum.tables_found.insert(packet.table.clone());
            if self.given.get(&packet) != Some(&files) {
                packets.push((packet, files));
            }
        }
        let star = &self.function.star;
        packets.sort_by_key(|(packet, _)| (star.rank(&packet.table), packet.id));
        Ok(packets)
    }

    /// Leaves out what has a receipt, but for the last of each table: a run may have been killed
    /// between it and the parameter, and whether there are gaps is to be known.
    fn without_loaded(
        &mut self,
        mut packets: Vec<(Packet, PacketFiles)>,
    ) -> Result<Vec<(Packet, PacketFiles)>> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut loaded = BTreeSet::new();
        let mut last = BTreeSet::new();
        for table in &self.function.star.sources {
            let ids = receipt::ids_after(&self.function.processed, table, None, deadline);
            let ids = self.runtime.block_on(ids);
            let ids = ids.map_err(Problem::from)?;
            let packet = |id: &u64| Packet {
                table: table.clone(),
                id: *id,
            };
            if !ids.is_empty() {
                self.sum.tables_found.insert(table.clone());
            }
            last.extend(ids.last().map(packet));
            loaded.extend(ids.iter().map(packet));
        }
        self.sum.done_before = loaded.len() as u64;
        let done = packets.extract_if(.., |(packet, _)| {
            loaded.contains(packet) && !last.contains(packet)
        });
        self.given.extend(done);
        Ok(packets)
    }

    fn load_and_tell(&mut self, packet: &Packet, files: PacketFiles) -> Result<()> {
        let (loaded, rows, refused) = (self.sum.loaded, self.sum.rows, self.sum.rows_refused());
        self.load(packet, files)?;
        if let Some(why) = self.left.get(packet) {
            tell(why);
        } else if self.sum.loaded > loaded {
            let (rows, refused) = (self.sum.rows - rows, self.sum.rows_refused() - refused);
            tell(&format!("{packet}: {rows} rows loaded, {refused} refused"));
        }
        Ok(())
    }

    /// A packet that cannot be loaded is told at the end; the others go on.
    fn load(&mut self, packet: &Packet, files: PacketFiles) -> Result<()> {
        let moment = Moment {
            now: now(),
            deadline: tokio::time::Instant::now() + PATIENCE,
        };
        let request = request(packet, &files).to_string();
        let answer = self.function.answer(request.as_bytes(), moment);
        self.left.remove(packet);
        match self.runtime.block_on(answer) {
            Ok(response) => {
                self.sum.add(&packet.table, &response.counts);
                if response.counts.packets_refused > 0 {
                    let why = format!(
                        "{packet} is refused as a whole: more of its rows are than --refused-rows-max \
                         allows; see refused/{}/",
                        packet.table
                    );
                    self.left.insert(packet.clone(), why);
                }
            }
            Err(Unavailable::Packets(not_done, counts)) => {
                self.sum.add(&packet.table, &counts);
                self.leave(packet, &not_done)?;
            }
            Err(error) => return Err(error.into()),
        }
        self.given.insert(packet.clone(), files);
        Ok(())
    }

    fn leave(&mut self, packet: &Packet, not_done: &[NotDone]) -> Result<()> {
        for one in not_done {
            if let Problem::World(failure) = &one.problem {
                return Err(Error::msg(failure.to_string()));
            }
            self.left.insert(packet.clone(), one.to_string());
        }
        Ok(())
    }
}

/// Where there are several files the function is to see that they are the same.
fn request(Packet { table, id }: &Packet, files: &PacketFiles) -> serde_json::Value {
    match files.keys.as_slice() {
        [key] => json!({"packets": [{"table": table, "id": id, "key": key}]}),
        _ => json!({"packets": [{"table": table, "id": id}]}),
    }
}

fn is_settled(files: &PacketFiles, now: SystemTime) -> bool {
    let since = now.duration_since(files.modified);
    since.is_ok_and(|since| since >= SETTLED_AFTER)
}
