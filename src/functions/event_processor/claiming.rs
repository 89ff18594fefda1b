//! Which events of a segment are copies of others: of its own, or of any that was claimed before.

use std::collections::HashMap;

use super::batch::{Judged, Segment};
use crate::{
    dedup::{Claim, Claimed, Owner},
    kinesis::Arrival,
};

/// The valid events of a segment, by what makes two the same.
pub(super) struct Copies<'b, 'a> {
    groups: Vec<Group<'b, 'a>>,
}

struct Group<'b, 'a> {
    /// A claim's `id`.
    identity: String,
    /// In order; the first stands for all.
    copies: Vec<&'b Judged<'a>>,
}

impl<'b, 'a> Copies<'b, 'a> {
    pub(super) fn find(segment: Segment<'b, 'a>) -> Self {
        let mut groups: Vec<Group<'b, 'a>> = Vec::with_capacity(segment.events.len());
        let mut known = HashMap::with_capacity(segment.events.len());
        for judged in segment.events {
            let Ok(event) = &judged.event else { continue };
            let group = *known.entry(&event.id).or_insert(groups.len());
            match groups.get_mut(group) {
                Some(group) => group.copies.push(judged),
                None => groups.push(Group {
                    identity: serde_json::json!([event.id]).to_string(),
                    copies: vec![judged],
                }),
            }
        }
        Self { groups }
    }

    /// One an identity, in the name of its first.
    pub(super) fn claims(&self) -> Vec<Claim<'_>> {
        let claims = self.groups.iter().filter_map(|group| {
            Some(Claim {
                identity: &group.identity,
                led_by: None,
                owner: owner(group.copies.first()?),
            })
        });
        claims.collect()
    }

    /// The events that are no copies, in order, once the store has answered.
    pub(super) fn accepted(&self, claimed: &[Claimed]) -> Vec<&'b Judged<'a>> {
        let accepted = self.groups.iter().zip(claimed);
        let mut accepted: Vec<_> = accepted
            .filter_map(|(group, claimed)| group.accepted(claimed))
            .collect();
        accepted.sort_by_key(|judged| judged.arrived.id);
        accepted
    }
}

impl<'b, 'a> Group<'b, 'a> {
    /// Only the very record that made the claim owns it: a retry always has the same.
    fn accepted(&self, claimed: &Claimed) -> Option<&'b Judged<'a>> {
        let mut copies = self.copies.iter().copied();
        match claimed {
            Claimed::Taken | Claimed::Unanswered => copies.next(),
            Claimed::Held(holder) => copies.find(|copy| holder.same_record_id(&owner(copy))),
        }
    }
}

fn owner(judged: &Judged<'_>) -> Owner {
    let milliseconds = judged.arrived.arrival.map(Arrival::milliseconds);
    let id = judged.arrived.id.to_string();
    Owner::of(&id, milliseconds, judged.arrived.bytes)
}

#[cfg(test)]
mod tests {
    use base64_simd::STANDARD;

    use super::{
        super::{
            archive::plan::Limits,
            batch::{Bounds, Left},
        },
        *,
    };
    use crate::kinesis::contents::Contents;

    /// Which of the records, each an event with this id, are accepted where the claims of the
    /// identities were answered so: taken, or held by the record that is named.
    #[track_caller]
    fn check(ids: &[&str], held: &[Option<usize>], expected: &[usize]) {
        let record = |(number, id): (usize, &&str)| {
            let event =
                format!(r#"{{"event_id":"{id}","event_type":"t","user_id":"u","n":{number}}}"#);
            let data = STANDARD.encode_to_string(event);
            format!(
                r#"{{"eventID":"shardId-000000000000:{number}","kinesis":{{"sequenceNumber":"{number}","approximateArrivalTimestamp":1,"data":"{data}"}}}}"#
            )
        };
        let records: Vec<_> = ids.iter().enumerate().map(record).collect();
        let body = format!(r#"{{"Records":[{}]}}"#, records.join(","));
        let contents = Contents::read(body.as_bytes()).unwrap();
        let left = Left::read(&contents, |_| false);
        let bounds = |_| Bounds {
            attempts: 0,
            objects_max: 99,
            limits: Limits {
                bytes: 99_999,
                events: 99,
            },
        };
        let copies = Copies::find(left.segment(0, bounds).unwrap());
        let claims = copies.claims();
        assert_eq!(claims.len(), held.len());
        let claimed = claims.iter().zip(held).map(|(claim, held)| match held {
            None => Claimed::Taken,
            Some(number) => Claimed::Held(Owner {
                record_id_hash: Owner::of(&format!("shardId-000000000000:{number}"), None, b"")
                    .record_id_hash,
                ..claim.owner
            }),
        });
        let accepted = copies.accepted(&claimed.collect::<Vec<_>>());
        let places = accepted
            .iter()
            .map(|judged| judged.arrived.id.sequence.to_string());
        let places: Vec<usize> = places.map(|place| place.parse().unwrap()).collect();
        assert_eq!(places, expected);
    }

    #[test]
    fn the_first_copy_stands_for_all_unless_another_record_holds_the_claim() {
        check(&["a", "b", "a"], &[None, None], &[0, 1]);
        // A retry finds its own claims.
        check(&["a", "b", "a"], &[Some(0), Some(1)], &[0, 1]);
        check(&["a", "b", "a"], &[Some(77), None], &[1]);
        // Of copies, the one that made the claim is accepted at every attempt.
        check(&["a", "b", "a"], &[Some(2), None], &[1, 2]);
        check(&["a", "a", "a"], &[Some(77)], &[]);
    }

    #[test]
    fn an_identity_is_the_json_of_the_id() {
        let body = format!(
            r#"{{"Records":[{{"eventID":"shardId-000000000000:1","kinesis":{{"sequenceNumber":"1","approximateArrivalTimestamp":1,"data":"{}"}}}}]}}"#,
            STANDARD
                .encode_to_string(r#"{"event_id":"a\"é\u00e9","event_type":"t","user_id":"u"}"#)
        );
        let contents = Contents::read(body.as_bytes()).unwrap();
        let left = Left::read(&contents, |_| false);
        let bounds = |_| Bounds {
            attempts: 0,
            objects_max: 9,
            limits: Limits {
                bytes: 999,
                events: 9,
            },
        };
        let copies = Copies::find(left.segment(0, bounds).unwrap());
        assert_eq!(copies.claims()[0].identity, r#"["a\"éé"]"#);
    }
}
