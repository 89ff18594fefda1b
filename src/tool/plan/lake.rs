//! The lake: files, how large they get, and the partitions that are active to make them.

use serde::Serialize;

use super::{
    buffer::{Buffer, Flow, Rhythm},
    limits::{ACTIVE_PARTITIONS_ALARM, ACTIVE_PARTITIONS_QUOTA, MEBIBYTE, SECONDS_A_HOUR},
    load::Load,
    options::{FileFormat, Wishes},
};

/// Terraform's defaults.
const BUFFER_SECONDS: u32 = 300;
const BUFFER_MEGABYTES: u32 = 64;
/// What Firehose takes at most.
pub(super) const BUFFER_SECONDS_MAX: u32 = 900;
const BUFFER_MEGABYTES_MAX: u32 = 128;

/// A file with less is slow to read, for opening it takes longer than reading it: a longer buffer
/// is worth the delay.
pub(super) const FILE_BYTES_SMALL: f64 = MEBIBYTE;

#[derive(Debug, Clone, Serialize)]
pub(super) struct LakeSizing {
    pub(super) buffer_megabytes: u32,
    pub(super) buffer_seconds: u32,
    pub(super) partitions: f64,
    pub(super) files_per_hour: f64,
    /// As they lie in S3, on the average.
    pub(super) file_bytes: f64,
    pub(super) delivered_bytes_per_hour: f64,
    /// At the peak.
    pub(super) active_partitions: f64,
    /// Where a time key's value changes, those before and those after are active together.
    pub(super) active_partitions_max: f64,
    pub(super) partition_bytes_per_second_max: f64,
    /// Originals and error objects, which lie by arrival.
    pub(super) other_files_per_hour: f64,
    pub(super) stored_bytes: f64,
}

/// How partitions fill their files.
#[derive(Debug, Clone, Copy, Default)]
struct Filling {
    files_per_second: f64,
    active: f64,
}

impl LakeSizing {
    pub(super) fn of(load: &Load, wishes: &Wishes) -> Self {
        let buffer_seconds = wishes
            .buffer_seconds
            .unwrap_or_else(|| choose_seconds(load, wishes));
        let buffer_megabytes = wishes
            .buffer_megabytes
            .unwrap_or_else(|| choose_megabytes(load, buffer_seconds));
        let buffer = buffer(buffer_megabytes, buffer_seconds);
        let filling = Filling::of(load, buffer);
        let active = Filling::of(&load.at_peak(), buffer).active;
        let files_per_hour = filling.files_per_second * SECONDS_A_HOUR;
        let delivered_bytes_per_hour = load.delivered_bytes_per_second() * SECONDS_A_HOUR;
        let lines_each = delivered_bytes_per_hour / files_per_hour.max(f64::MIN_POSITIVE);
        Self {
            buffer_megabytes,
            buffer_seconds,
            partitions: load.partitions.count(),
            files_per_hour,
            file_bytes: lines_each / load.compression,
            delivered_bytes_per_hour,
            active_partitions: active,
            active_partitions_max: active * wishes.partitions_at_turn(),
            partition_bytes_per_second_max: load.at_peak().delivered_bytes_per_second()
                * load.partitions.largest_share(),
            other_files_per_hour: Others::of(load, wishes).files_per_second(buffer)
                * SECONDS_A_HOUR,
            stored_bytes: stored_bytes(load, wishes),
        }
    }
}

impl Filling {
    fn of(load: &Load, buffer: Buffer) -> Self {
        let all = load.partitions.groups().map(|group| {
            let Rhythm {
                closings_per_second,
                open_share,
                ..
            } = buffer.pace(Flow {
                events_per_second: load.delivered_per_second() * group.share,
                event_bytes: load.shape.line_bytes,
            });
            Self {
                files_per_second: closings_per_second * group.partitions,
                active: open_share * group.partitions,
            }
        });
        all.fold(Self::default(), |sum, one| Self {
            files_per_second: sum.files_per_second + one.files_per_second,
            active: sum.active + one.active,
        })
    }
}

/// What is written beside the partitions, each kind through a buffer of its own.
struct Others {
    events_per_second: [f64; 2],
    event_bytes: f64,
}

impl Others {
    fn of(load: &Load, wishes: &Wishes) -> Self {
        let originals = if wishes.keeps_originals() {
            load.events_per_second
        } else {
            0.0
        };
        Self {
            events_per_second: [originals, load.events_per_second * load.refused_share],
            event_bytes: load.shape.record_bytes,
        }
    }

    fn files_per_second(&self, buffer: Buffer) -> f64 {
        let files = self.events_per_second.map(|events_per_second| {
            let flow = Flow {
                events_per_second,
                event_bytes: self.event_bytes,
            };
            buffer.pace(flow).closings_per_second
        });
        files.iter().sum()
    }
}

fn buffer(megabytes: u32, seconds: u32) -> Buffer {
    Buffer {
        bytes_max: f64::from(megabytes) * MEBIBYTE,
        seconds_max: f64::from(seconds),
    }
}

/// Longer where files would be small, shorter where that keeps below the alarm on partitions.
fn choose_seconds(load: &Load, wishes: &Wishes) -> u32 {
    let allowed = ACTIVE_PARTITIONS_QUOTA * ACTIVE_PARTITIONS_ALARM;
    let fits = |seconds: &u32| {
        let filling = Filling::of(&load.at_peak(), buffer(BUFFER_MEGABYTES, *seconds));
        filling.active * wishes.partitions_at_turn() <= allowed
    };
    let usual = Filling::of(load, buffer(BUFFER_MEGABYTES, BUFFER_SECONDS));
    let stored = load.delivered_bytes_per_second() / load.compression;
    let is_small = stored < usual.files_per_second * FILE_BYTES_SMALL;
    let longest = if is_small {
        BUFFER_SECONDS_MAX
    } else {
        BUFFER_SECONDS
    };
    let choices = [longest, BUFFER_SECONDS, 120, 60];
    choices.into_iter().find(fits).unwrap_or(longest)
}

/// Larger where files are finished because they are full.
fn choose_megabytes(load: &Load, seconds: u32) -> u32 {
    let busiest = load.delivered_bytes_per_second() * load.partitions.largest_share();
    if busiest * f64::from(seconds) > f64::from(BUFFER_MEGABYTES) * MEBIBYTE {
        BUFFER_MEGABYTES_MAX
    } else {
        BUFFER_MEGABYTES
    }
}

/// When everything has been kept for as long as it is to be.
fn stored_bytes(load: &Load, wishes: &Wishes) -> f64 {
    let day = 24.0 * SECONDS_A_HOUR;
    let kept = |bytes_per_second: f64, days: u32| bytes_per_second * day * f64::from(days);
    let events = load.delivered_bytes_per_second() / load.compression;
    let originals = if wishes.keeps_originals() {
        load.bytes_per_second() / load.compression
    } else {
        0.0
    };
    // In base64 within JSON; whether that is compressed depends on the format, so as if it were not.
    let errors = load.bytes_per_second() * load.refused_share * 4.0 / 3.0;
    kept(events, wishes.retention_days)
        + kept(originals, Wishes::ORIGINALS_DAYS)
        + kept(errors, Wishes::ERRORS_DAYS)
}

impl Wishes {
    /// Parquet holds listed columns only, so there the originals are always kept.
    pub(super) fn keeps_originals(&self) -> bool {
        self.format == FileFormat::Parquet || self.originals_backup
    }

    fn partitions_at_turn(&self) -> f64 {
        if self.partitioned_by_time { 2.0 } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::plan::{
        chance::Chance,
        example::{check_near, load, wishes},
        partitions::PartitionGroups,
    };

    /// What a partition opens and closes, event by event.
    #[derive(Clone, Copy)]
    struct Open {
        since: f64,
        bytes: f64,
    }

    /// Files an hour, and partitions active on the average, of events that come at random.
    fn simulated(load: &Load, buffer: Buffer, events: u32) -> (f64, f64) {
        let mut chance = Chance::new(11);
        let groups: Vec<_> = load.partitions.groups().collect();
        let mut open: Vec<Option<Open>> = Vec::new();
        let mut bounds = Vec::new();
        for group in &groups {
            let mut left = group.partitions;
            while left > 0.5 {
                open.push(None);
                bounds.push(bounds.last().unwrap_or(&0.0) + group.share);
                left -= 1.0;
            }
        }
        let (mut now, mut files, mut active_seconds) = (0.0, 0.0, 0.0);
        for _ in 0..events {
            now += chance.wait(load.delivered_per_second());
            let at = chance.share();
            let index = bounds
                .partition_point(|bound| *bound <= at)
                .min(open.len() - 1);
            if let Some(Open { since, .. }) = open[index]
                && now > since + buffer.seconds_max
            {
                files += 1.0;
                active_seconds += buffer.seconds_max;
                open[index] = None;
            }
            let bytes = load.shape.line_bytes;
            let partition = open[index].get_or_insert(Open {
                since: now,
                bytes: 0.0,
            });
            partition.bytes += bytes;
            if partition.bytes + bytes > buffer.bytes_max {
                files += 1.0;
                active_seconds += now - partition.since;
                open[index] = None;
            }
        }
        (files / now * SECONDS_A_HOUR, active_seconds / now)
    }

    #[track_caller]
    fn check(load: &Load, buffer: Buffer) {
        let filling = Filling::of(load, buffer);
        let (files, active) = simulated(load, buffer, 400_000);
        let near = |counted: f64, simulated: f64| (counted / simulated - 1.0).abs() < 0.03;
        let counted = filling.files_per_second * SECONDS_A_HOUR;
        assert!(
            near(counted, files) && near(filling.active, active),
            "{counted} and {}, simulated {files} and {active}",
            filling.active
        );
    }

    #[test]
    fn files_and_active_partitions_are_those_of_a_simulated_lake() {
        let sparse = Load {
            partitions: PartitionGroups::alike(200),
            ..load(0.05, 420)
        };
        check(&sparse, buffer(64, 300));
        let uneven = Load {
            partitions: PartitionGroups::of_counts([1_000, 100, 10, 1, 1].into_iter()),
            ..load(2.0, 420)
        };
        check(&uneven, buffer(64, 300));
        let full = Load {
            partitions: PartitionGroups::alike(3),
            ..load(100.0, 400_000)
        };
        check(&full, buffer(64, 300));
    }

    /// 100 partitions; 10 events a second are one each 10 s in each: 30 after the first within 300 s.
    #[test]
    fn files_are_those_of_all_partitions() {
        let wishes = Wishes {
            buffer_seconds: Some(300),
            ..wishes()
        };
        let load = load(10.0, 420);
        let lake = LakeSizing::of(&load, &wishes);
        check_near(lake.files_per_hour, 100.0 * 3_600.0 / 310.0);
        check_near(lake.file_bytes, 31.0 * load.shape.line_bytes / 5.0);
        // Three times as much at the peak: open for 90 of 91 events' time.
        check_near(lake.active_partitions, 100.0 * 90.0 / 91.0);
        check_near(lake.active_partitions_max, 200.0 * 90.0 / 91.0);
        let timeless = Wishes {
            partitioned_by_time: false,
            ..wishes
        };
        check_near(
            LakeSizing::of(&load, &timeless).active_partitions_max,
            100.0 * 90.0 / 91.0,
        );
    }

    /// 100 partitions. A buffer of 300 s holds 1 MiB of gzip from 5 MiB of lines on: of 519 bytes, from
    /// 10,102 events on, 34 a second and partition. One of 64 MiB is full within it from 431 a
    /// second on.
    #[test]
    fn buffers_are_longer_for_small_files_and_larger_for_full_ones() {
        #[track_caller]
        fn check(events_per_second: f64, partitions: u32, expected: (u32, u32)) {
            let load = Load {
                partitions: PartitionGroups::alike(partitions),
                ..load(events_per_second, 420)
            };
            assert!((load.shape.line_bytes - 519.0).abs() < 1e-9);
            let lake = LakeSizing::of(&load, &wishes());
            assert_eq!((lake.buffer_megabytes, lake.buffer_seconds), expected);
        }
        check(3_300.0, 100, (64, 900));
        check(3_500.0, 100, (64, 300));
        check(43_000.0, 100, (64, 300));
        check(44_000.0, 100, (128, 300));
        // With 1,000 partitions and an event a minute in each at the peak, 60 s keep below 400.
        check(1_000.0 / 180.0, 1_000, (64, 900));
        check(1_000.0 / 1_800.0, 1_000, (64, 120));
    }

    /// 86,400 s of a day: 365 days of delivered bytes by 5, 30 days of originals by 5, and a tenth
    /// refused: 90 days of 4/3.
    #[test]
    fn what_is_stored_is_what_was_kept_each_day() {
        let load = Load {
            refused_share: 0.1,
            ..load(1.0, 1_000)
        };
        let line_bytes = load.shape.line_bytes;
        let events = 86_400.0 * 365.0 * 0.9 * line_bytes / 5.0;
        let errors = 86_400.0 * 90.0 * 0.1 * 1_000.0 * 4.0 / 3.0;
        check_near(
            LakeSizing::of(&load, &wishes()).stored_bytes,
            events + errors,
        );
        let parquet = Wishes {
            format: FileFormat::Parquet,
            buffer_seconds: Some(300),
            ..wishes()
        };
        let originals = 86_400.0 * 30.0 * 1_000.0 / 5.0;
        let lake = LakeSizing::of(&load, &parquet);
        check_near(lake.stored_bytes, events + errors + originals);
        // 300 originals after the first, 30 error objects after the first.
        check_near(lake.other_files_per_hour, 3_600.0 / 301.0 + 360.0 / 31.0);
    }
}
