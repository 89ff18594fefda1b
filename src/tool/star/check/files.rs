//! The files of a star, by their keys, in a folder or a bucket.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek},
    path::Path,
};

use anyhow::{Context, Result, ensure};

use crate::{functions::star_schema::names::id_of, tool::objects::Objects};

pub(super) struct StarFiles {
    objects: Box<dyn Objects>,
    /// By key: the name that the objects know it by, and how many bytes it has.
    by_key: BTreeMap<String, (String, u64)>,
}

impl StarFiles {
    /// What lies there, listed once. `root` is how it was asked for.
    pub(super) fn find(objects: Box<dyn Objects>, root: &str) -> Result<Self> {
        let root = format!("{}/", root.trim_end_matches('/'));
        let mut by_key = BTreeMap::new();
        objects.each(&mut |object| {
            if let Some(key) = object.name.strip_prefix(&root) {
                let key = key.trim_start_matches('/').to_owned();
                by_key.insert(key, (object.name.clone(), object.bytes));
            }
            Ok(())
        })?;
        let is_receipt = |key: &String| key.starts_with("packets/") && id_of(key).is_some();
        ensure!(
            by_key.keys().any(is_receipt),
            "no packet is loaded in {root}: `nozzle star PACKETS --into DIR` loads packets, on AWS the function does"
        );
        Ok(Self { objects, by_key })
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    /// The keys that begin so, in order.
    pub(super) fn keys<'s>(&'s self, prefix: &'s str) -> impl Iterator<Item = &'s str> {
        let from = self.by_key.range(prefix.to_owned()..);
        let keys = from.map(|(key, _)| key.as_str());
        keys.take_while(move |key| key.starts_with(prefix))
    }

    pub(super) fn bytes(&self, key: &str) -> u64 {
        self.by_key.get(key).map_or(0, |(_, bytes)| *bytes)
    }

    /// Of all Parquet files.
    pub(super) fn table_bytes(&self) -> u64 {
        let tables = self.by_key.keys().filter(|key| is_table_file(key));
        tables.map(|key| self.bytes(key)).sum()
    }

    pub(super) fn open(&self, key: &str) -> Result<Box<dyn Read + '_>> {
        let (name, _) = self.by_key.get(key).context("it is gone")?;
        self.objects.open(name)
    }

    /// To be read at any place: what is not on this machine comes into a temporary file.
    pub(super) fn open_file(&self, key: &str) -> Result<File> {
        let (name, _) = self.by_key.get(key).context("it is gone")?;
        if !name.starts_with("s3://") {
            return File::open(Path::new(name)).with_context(|| format!("`{name}`"));
        }
        let mut file = tempfile::tempfile()?;
        io::copy(&mut self.open(key)?, &mut file)?;
        file.rewind()?;
        Ok(file)
    }
}

pub(super) fn is_table_file(key: &str) -> bool {
    key.ends_with(".parquet")
}
