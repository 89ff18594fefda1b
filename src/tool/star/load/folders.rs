//! The folder that packets lie in, and the one that the star is kept in, for one process at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, Metadata, TryLockError},
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    functions::star_schema::names::Packet,
    local::files::{self, OWN_FOLDER},
    tool::places::no_file,
};

/// Both absolute.
#[derive(Debug)]
pub(super) struct StarFolders {
    pub(super) packets: PathBuf,
    pub(super) star: PathBuf,
    /// Joins are right only where one packet is loaded at a time.
    _turn: File,
}

/// The files that are one packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PacketFiles {
    pub(super) keys: Vec<String>,
    pub(super) bytes: u64,
    /// When something was last written to one of them.
    pub(super) modified: SystemTime,
}

/// What lies in the folder of packets.
pub(super) struct FoundPackets {
    pub(super) packets: BTreeMap<Packet, PacketFiles>,
    pub(super) others: BTreeSet<String>,
}

impl StarFolders {
    /// Makes the star's folder where there is none.
    pub(super) fn prepare(packets: &Path, star: &Path) -> Result<Self> {
        let packets_found = fs::canonicalize(packets)
            .with_context(|| format!("there is no folder `{}`", packets.display()))?;
        ensure!(
            packets_found.is_dir(),
            "`{}` is a file: name the folder that packets lie in",
            packets.display()
        );
        let star = no_file(star)
            .and_then(|()| Ok(files::prepare(star)?))
            .with_context(|| format!("--into {} cannot be used", star.display()))?;
        ensure!(
            !star.starts_with(&packets_found) && !packets_found.starts_with(&star),
            "--into {}: the star and the packets would lie in each other; name another folder",
            star.display()
        );
        let turn = take_turn(&star)?;
        Ok(Self {
            packets: packets_found,
            star,
            _turn: turn,
        })
    }

    /// What these keys are, by packet, and those that are none: by their names, or because no file is
    /// there.
    pub(super) fn by_packet(&self, keys: Vec<String>) -> Result<FoundPackets> {
        let mut packets = BTreeMap::new();
        let mut others = BTreeSet::new();
        for key in keys {
            let found = fs::metadata(self.packets.join(&key)).ok();
            let found = found.filter(Metadata::is_file);
            let (Some(packet), Some(found)) = (Packet::of_key(&key), found) else {
                others.insert(key);
                continue;
            };
            let modified = found.modified()?;
            let files = packets.entry(packet).or_insert(PacketFiles {
                keys: Vec::new(),
                bytes: 0,
                modified,
            });
            files.keys.push(key);
            files.bytes += found.len();
            files.modified = files.modified.max(modified);
        }
        Ok(FoundPackets { packets, others })
    }
}

/// Ends with the process.
fn take_turn(star: &Path) -> Result<File> {
    let path = star.join(OWN_FOLDER).join("loading");
    let locked = fs::create_dir_all(star.join(OWN_FOLDER)).and_then(|()| File::create(&path));
    let file = locked.with_context(|| format!("`{}` cannot be written", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "another nozzle loads packets into `{}`: wait until it has ended, or name another folder",
            star.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("`{}` cannot be locked", path.display()))
        }
    }
}
