//! The claim table: what is written to it, how warm it must be, and what it holds.

use serde::Serialize;

use super::{
    limits::{
        ITEM_OVERHEAD_BYTES, NEW_TABLE_WRITES_PER_SECOND, SECONDS_A_HOUR,
        TABLE_PARTITION_WRITES_PER_SECOND,
    },
    load::Load,
};

/// A new event's claim is inserted.
const WRITES_NEW: f64 = 1.0;
/// A duplicate's insert fails, then its look at the claim's owner: both cost what they would have.
const WRITES_DUPLICATE: f64 = 2.0;

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct ClaimTable {
    pub(super) write_units_per_second: f64,
    pub(super) peak_write_units_per_second: f64,
    /// Of the table, that the peak needs; identities spread over them evenly.
    pub(super) table_partitions: f64,
    /// How often a new table's capacity has to double before it stands the peak.
    pub(super) doublings: f64,
    pub(super) items: f64,
    pub(super) stored_bytes: f64,
}

impl ClaimTable {
    pub(super) fn of(load: &Load, claim_hours: u32) -> Self {
        let write_units_per_second = write_units_per_second(load);
        let peak = write_units_per_second * load.peak_factor;
        let items = load.delivered_per_second() * SECONDS_A_HOUR * f64::from(claim_hours);
        Self {
            write_units_per_second,
            peak_write_units_per_second: peak,
            table_partitions: (peak / TABLE_PARTITION_WRITES_PER_SECOND).ceil().max(1.0),
            doublings: (peak / NEW_TABLE_WRITES_PER_SECOND).log2().ceil().max(0.0),
            items,
            stored_bytes: items * (load.shape.claim_bytes + ITEM_OVERHEAD_BYTES),
        }
    }
}

/// Copies that meet in one batch are asked for once; here each is counted as if it came alone.
fn write_units_per_second(load: &Load) -> f64 {
    let writes = load.new_share() * WRITES_NEW + load.duplicate_share * WRITES_DUPLICATE;
    load.events_per_second * writes * load.shape.claim_write_units
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::plan::example::{check_near, load};

    fn claims(events_per_second: f64) -> ClaimTable {
        let mut load = load(events_per_second, 420);
        (load.duplicate_share, load.refused_share) = (0.05, 0.01);
        ClaimTable::of(&load, 24)
    }

    /// Of 1,000 events 940 are new: 940 units. 50 duplicates: 100. 10 are refused: none. Three times
    /// as much at the peak. 940 a second are alive for 86,400 s.
    #[test]
    fn an_event_costs_one_write_unit_and_a_duplicate_two() {
        let claims = claims(1_000.0);
        check_near(claims.write_units_per_second, 1_040.0);
        check_near(claims.peak_write_units_per_second, 3_120.0);
        check_near(claims.table_partitions, 4.0);
        check_near(claims.items, 81_216_000.0);
    }

    /// 4,000, 8,000, 16,000, 32,000: three doublings for 31,200.
    #[test]
    fn a_new_table_doubles_until_it_stands_the_peak() {
        for (events_per_second, doublings) in [
            (0.0, 0.0),
            (1_000.0, 0.0),
            (1_300.0, 1.0),
            (10_000.0, 3.0),
            (1e6, 10.0),
        ] {
            check_near(claims(events_per_second).doublings, doublings);
        }
    }

    /// The id is `["2c963f66-5717-4562-b3fc-3f66afa6a51d","account:created",1712511721022075000]`:
    /// 2 brackets, 38, a comma, 17, a comma, 19. The owner has 13 + 1 + 16 + 1 + 32. The names `id`,
    /// `owner` and `ttl` have 10; ten digits take 6. DynamoDB adds 100.
    #[test]
    fn a_claim_is_as_large_as_its_item() {
        let claim_bytes = (2 + 38 + 1 + 17 + 1 + 19) + (13 + 1 + 16 + 1 + 32) + 10 + 6;
        check_near(load(1.0, 420).shape.claim_bytes, f64::from(claim_bytes));
        let claims = claims(1_000.0);
        check_near(
            claims.stored_bytes,
            81_216_000.0 * f64::from(claim_bytes + 100),
        );
    }

    #[test]
    fn a_claim_above_a_kibibyte_costs_two_units_a_write() {
        let mut load = load(1_000.0, 420);
        load.shape.claim_write_units = 2.0;
        check_near(ClaimTable::of(&load, 24).write_units_per_second, 2_000.0);
    }
}
