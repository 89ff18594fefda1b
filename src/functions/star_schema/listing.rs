//! Which objects are which packet: what the bucket holds, listed at most once a call.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, Utc};
use futures_util::future::try_join_all;
use tokio::time::Instant;
use xxhash_rust::xxh3::Xxh3;

use super::{failure::Problem, names::Packet, reading, store::ObjectStore};

/// The keys of each packet's objects, in order.
type Keys = BTreeMap<Packet, Vec<String>>;

/// What was listed.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Today's and yesterday's folders.
    recent: Option<Keys>,
    all: Option<Keys>,
}

impl Listing {
    /// The one object that is this packet.
    pub(super) async fn find<O: ObjectStore>(
        &mut self,
        objects: &O,
        packet: &Packet,
        now: DateTime<Utc>,
        deadline: Instant,
    ) -> Result<String, Problem> {
        let mut keys = self.recent(objects, now, deadline).await?.get(packet);
        if keys.is_none() {
            keys = self.all(objects, deadline).await?.get(packet);
        }
        match keys.map_or(&[][..], Vec::as_slice) {
            [] => {
                let Packet { table, id } = packet;
                Err(Problem::Missing(format!("…/{table}_{id}_….jsonl")))
            }
            [key] => Ok(key.clone()),
            keys => same_bytes(objects, keys, deadline).await,
        }
    }

    /// Every packet that has an object.
    pub(super) async fn packets<O: ObjectStore>(
        &mut self,
        objects: &O,
        deadline: Instant,
    ) -> Result<impl Iterator<Item = &Packet>, Problem> {
        Ok(self.all(objects, deadline).await?.keys())
    }

    async fn recent<O: ObjectStore>(
        &mut self,
        objects: &O,
        now: DateTime<Utc>,
        deadline: Instant,
    ) -> Result<&Keys, Problem> {
        if self.recent.is_none() {
            let mut keys = Keys::new();
            let folders = folders(now.date_naive());
            let listed = folders
                .iter()
                .map(|folder| objects.list(folder, "", deadline));
            for listed in try_join_all(listed).await? {
                add(&mut keys, listed);
            }
            self.recent = Some(keys);
        }
        Ok(self.recent.get_or_insert_default())
    }

    async fn all<O: ObjectStore>(
        &mut self,
        objects: &O,
        deadline: Instant,
    ) -> Result<&Keys, Problem> {
        if self.all.is_none() {
            let mut keys = Keys::new();
            add(&mut keys, objects.list("", "", deadline).await?);
            self.all = Some(keys);
        }
        Ok(self.all.get_or_insert_default())
    }
}

/// Today's and yesterday's, as days are usually spelled.
fn folders(today: NaiveDate) -> Vec<String> {
    let days = [Some(today), today.checked_sub_days(Days::new(1))];
    let spelled =
        |day: NaiveDate| ["%Y/%m/%d/", "%Y-%m-%d/"].map(|format| day.format(format).to_string());
    days.into_iter().flatten().flat_map(spelled).collect()
}

fn add(keys: &mut Keys, listed: Vec<String>) {
    for key in listed {
        if let Some(packet) = Packet::of_key(&key) {
            keys.entry(packet).or_default().push(key);
        }
    }
}

/// The first of these, if they are all the same.
async fn same_bytes<O: ObjectStore>(
    objects: &O,
    keys: &[String],
    deadline: Instant,
) -> Result<String, Problem> {
    let mut etags = BTreeSet::new();
    for key in keys {
        let standing = objects.look(key, deadline).await?;
        etags.insert(standing.map(|standing| standing.etag));
    }
    let mut contents = BTreeSet::new();
    if etags.len() > 1 {
        for key in keys {
            let mut hash = Xxh3::new();
            let mut sink = |piece: &[u8]| hash.update(piece);
            reading::read(objects, key, &mut sink, deadline).await?;
            contents.insert(hash.digest128());
        }
    }
    match keys.first() {
        Some(first) if contents.len() <= 1 => Ok(first.clone()),
        _ => Err(Problem::IdTaken(keys.to_vec())),
    }
}
