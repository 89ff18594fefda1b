//! A table whose items hold many claims, in memory, with DynamoDB's bill: each write costs a unit for
//! every KB of the whole item, before or after, whichever is larger.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
};

use nozzle::dedup::{Answers, Claim, ClaimStore, Claimed, Held, Terms};
use xxhash_rust::xxh3::xxh3_128;

/// The names `id` and `ttl`, an id such as `p1712511721.022#12`, a number of ten digits.
const ITEM_BYTES: usize = 2 + 3 + 18 + 6;
/// An attribute: a digest of 96 bits as text, which a name must be, and an owner with its expiry in 24.
const CLAIM_BYTES: usize = 16 + 24;
/// An item has so many at most, 4 KB of them: without a bound one made-up time would make each write cost 400.
pub(crate) const CLAIMS_MAX: usize = 100;
const UNIT_BYTES: usize = 1024;

/// Which identities share an item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) slice_nanoseconds: i128,
    pub(crate) buckets: u64,
}

/// Where a claim lies: with others of its time, or alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Place {
    Packed(i128, u64),
    Alone(u128),
}

pub(crate) struct PackedTable {
    layout: Layout,
    items: Mutex<HashMap<Place, HashMap<u128, Held>>>,
}

impl Layout {
    pub(crate) fn slice_seconds(self) -> f64 {
        std::time::Duration::from_nanos(self.slice_nanoseconds.try_into().unwrap()).as_secs_f64()
    }

    /// What has no time in its identity can share nothing.
    fn place(self, claim: &Claim<'_>, digest: u128) -> Place {
        let bucket = u64::try_from(digest >> 64).unwrap() % self.buckets;
        claim.led_by.map_or(Place::Alone(digest), |time| {
            Place::Packed(time.div_euclid(self.slice_nanoseconds), bucket)
        })
    }
}

impl PackedTable {
    pub(crate) fn new(layout: Layout) -> Self {
        let items = Mutex::default();
        Self { layout, items }
    }
}

impl PackedTable {
    /// As DynamoDB does with what is past its `ttl`, which an item has but one of: its last claim's.
    pub(crate) fn delete_expired(&self, now_seconds: u64) {
        let mut items = self.items.lock().unwrap();
        items.retain(|_, claims| claims.values().any(|held| held.ttl_seconds > now_seconds));
    }
}

impl ClaimStore for PackedTable {
    async fn claim(&self, claims: &[Claim<'_>], terms: Terms) -> Answers {
        let mut places: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        let digests: Vec<_> = claims
            .iter()
            .map(|claim| xxh3_128(claim.identity.as_bytes()))
            .collect();
        for (index, (claim, digest)) in claims.iter().zip(&digests).enumerate() {
            places
                .entry(self.layout.place(claim, *digest))
                .or_default()
                .push(index);
        }
        let mut answers = Answers {
            claimed: vec![Claimed::Unanswered; claims.len()],
            ..Answers::default()
        };
        let mut items = self.items.lock().unwrap();
        while let Some((place, asked)) = places.pop_first() {
            let item = items.entry(place.clone()).or_default();
            let before = item.len();
            let mut changed = false;
            for index in asked {
                let (claim, digest) = (claims.get(index).unwrap(), digests.get(index).unwrap());
                let room = has_room(&place, item.len());
                match item.get_mut(digest) {
                    Some(held) if held.ttl_seconds > terms.now_seconds => {
                        *answers.claimed.get_mut(index).unwrap() = Claimed::Held(held.owner);
                    }
                    None if !room => places.entry(Place::Alone(*digest)).or_default().push(index),
                    expired => {
                        // An expired claim is taken by a second write, on the condition that it is as it was.
                        changed |= expired.is_some();
                        let ttl_seconds = terms.ttl_seconds;
                        item.insert(
                            *digest,
                            Held {
                                owner: claim.owner,
                                ttl_seconds,
                            },
                        );
                        *answers.claimed.get_mut(index).unwrap() = Claimed::Taken;
                    }
                }
            }
            let writes = 1.0 + f64::from(u8::from(changed));
            answers.write_units += writes * units(before.max(item.len()));
        }
        answers
    }
}

fn has_room(place: &Place, claims: usize) -> bool {
    matches!(place, Place::Alone(_)) || claims < CLAIMS_MAX
}

fn units(claims: usize) -> f64 {
    let bytes = ITEM_BYTES + claims * CLAIM_BYTES;
    f64::from(u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap())
}
