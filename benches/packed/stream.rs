//! Events as they are made, arrive and are cut into batches, as Firehose cuts them: by shard.

use std::fmt;

use fastrand::Rng;
use nozzle::dedup::{Claim, Owner};

/// What is counted, and what comes before it, so that late events find the items of their time full.
const SECONDS: f64 = 60.0;
const SECONDS_BEFORE: f64 = 600.0;
/// Terraform's buffer, and an event's bytes.
const BATCH_EVENTS: usize = 524_288 / 420;
const BATCH_SECONDS: f64 = 30.0;

pub(crate) struct Stream {
    pub(crate) events_per_second: f64,
    pub(crate) shards: usize,
    pub(crate) clock: Clock,
    pub(crate) lateness: Lateness,
}

/// What `created_at` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    Microseconds,
    Seconds,
    /// One moment for all.
    Stopped,
    /// A moment of ten years, by chance.
    Scattered,
}

/// How long after its making an event arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lateness {
    /// 0.2 s on the average.
    Prompt,
    /// A tenth of them within ten minutes, as phones send what they kept.
    Late,
    /// All by up to five minutes, as agents that send what they gathered.
    Gathered,
}

impl Lateness {
    pub(crate) const ALL: [Self; 3] = [Self::Prompt, Self::Late, Self::Gathered];

    fn seconds(self, random: &mut Rng) -> f64 {
        match self {
            Self::Late if random.u8(..10) == 0 => random.f64() * 600.0,
            Self::Prompt | Self::Late => -(1.0 - random.f64()).ln() * 0.2,
            Self::Gathered => random.f64() * 300.0,
        }
    }
}

impl fmt::Display for Lateness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prompt => "at once",
            Self::Late => "a tenth within ten minutes",
            Self::Gathered => "within five minutes",
        })
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Microseconds => "microseconds",
            Self::Seconds => "seconds",
            Self::Stopped => "nothing",
            Self::Scattered => "years",
        })
    }
}

/// The identities of one invocation.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    events: Vec<(String, i128)>,
    pub(crate) is_counted: bool,
}

impl Batch {
    pub(crate) fn claims(&self) -> Vec<Claim<'_>> {
        let owner = Owner::of("record", Some(0), b"bytes");
        let claims = self.events.iter().map(|(identity, time)| Claim {
            identity,
            led_by: Some(*time),
            owner,
        });
        claims.collect()
    }

    pub(crate) fn cut(&self, events: usize) -> impl Iterator<Item = Self> {
        self.events.chunks(events).map(|events| Self {
            events: events.to_vec(),
            is_counted: self.is_counted,
        })
    }
}

struct Arrival {
    seconds: f64,
    shard: usize,
    event: (String, i128),
}

impl Stream {
    /// In the order in which they are claimed. What is late goes with what comes then.
    pub(crate) fn batches(&self) -> Vec<Batch> {
        let mut open: Vec<(f64, Batch)> = Vec::new();
        open.resize_with(self.shards, || (0.0, Batch::default()));
        let mut closed = Vec::new();
        for Arrival {
            seconds,
            shard,
            event,
        } in self.arrivals()
        {
            let (since, batch) = open.get_mut(shard).unwrap();
            if batch.events.is_empty() {
                *since = seconds;
            } else if batch.events.len() == BATCH_EVENTS || seconds - *since > BATCH_SECONDS {
                closed.push((seconds, std::mem::take(batch)));
                *since = seconds;
            }
            batch.is_counted = seconds >= 0.0;
            batch.events.push(event);
        }
        closed.extend(open);
        closed.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        closed.into_iter().map(|(_, batch)| batch).collect()
    }

    /// Events that were made before the first of them arrive late, as others do behind the last.
    fn arrivals(&self) -> Vec<Arrival> {
        let mut random = Rng::with_seed(18);
        let mut arrivals = Vec::new();
        let mut made = -2.0 * SECONDS_BEFORE;
        while made < SECONDS {
            made += -(1.0 - random.f64()).ln() / self.events_per_second;
            let seconds = made + self.lateness.seconds(&mut random);
            let (shard, uuid) = (random.usize(..self.shards), random.u128(..));
            let time = self.clock.nanoseconds(made, &mut random);
            if (-SECONDS_BEFORE..SECONDS).contains(&seconds) {
                let event = (
                    format!("[\"{uuid:032x}\",\"account:created\",{time}]"),
                    time,
                );
                arrivals.push(Arrival {
                    seconds,
                    shard,
                    event,
                });
            }
        }
        arrivals.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
        arrivals
    }
}

impl Clock {
    #[expect(clippy::cast_possible_truncation, reason = "microseconds of an hour")]
    fn nanoseconds(self, made: f64, random: &mut Rng) -> i128 {
        const BEGINNING: i128 = 1_712_511_721_000_000_000;
        let since = match self {
            Self::Microseconds => i128::from((made * 1e6) as i64) * 1_000,
            Self::Seconds => i128::from(made.floor() as i64) * 1_000_000_000,
            Self::Stopped => 0,
            Self::Scattered => i128::from(random.u32(..315_360_000)) * 1_000_000_000,
        };
        BEGINNING + since
    }
}
