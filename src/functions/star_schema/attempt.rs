//! One packet, from its object to its receipt: files, then the receipt, then the parameter. Each
//! step can be done again, and whatever was done before is known by what is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use tokio::time::Instant;

use super::{
    calendar::write_year,
    came::{Came, End},
    description::{Star, StarTable, TableKind},
    dimension::{Touching, write_touched},
    failure::Problem,
    load::{Load, Loaded},
    loader::StarSchema,
    names::{self, Packet},
    parameter,
    reading::{self, Read},
    receipt::{self, Receipt, Source},
    reference::Reference,
    state::{self, State},
    store::{ObjectStore, Origin, ParameterStore, spool::Spool},
    table_file::TableWritten,
    timestamp::Timestamp,
    writing::{put_numbered, put_own},
};

/// A packet on its way.
pub(super) struct Attempt<'f, O, P> {
    pub function: &'f StarSchema<O, P>,
    pub packet: &'f Packet,
    pub deadline: Instant,
}

impl<O: ObjectStore, P: ParameterStore> Attempt<'_, O, P> {
    /// Loads the packet from this object, up to its receipt.
    pub(super) async fn load(&self, key: &str) -> Result<Came, Problem> {
        let (loaded, read) = self.read(key).await?;
        let refused_rows_max = self.function.settings.refused_rows_max;
        let mut came = Came::of(loaded, read, refused_rows_max);
        self.put_refused(&mut came).await?;
        if came.end == End::Refused {
            return Ok(came);
        }
        self.put_facts(&mut came).await?;
        self.put_dimensions(&mut came).await?;
        self.put_years(&mut came).await?;
        came.columns_new = self.columns_new(&came.loaded.unknown_columns).await?;
        self.put_receipt(key, &came).await?;
        Ok(came)
    }

    /// Moves the table's parameter on. How many ids are missing.
    pub(super) async fn advance(&self) -> Result<u64, Problem> {
        let StarSchema {
            processed,
            parameters,
            ..
        } = self.function;
        parameter::advance(processed, parameters, &self.packet.table, self.deadline).await
    }

    fn star(&self) -> &Star {
        &self.function.star
    }

    async fn read(&self, key: &str) -> Result<(Loaded<Spool>, Read), Problem> {
        let Packet { table, id } = self.packet;
        let sink = |_: Option<&StarTable>| Spool::default();
        let failed = |error| Problem::of_load(key, error);
        let mut load = Load::new(self.star(), table, *id, sink).map_err(failed)?;
        let feed = |piece: &[u8]| load.feed(piece);
        let (read, taken) = reading::feed(&self.function.packets, key, feed, self.deadline).await?;
        let loaded = taken.and_then(|()| load.finish());
        Ok((loaded.map_err(failed)?, read))
    }

    async fn put(&self, key: &str, spool: &mut Spool, origin: &Origin) -> Result<(), Problem> {
        put_own(&self.function.processed, key, spool, origin, self.deadline).await
    }

    async fn put_refused(&self, came: &mut Came) -> Result<(), Problem> {
        if came.loaded.refused_lines.is_empty() {
            return Ok(());
        }
        let key = self.packet.refused_key(came.loaded.newest);
        let origin = came.origin();
        self.put(&key, &mut came.loaded.refused_lines, &origin)
            .await
    }

    async fn put_facts(&self, came: &mut Came) -> Result<(), Problem> {
        let origin = came.origin();
        let newest = came.loaded.newest;
        let mut facts = std::mem::take(&mut came.loaded.facts);
        for (star_table, written) in facts.iter_mut().filter(|(_, written)| written.rows > 0) {
            let key = names::file_key(star_table, self.packet.id, newest);
            self.put(&key, &mut written.sink, &origin).await?;
            came.note(key, written);
        }
        came.loaded.facts = facts;
        Ok(())
    }

    async fn put_dimensions(&self, came: &mut Came) -> Result<(), Problem> {
        let tables: Vec<_> = self.star().dimensions(&self.packet.table).collect();
        let states = self.states(&tables, came).await?;
        for table in tables {
            let written = self.write_dimension(table, &came.loaded.reference, &states)?;
            if written.rows > 0 {
                self.put_dimension(table, written, &states, came).await?;
            }
        }
        Ok(())
    }

    /// Of each source that joins need, what is known.
    async fn states(
        &self,
        tables: &[&StarTable],
        came: &mut Came,
    ) -> Result<BTreeMap<String, State>, Problem> {
        let joined = tables.iter().filter(|table| !table.joins().is_empty());
        let sources: BTreeSet<_> = joined.flat_map(|table| table.sources()).collect();
        let StarSchema {
            packets, processed, ..
        } = self.function;
        let mut states = BTreeMap::new();
        for source in sources {
            let places = (packets, processed);
            let mut state =
                state::fold(self.star(), places, source, &came.origin(), self.deadline).await?;
            came.checkpoints += usize::from(state.checkpoint);
            if source == self.packet.table {
                state.reference.merge(came.loaded.reference.clone());
            }
            states.insert(source.to_owned(), state);
        }
        Ok(states)
    }

    fn write_dimension(
        &self,
        table: &StarTable,
        rows: &Reference,
        states: &BTreeMap<String, State>,
    ) -> io::Result<TableWritten<Spool>> {
        let source = self.packet.table.as_str();
        let known = |name| {
            let state = states.get(name).filter(|_| !table.joins().is_empty());
            (name, state.map_or(rows, |state| &state.reference))
        };
        let state = table.sources().map(known).collect();
        let packet = Touching { source, rows };
        write_touched(self.star(), table, packet, &state, Spool::default())
    }

    async fn put_dimension(
        &self,
        table: &StarTable,
        mut written: TableWritten<Spool>,
        states: &BTreeMap<String, State>,
        came: &mut Came,
    ) -> Result<(), Problem> {
        let mut origin = came.origin();
        let newest = came.loaded.newest;
        let file_key = |number| names::file_key(&table.name, number, newest);
        let key = if table.joins().is_empty() {
            let key = file_key(self.packet.id);
            self.put(&key, &mut written.sink, &origin).await?;
            key
        } else {
            let sources: BTreeSet<_> = table.sources().collect();
            let states = sources.into_iter().filter_map(|source| states.get(source));
            let folded = states.map(|state| state.packets).sum();
            origin.folded = Some(folded);
            let number = (table.name.as_str(), folded as u64 + 1);
            let (processed, spool) = (&self.function.processed, &mut written.sink);
            put_numbered(processed, number, file_key, spool, &origin, self.deadline).await?
        };
        came.note(key, &written);
        Ok(())
    }

    /// A year that is there is ours, whichever packet brought it.
    async fn put_years(&self, came: &mut Came) -> Result<(), Problem> {
        let origin = came.origin();
        let tables = self.star().tables.iter();
        for table in tables.filter(|table| matches!(table.kind, TableKind::Calendar(_))) {
            let years = came.years.remove(&table.name).unwrap_or_default();
            if years.is_empty() {
                continue;
            }
            let prefix = format!("{}/", table.name);
            let processed = &self.function.processed;
            let there = processed.list(&prefix, "", self.deadline).await?;
            for year in years {
                let key = names::year_key(&table.name, year);
                if !there.contains(&key) {
                    let mut spool = write_year(table, year, Spool::default())?.sink;
                    came.written_bytes += spool.bytes();
                    processed
                        .put(&key, &mut spool, &origin, self.deadline)
                        .await?;
                }
                came.files.push(key);
            }
        }
        Ok(())
    }

    async fn columns_new(&self, unknown: &BTreeSet<String>) -> Result<Vec<String>, Problem> {
        let Packet { table, id } = self.packet;
        let before = id.checked_sub(1).filter(|_| !unknown.is_empty());
        let mut known = Vec::new();
        if let Some(id) = before {
            let table = table.clone();
            let (processed, before) = (&self.function.processed, Packet { table, id });
            let receipt = receipt::read(processed, &before, self.deadline).await?;
            known = receipt.map_or(known, |receipt| receipt.columns_unknown);
        }
        let new = unknown.iter().filter(|column| !known.contains(column));
        Ok(new.cloned().collect())
    }

    async fn put_receipt(&self, key: &str, came: &Came) -> Result<(), Problem> {
        let Packet { table, id } = self.packet;
        let receipt = Receipt {
            table: table.clone(),
            id: *id,
            source: Source {
                key: key.to_owned(),
                etag: came.read.etag.clone(),
            },
            description: self.star().hash.clone(),
            files: came.files.clone(),
            rows: came.loaded.rows,
            refused: came.refused(),
            newest: came.loaded.newest.map(Timestamp::in_file_name),
            columns_unknown: came.loaded.unknown_columns.iter().cloned().collect(),
        };
        let mut spool = Spool::default();
        serde_json::to_writer(&mut spool, &receipt).map_err(io::Error::from)?;
        self.put(&self.packet.receipt_key(), &mut spool, &came.origin())
            .await
    }
}
