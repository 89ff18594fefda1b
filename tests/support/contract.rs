//! What every claim store does, whichever it is. Each run brings a name of its own, so that a table
//! may be shared, and time is an argument, so that nothing waits.

use std::time::Duration;

use nozzle::dedup::{
    Answers, Claim, ClaimStore, Claimed, Held as HeldClaim, NEVER, Owner, ReleaseStore, Released,
    Terms,
};
use tokio::time::Instant;

use Claimed::{Held, Taken};

/// Far ahead, so that no store deletes by its own clock what a case still asks for.
const NOW: u64 = 4_000_000_000;
const DAY: u64 = 86_400;
const SECOND: i128 = 1_000_000_000;

/// Runs every case against `store`; `run` is new each time.
pub(crate) async fn holds<S: ClaimStore>(store: &S, run: &str) {
    let asker = |case| Asker { store, run, case };
    an_absent_claim_is_taken_once(asker("absent")).await;
    a_held_claim_names_its_owner(asker("held")).await;
    a_held_claim_stays_as_it_was_made(asker("stays")).await;
    an_expired_claim_is_taken(asker("expired")).await;
    a_taken_claim_lives_as_long_as_the_new_one(asker("renewed")).await;
    every_identity_is_its_own(asker("identities")).await;
    time_leads_but_does_not_decide(asker("led")).await;
    every_owner_comes_back_as_it_was(asker("owners")).await;
    a_batch_is_answered_in_order(asker("order")).await;
    a_batch_has_any_size(asker("size")).await;
    takes_once(store, store, run).await;
}

/// A claim that never expires; only where `ttl` may be [`NEVER`].
pub(crate) async fn holds_for_ever<S: ClaimStore>(store: &S, run: &str) {
    let asker = Asker {
        store,
        run,
        case: "for ever",
    };
    let ids = asker.identities(["1"]);
    asker.check(&ids, A, NOW, NEVER, &[Taken]).await;
    asker.check(&ids, B, NOW, NEVER, &[Held(A)]).await;
    asker.check(&ids, B, NEVER - 1, NEVER, &[Held(A)]).await;
}

/// Of two callers at once, exactly one takes a claim, absent or expired, and the other is told so.
pub(crate) async fn takes_once<S: ClaimStore>(first: &S, second: &S, run: &str) {
    for size in [1, 7, 25, 60] {
        let case = format!("once {size}");
        let [first, second] = [first, second].map(|store| Asker {
            store,
            run,
            case: &case,
        });
        let ids = first.identities(0..size);
        let reversed: Vec<_> = ids.iter().rev().cloned().collect();
        for (now, [mine, other]) in [(NOW, [A, B]), (NOW + DAY, [C, D])] {
            let (ours, mut theirs) = tokio::join!(
                first.ask(&ids, mine, now, now + DAY),
                second.ask(&reversed, other, now, now + DAY),
            );
            theirs.reverse();
            for (ours, theirs) in ours.into_iter().zip(theirs) {
                let once =
                    (ours, theirs) == (Taken, Held(mine)) || (ours, theirs) == (Held(other), Taken);
                assert!(once, "{case}: {ours:?} and {theirs:?}");
            }
        }
    }
}

/// What a redrive needs of a store.
pub(crate) async fn gives_back<S: ClaimStore + ReleaseStore>(store: &S, run: &str) {
    let asker = |case| Asker { store, run, case };
    a_claim_is_looked_up_as_it_was_made(asker("looked up")).await;
    only_its_exact_owner_gives_a_claim_back(asker("given back")).await;
    a_claim_given_back_can_be_taken(asker("taken again")).await;
    any_number_is_given_back(asker("many")).await;
}

async fn a_claim_is_looked_up_as_it_was_made<S: ClaimStore + ReleaseStore>(asker: Asker<'_, S>) {
    let ids = asker.identities(["alive", "expired", "absent"]);
    asker.check(&ids[..1], A, NOW, NOW + DAY, &[Taken]).await;
    asker.check(&ids[1..2], B, NOW - DAY, NOW, &[Taken]).await;
    let held = |owner, ttl_seconds| Some(HeldClaim { owner, ttl_seconds });
    for _ in 0..2 {
        let found = asker.look_up(&ids).await;
        assert_eq!(found, [held(A, NOW + DAY), held(B, NOW), None]);
    }
}

async fn only_its_exact_owner_gives_a_claim_back<S: ClaimStore + ReleaseStore>(
    asker: Asker<'_, S>,
) {
    let ids = asker.identities(["1", "2", "3", "absent"]);
    let other_id = Owner {
        record_id_hash: 7,
        ..A
    };
    let claimed = &ids[..3];
    asker.check(claimed, A, NOW, NOW + DAY, &[Taken; 3]).await;
    for owner in [B, other_id] {
        let released = asker.release(claimed, owner).await;
        assert_eq!(released, [Released::Others; 3], "{owner}");
    }
    asker.check(claimed, B, NOW, NOW + DAY, &[Held(A); 3]).await;
    let all = [&ids[1..2], &ids[3..]].concat();
    assert_eq!(asker.release(&all, A).await, [Released::Free; 2]);
    let found = asker.look_up(&ids).await;
    let is_there: Vec<_> = found.iter().map(Option::is_some).collect();
    assert_eq!(is_there, [true, false, true, false]);
}

async fn a_claim_given_back_can_be_taken<S: ClaimStore + ReleaseStore>(asker: Asker<'_, S>) {
    let ids = asker.identities(["1"]);
    for owner in [A, B, A] {
        asker.check(&ids, owner, NOW, NOW + DAY, &[Taken]).await;
        assert_eq!(asker.release(&ids, owner).await, [Released::Free]);
    }
}

async fn any_number_is_given_back<S: ClaimStore + ReleaseStore>(asker: Asker<'_, S>) {
    for size in [0, 1, 25, 26, 260] {
        let ids = asker.identities((0..size).map(|n| format!("{n} of {size}")));
        let taken = vec![Taken; size];
        asker.check(&ids, A, NOW, NOW + DAY, &taken).await;
        assert_eq!(asker.look_up(&ids).await.iter().flatten().count(), size);
        assert_eq!(asker.release(&ids, A).await, vec![Released::Free; size]);
        assert_eq!(asker.look_up(&ids).await, vec![None; size]);
    }
}

async fn an_absent_claim_is_taken_once<S: ClaimStore>(asker: Asker<'_, S>) {
    let first = asker.identities(["1"]);
    let both = asker.identities(["1", "2"]);
    asker.check(&first, A, NOW, NOW + DAY, &[Taken]).await;
    let answers = [Held(A), Taken];
    asker.check(&both, B, NOW, NOW + DAY, &answers).await;
}

async fn a_held_claim_names_its_owner<S: ClaimStore>(asker: Asker<'_, S>) {
    let ids = asker.identities(["1"]);
    asker.check(&ids, A, NOW, NOW + DAY, &[Taken]).await;
    for owner in [A, B, A, C] {
        asker
            .check(&ids, owner, NOW + 1, NOW + DAY, &[Held(A)])
            .await;
    }
}

/// Who asks for it and in vain neither prolongs nor shortens it.
async fn a_held_claim_stays_as_it_was_made<S: ClaimStore>(asker: Asker<'_, S>) {
    let ids = asker.identities(["1"]);
    asker.check(&ids, A, NOW, NOW + 100, &[Taken]).await;
    asker.check(&ids, B, NOW + 1, NOW + DAY, &[Held(A)]).await;
    asker.check(&ids, A, NOW + 2, NOW + 3, &[Held(A)]).await;
    asker.check(&ids, B, NOW + 99, NOW + DAY, &[Held(A)]).await;
    asker.check(&ids, B, NOW + 100, NOW + DAY, &[Taken]).await;
}

async fn an_expired_claim_is_taken<S: ClaimStore>(asker: Asker<'_, S>) {
    for (id, ttl, answer) in [
        ("gone for long", NOW - DAY, Taken),
        ("gone a second ago", NOW - 1, Taken),
        ("gone now", NOW, Taken),
        ("alive for a second", NOW + 1, Held(A)),
        ("alive for long", NOW + DAY, Held(A)),
    ] {
        for asks in [A, B] {
            let ids = asker.identities([format!("{id} {asks}")]);
            asker.check(&ids, A, NOW - DAY - DAY, ttl, &[Taken]).await;
            asker.check(&ids, asks, NOW, NOW + DAY, &[answer]).await;
        }
    }
}

async fn a_taken_claim_lives_as_long_as_the_new_one<S: ClaimStore>(asker: Asker<'_, S>) {
    let ids = asker.identities(["1"]);
    asker.check(&ids, A, NOW, NOW + 10, &[Taken]).await;
    asker.check(&ids, B, NOW + 10, NOW + 20, &[Taken]).await;
    asker.check(&ids, A, NOW + 10, NOW + 20, &[Held(B)]).await;
    asker.check(&ids, C, NOW + 19, NOW + 30, &[Held(B)]).await;
    asker.check(&ids, C, NOW + 20, NOW + 30, &[Taken]).await;
    asker.check(&ids, A, NOW + 29, NOW + 40, &[Held(C)]).await;
}

async fn every_identity_is_its_own<S: ClaimStore>(asker: Asker<'_, S>) {
    let long = "é".repeat(260);
    let longer = format!("{long}e");
    let ids = asker.identities(ODD.iter().copied().chain([&*long, &*longer]));
    assert!(ids.iter().all(|id| id.text.len() <= 600), "too long");
    let taken = vec![Taken; ids.len()];
    let held = vec![Held(A); ids.len()];
    asker.check(&ids, A, NOW, NOW + DAY, &taken).await;
    asker.check(&ids, B, NOW, NOW + DAY, &held).await;
}

/// As identities hold their time, another time is another text.
async fn time_leads_but_does_not_decide<S: ClaimStore>(asker: Asker<'_, S>) {
    let mut ids = asker.identities(["without"]);
    for time in TIMES {
        let led = asker.identities([format!("a {time}"), format!("b {time}")]);
        ids.extend(led.into_iter().map(|id| Identity {
            led_by: Some(time),
            ..id
        }));
    }
    let taken = vec![Taken; ids.len()];
    let held = vec![Held(A); ids.len()];
    asker.check(&ids, A, NOW, NOW + DAY, &taken).await;
    asker.check(&ids, B, NOW, NOW + DAY, &held).await;
}

async fn every_owner_comes_back_as_it_was<S: ClaimStore>(asker: Asker<'_, S>) {
    let arrivals = [
        None,
        Some(0),
        Some(-1),
        Some(i64::MIN),
        Some(i64::MAX),
        A.arrival_milliseconds,
    ];
    let hashes = [(0, 0), (u64::MAX, u128::MAX), (1, 1 << 127), (1 << 63, 1)];
    for arrival_milliseconds in arrivals {
        for (record_id_hash, bytes_hash) in hashes {
            let owner = Owner {
                arrival_milliseconds,
                record_id_hash,
                bytes_hash,
            };
            let ids = asker.identities([owner.to_string()]);
            asker.check(&ids, owner, NOW, NOW + DAY, &[Taken]).await;
            asker.check(&ids, A, NOW, NOW + DAY, &[Held(owner)]).await;
        }
    }
}

async fn a_batch_is_answered_in_order<S: ClaimStore>(asker: Asker<'_, S>) {
    let ids = asker.identities(0..80);
    let of = |kind: usize| -> Vec<_> { ids.iter().skip(kind).step_by(5).cloned().collect() };
    for (kind, owner, ttl) in [
        (0, A, NOW + DAY),
        (1, B, NOW),
        (2, B, NOW + 1),
        (3, C, NOW - 1),
    ] {
        asker
            .check(&of(kind), owner, NOW - DAY, ttl, &[Taken; 16])
            .await;
    }
    let answers = [Held(A), Taken, Held(B), Taken, Taken].repeat(16);
    asker.check(&ids, A, NOW, NOW + DAY, &answers).await;
    let answers = [Held(A), Held(A), Held(B), Held(A), Held(A)].repeat(16);
    asker.check(&ids, D, NOW, NOW + DAY, &answers).await;
}

async fn a_batch_has_any_size<S: ClaimStore>(asker: Asker<'_, S>) {
    for size in [0, 1, 24, 25, 26, 50, 51, 1000] {
        let ids = asker.identities((0..size).map(|n| format!("{n} of {size}")));
        asker
            .check(&ids, A, NOW, NOW + DAY, &vec![Taken; size])
            .await;
        asker
            .check(&ids, B, NOW, NOW + DAY, &vec![Held(A); size])
            .await;
    }
}

/// Texts that a careless store takes for one another, or for something else than text.
#[rustfmt::skip]
const ODD: [&str; 36] = [
    "a", "A", "a ", " a", "aa", "á", "a\u{301}", "ａ", "'", "''", "\"", "\\\"", "\\", "\\\\", "?",
    "%s", "{}", "[]", "null", "0", "-0", "0.0", "1e1", "\t", "\u{7f}", "\u{feff}", "\u{200b}",
    "\u{202e}", "\u{fffd}", "\u{10ffff}", "🦀", "👩‍👩‍👧", "日本語", "ß", "ss", "'; DROP TABLE",
];

/// Nanoseconds: neighbours, the borders of the years 1970 to 9999, and what lies beyond them.
#[rustfmt::skip]
const TIMES: [i128; 15] = [
    0, 1, 999_999, 1_000_000, SECOND, SECOND + 1, 1_712_511_721 * SECOND,
    1_712_511_721 * SECOND + 22_075_000, i64::MAX as i128, u64::MAX as i128 + 1, END - 1, END,
    -1, i128::MIN, i128::MAX,
];
const END: i128 = 253_402_300_800 * SECOND - 1;

const A: Owner = owner(1_495_072_949_453, 1);
const B: Owner = owner(1_495_072_949_454, 2);
const C: Owner = owner(1_495_072_949_455, 3);
const D: Owner = owner(1_495_072_949_456, 4);

const fn owner(arrival_milliseconds: i64, hash: u64) -> Owner {
    Owner {
        arrival_milliseconds: Some(arrival_milliseconds),
        record_id_hash: hash,
        bytes_hash: (hash as u128) << 64 | 0xa22f_940d,
    }
}

#[derive(Clone)]
struct Identity {
    text: String,
    led_by: Option<i128>,
}

impl Identity {
    fn claimed_by(&self, owner: Owner) -> Claim<'_> {
        Claim {
            identity: &self.text,
            led_by: self.led_by,
            owner,
        }
    }
}

impl<S: ReleaseStore> Asker<'_, S> {
    async fn look_up(&self, ids: &[Identity]) -> Vec<Option<HeldClaim>> {
        let claims: Vec<_> = ids.iter().map(|id| id.claimed_by(D)).collect();
        self.store.look_up(&claims, soon()).await.unwrap()
    }

    async fn release(&self, ids: &[Identity], owner: Owner) -> Vec<Released> {
        let claims: Vec<_> = ids.iter().map(|id| id.claimed_by(owner)).collect();
        self.store.release(&claims, soon()).await.unwrap()
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// Asks a store for the identities of one case.
struct Asker<'a, S> {
    store: &'a S,
    run: &'a str,
    case: &'a str,
}

impl<S> Asker<'_, S> {
    fn identities<T: ToString>(&self, names: impl IntoIterator<Item = T>) -> Vec<Identity> {
        let identity = |name: T| Identity {
            text: format!("{}/{}/{}", self.run, self.case, name.to_string()),
            led_by: None,
        };
        names.into_iter().map(identity).collect()
    }
}

impl<S: ClaimStore> Asker<'_, S> {
    async fn ask(&self, ids: &[Identity], owner: Owner, now: u64, ttl: u64) -> Vec<Claimed> {
        let claims: Vec<_> = ids.iter().map(|id| id.claimed_by(owner)).collect();
        let terms = Terms {
            now_seconds: now,
            ttl_seconds: ttl,
            deadline: soon(),
        };
        let Answers {
            claimed, failure, ..
        } = self.store.claim(&claims, terms).await;
        assert!(failure.is_none(), "{}: {failure:?}", self.case);
        assert_eq!(claimed.len(), ids.len(), "{}", self.case);
        claimed
    }

    async fn check(&self, ids: &[Identity], owner: Owner, now: u64, ttl: u64, answers: &[Claimed]) {
        let claimed = self.ask(ids, owner, now, ttl).await;
        for ((id, claimed), expected) in ids.iter().zip(&claimed).zip(answers) {
            assert_eq!(claimed, expected, "{:?} at {now} by {owner}", id.text);
        }
        assert_eq!(claimed.len(), answers.len(), "{}", self.case);
    }
}
