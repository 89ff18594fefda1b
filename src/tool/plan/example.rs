//! A load and what was decided about it, for tests.

use super::{
    load::{InflowSource, Load},
    options::{FileFormat, Wishes},
    partitions::PartitionGroups,
    sample::Described,
};
use crate::functions::firehose_transform::Settings;

pub(super) fn settings() -> Settings {
    Settings::read(|_| None).unwrap()
}

/// Direct put to a hundred partitions; the peak is three times the mean, no event smaller than it.
pub(super) fn load(events_per_second: f64, bytes: usize) -> Load {
    let described = Described {
        bytes,
        name: "account:created",
        smallest_bytes: Some(bytes),
    };
    Load {
        source: InflowSource::DirectPut,
        events_per_second,
        peak_factor: 3.0,
        duplicate_share: 0.0,
        refused_share: 0.0,
        shape: described.shape(&settings()).unwrap(),
        compression: 5.0,
        partitions: PartitionGroups::alike(100),
    }
}

/// Nothing but what has a default.
pub(super) fn wishes() -> Wishes {
    Wishes {
        format: FileFormat::Json,
        originals_backup: false,
        claim_hours: 24,
        retention_days: 365,
        region: None,
        partition_keys: settings().rules.partition_keys.to_string(),
        partitioned_by_time: true,
        response_bytes_max: settings().response_bytes_max,
        batch_megabytes: None,
        batch_seconds: None,
        buffer_megabytes: None,
        buffer_seconds: None,
        memory_megabytes: None,
        microseconds_per_event: None,
        claim_milliseconds: 20.0,
    }
}

/// Equal but for what floats round.
#[track_caller]
pub(super) fn check_near(actual: f64, expected: f64) {
    let tolerance = 1e-9 * expected.abs().max(1e-9);
    assert!(
        (actual - expected).abs() <= tolerance,
        "{actual}, not {expected}"
    );
}
