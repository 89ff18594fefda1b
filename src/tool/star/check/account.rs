//! What receipts say was loaded, against the files that are there.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
};

use anyhow::Result;

use super::{
    fault::{FaultKind, Faults},
    files::{StarFiles, is_table_file},
};
use crate::functions::star_schema::{
    description::{Star, StarTable},
    names::{Packet, number_of},
    receipt::Receipt,
};

/// So many ids are named; the rest is a number.
const NAMED_MAX: usize = 8;

/// The receipts of all tables.
pub(super) struct Account<'a> {
    star: &'a Star,
    receipts: Vec<Receipt>,
}

impl<'a> Account<'a> {
    /// Reads them, and looks for ids that are missing.
    pub(super) fn read(star: &'a Star, files: &StarFiles, faults: &mut Faults) -> Result<Self> {
        let mut receipts = Vec::new();
        let mut ids: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for key in files.keys("packets/") {
            let receipt: Receipt = match serde_json::from_reader(files.open(key)?) {
                Ok(receipt) => receipt,
                Err(error) => {
                    let what = format!("it is no receipt: {error}; find out who wrote it");
                    faults.add(FaultKind::Unreadable, key, 1, what);
                    continue;
                }
            };
            let known = ids.entry(receipt.table.clone()).or_default();
            known.insert(receipt.id);
            receipts.push(receipt);
        }
        for (table, ids) in ids {
            look_for_gaps(&table, &ids, faults);
        }
        Ok(Self { star, receipts })
    }

    pub(super) fn packets(&self) -> u64 {
        self.receipts.len() as u64
    }

    /// Tables that lie here and that the description does not describe; none where it has loaded a
    /// packet, since what it does not describe is an earlier one's then.
    pub(super) fn tables_of_another_star<'f>(&'f self, files: &'f StarFiles) -> BTreeSet<&'f str> {
        let mut receipts = self.receipts.iter();
        if receipts.any(|receipt| receipt.description == self.star.hash) {
            return BTreeSet::new();
        }
        let folders = files.keys("").filter_map(|key| {
            let (folder, _) = key.split_once('/')?;
            (is_table_file(key) && number_of(folder, key).is_some()).then_some(folder)
        });
        let folders = folders.filter(|name| self.star.table(name).is_none());
        let tables = self.receipts.iter().map(|receipt| receipt.table.as_str());
        let tables = tables.filter(|table| !self.star.reads(table));
        folders.chain(tables).collect()
    }

    /// `rows` are those of each file that can be read.
    pub(super) fn compare(
        &self,
        files: &StarFiles,
        rows: &BTreeMap<String, u64>,
        faults: &mut Faults,
    ) -> Result<()> {
        for receipt in &self.receipts {
            compare_files(receipt, files, faults);
            self.compare_facts(receipt, rows, faults);
            compare_refused(receipt, files, faults)?;
        }
        self.look_for_others(files, faults);
        Ok(())
    }

    /// Each fact of the packet's table has all of its rows.
    fn compare_facts(&self, receipt: &Receipt, rows: &BTreeMap<String, u64>, faults: &mut Faults) {
        for fact in self.star.facts(&receipt.table) {
            let mut own = receipt.files.iter();
            match own.find(|key| number_of(&fact.name, key).is_some()) {
                Some(key) => {
                    if let Some(found) = rows.get(key).filter(|found| **found != receipt.rows) {
                        let what = format!(
                            "the file has {found} rows, and the receipt says {}; {RESTORE}",
                            receipt.rows
                        );
                        faults.add(
                            FaultKind::RowsDiffer,
                            key,
                            found.abs_diff(receipt.rows),
                            what,
                        );
                    }
                }
                None if receipt.rows > 0 => {
                    let what = format!(
                        "the receipt says {} rows and names no file of {}; remove the receipt, and \
                         the packet is loaded again",
                        receipt.rows, fact.name
                    );
                    faults.add(FaultKind::RowsDiffer, &name(receipt), receipt.rows, what);
                }
                None => {}
            }
        }
    }

    fn look_for_others(&self, files: &StarFiles, faults: &mut Faults) {
        let named = self.receipts.iter().flat_map(|receipt| &receipt.files);
        let named: BTreeSet<_> = named.map(String::as_str).collect();
        for table in &self.star.tables {
            for key in table_files(files, table).filter(|key| !named.contains(key)) {
                let what = "no receipt names it: a call that died, whose packet is loaded when it \
                            is called again, or what was left of one or is somebody else's: remove it \
                            if it still stands after a sweep";
                faults.add(FaultKind::NoReceipt, key, 1, what.to_owned());
            }
        }
    }
}

const RESTORE: &str = "restore it, or remove it and the receipt, and the packet is loaded again";

/// The Parquet files of a table, in order.
pub(super) fn table_files<'f>(
    files: &'f StarFiles,
    table: &'f StarTable,
) -> impl Iterator<Item = &'f str> {
    let keys = files.keys(&table.name);
    let folder = move |key: &&str| {
        let rest = key.strip_prefix(table.name.as_str());
        rest.is_some_and(|rest| rest.starts_with('/')) && is_table_file(key)
    };
    keys.filter(folder)
}

fn look_for_gaps(table: &str, ids: &BTreeSet<u64>, faults: &mut Faults) {
    let mut missing = Vec::new();
    let mut count = 0;
    let mut expected = 1;
    for id in ids {
        if *id > expected {
            count += id - expected;
            missing.push(match id - 1 {
                last if last == expected => expected.to_string(),
                last => format!("{expected} to {last}"),
            });
        }
        expected = id + 1;
    }
    if count > 0 {
        let more = if missing.len() > NAMED_MAX {
            ", …"
        } else {
            ""
        };
        missing.truncate(NAMED_MAX);
        let what = format!(
            "packets without a receipt below the table's highest: {}{more}; load them",
            missing.join(", ")
        );
        faults.add(FaultKind::Gap, table, count, what);
    }
}

fn compare_files(receipt: &Receipt, files: &StarFiles, faults: &mut Faults) {
    for key in receipt.files.iter().filter(|key| !files.has(key)) {
        let what = format!("{} names it, and it is gone; {RESTORE}", name(receipt));
        faults.add(FaultKind::FileMissing, key, 1, what);
    }
}

fn compare_refused(receipt: &Receipt, files: &StarFiles, faults: &mut Faults) -> Result<()> {
    let Receipt { table, id, .. } = receipt;
    let prefix = format!("refused/{table}/{table}_{id:08}_refused_");
    let mut lines = 0;
    for key in files.keys(&prefix) {
        for line in BufReader::new(files.open(key)?).split(b'\n') {
            line?;
            lines += 1;
        }
    }
    if lines != receipt.refused {
        let what = format!(
            "{lines} rows lie under {prefix}…, and the receipt says {}; restore the object",
            receipt.refused
        );
        faults.add(
            FaultKind::RefusedDiffer,
            &name(receipt),
            lines.abs_diff(receipt.refused),
            what,
        );
    }
    Ok(())
}

/// A receipt as a person knows it.
fn name(receipt: &Receipt) -> String {
    let (table, id) = (receipt.table.clone(), receipt.id);
    Packet { table, id }.receipt_key()
}
