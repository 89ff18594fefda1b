//! How large the partitions became, and their files.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3DefaultBuilder, xxh3_64};

use super::spread::Spread;
use crate::local::{files::Rename, firehose::lake::Written};

/// Partitions are told apart up to this many, so that no input makes the picture large.
pub const PARTITIONS_MAX: usize = 20_000;
/// Partitions that are known by name: the largest.
const NAMES_MAX: usize = 12;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Sizes {
    /// By the hash of its folder.
    partitions: HashMap<u64, Partition, Xxh3DefaultBuilder>,
    /// The folders of the largest, by hash.
    names: BTreeMap<u64, String>,
    /// Files of all further partitions.
    pub beyond: Partition,
    /// Bytes of a file.
    pub files: Spread,
}

/// What was written into a folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Partition {
    pub bytes: u64,
    pub files: u64,
}

impl Sizes {
    pub fn add_window(&mut self, window: &Written) {
        let mut written = BTreeMap::new();
        for (Rename(_, name), bytes) in window.renames.iter().zip(&window.file_bytes) {
            let folder = name.parent().unwrap_or(name).display().to_string();
            let hash = xxh3_64(folder.as_bytes());
            self.files.add(*bytes);
            self.partition(hash).add(*bytes);
            written.insert(hash, folder);
        }
        self.names.append(&mut written);
        self.keep_largest();
    }

    /// Bytes of each partition.
    #[must_use]
    pub fn partitions(&self) -> Spread {
        let partitions = self.partitions.values();
        partitions.map(|partition| partition.bytes).collect()
    }

    /// The largest partitions, the largest first, each with its folder.
    #[must_use]
    pub fn largest(&self) -> Vec<(&str, Partition)> {
        let named = self.names.iter().filter_map(|(hash, folder)| {
            let partition = self.partitions.get(hash)?;
            Some((folder.as_str(), *partition))
        });
        let mut largest: Vec<_> = named.collect();
        largest.sort_by(|(one, a), (other, b)| b.cmp(a).then(one.cmp(other)));
        largest
    }

    fn partition(&mut self, hash: u64) -> &mut Partition {
        if self.partitions.len() < PARTITIONS_MAX || self.partitions.contains_key(&hash) {
            self.partitions.entry(hash).or_default()
        } else {
            &mut self.beyond
        }
    }

    /// A partition grows only when its name is at hand, so none of the largest is ever missed.
    fn keep_largest(&mut self) {
        let sizes = self.names.keys().filter_map(|hash| {
            let partition = self.partitions.get(hash)?;
            Some((*partition, *hash))
        });
        let mut sizes: Vec<_> = sizes.collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.truncate(NAMES_MAX);
        self.names
            .retain(|hash, _| sizes.iter().any(|(_, kept)| kept == hash));
    }
}

impl Partition {
    fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.files += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(files: &[(String, u64)]) -> Written {
        let rename = |(folder, _): &(String, u64)| Rename("t".into(), format!("{folder}/f").into());
        let mut renames: Vec<_> = files.iter().map(rename).collect();
        // Error objects come last, and have no size here.
        renames.push(Rename("t".into(), "errors/f".into()));
        Written {
            renames,
            file_bytes: files.iter().map(|(_, bytes)| *bytes).collect(),
            ..Written::default()
        }
    }

    #[test]
    fn the_largest_partitions_are_known_however_they_grew() {
        let mut sizes = Sizes::default();
        for round in 1..=50 {
            let files: Vec<_> = (0..100_u64)
                .map(|number| (format!("p{number}"), number * round))
                .chain([("late".to_owned(), round * round * 10)])
                .collect();
            sizes.add_window(&window(&files));
        }
        let largest = sizes.largest();
        let names: Vec<_> = largest.iter().map(|(name, _)| *name).collect();
        assert_eq!(largest.len(), NAMES_MAX);
        assert_eq!(names[..3], ["late", "p99", "p98"]);
        assert_eq!(largest[1].1.bytes, 99 * (50 * 51 / 2));
        assert_eq!(largest[1].1.files, 50);
        assert_eq!(sizes.partitions().numbers, 101);
        assert_eq!(sizes.files.numbers, 5_050);
    }

    #[test]
    fn partitions_beyond_the_bound_are_counted_together() {
        let mut sizes = Sizes::default();
        let files: Vec<_> = (0..PARTITIONS_MAX + 5)
            .map(|number| (format!("p{number}"), 3))
            .collect();
        sizes.add_window(&window(&files));
        sizes.add_window(&window(&files));
        assert_eq!(sizes.partitions().numbers, PARTITIONS_MAX as u64);
        let beyond = Partition {
            bytes: 30,
            files: 10,
        };
        assert_eq!(sizes.beyond, beyond);
    }
}
