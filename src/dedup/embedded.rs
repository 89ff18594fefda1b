//! Claims in a folder of this machine, for one process at a time. New claims are held in memory and
//! seen at once; a commit makes them durable, together with a note of what else is done by then.

mod release;
mod seen;

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use fjall::{
    Keyspace, OwnedWriteBatch,
    compaction::filter::{
        CompactionFilter, CompactionFilterResult, Context, Factory, ItemAccessor, Verdict,
    },
};
use siphasher::sip128::SipHasher24;
use tracing::warn;

use seen::Seen;

use super::{Answers, Claim, ClaimStore, Claimed, Held, NEVER, Owner, StoreError, Terms};
use crate::database::{self, Holding, Noted, OpenError, Opening, SealedFolder, Trouble, lock};

/// Claims are visible to every later `claim` at once, and durable with the next
/// [`commit`](EmbeddedStore::commit).
pub struct EmbeddedStore {
    hasher: SipHasher24,
    pending: Mutex<Pending>,
    ledger: Mutex<Ledger>,
    disk: Disk,
    /// Dropped last: it is free once all else is closed.
    folder: SealedFolder,
}

/// Claims that are not durable yet.
#[derive(Default)]
struct Pending {
    claims: Claims,
    /// What the next commit makes durable, where it is not to make all of them so.
    cut: Option<Arc<Claims>>,
    /// These and all that are durable.
    seen: Seen,
}

type Claims = HashMap<Key, Held, BuildHasherDefault<AsHashed>>;

/// A key ends in a hash that no event can aim at; it need not be hashed again.
#[derive(Default)]
struct AsHashed(u64);

impl Hasher for AsHashed {
    fn write(&mut self, key: &[u8]) {
        self.0 = hash_in(key);
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Pending {
    fn held(&self, key: &Key) -> Option<Held> {
        let older = || self.cut.as_ref().and_then(|cut| cut.get(key));
        self.claims.get(key).or_else(older).copied()
    }

    fn cut(&mut self) -> Arc<Claims> {
        // The next claims will be about as many.
        let next = Claims::with_capacity_and_hasher(self.claims.len(), BuildHasherDefault::new());
        let claims = std::mem::replace(&mut self.claims, next);
        let cut = match self.cut.take() {
            None => claims,
            Some(cut) => {
                let mut cut = Arc::unwrap_or_clone(cut);
                cut.extend(claims);
                cut
            }
        };
        let cut = Arc::new(cut);
        self.cut = Some(Arc::clone(&cut));
        cut
    }

    fn remove(&mut self, key: &Key) {
        self.claims.remove(key);
        if let Some(cut) = &mut self.cut {
            Arc::make_mut(cut).remove(key);
        }
    }

    fn undo_cut(&mut self) {
        if let Some(cut) = self.cut.take() {
            let later = std::mem::replace(&mut self.claims, Arc::unwrap_or_clone(cut));
            self.claims.extend(later);
        }
    }
}

/// What a commit goes on from. None is made while another has it.
struct Ledger {
    witness: Witness,
    /// When the first expires of the claims made since the last sweep.
    sweep_at_seconds: u64,
}

impl Ledger {
    fn witness_of(&self, claims: &[(&Key, &Held)], number: u64) -> Witness {
        match claims.last() {
            Some((key, _)) => [&key[..], &number.to_be_bytes()].concat(),
            None => self.witness.clone(),
        }
    }
}

impl ClaimStore for EmbeddedStore {
    async fn claim(&self, claims: &[Claim<'_>], terms: Terms) -> Answers {
        self.disk
            .now_seconds
            .store(terms.now_seconds, Ordering::Relaxed);
        let mut pending = lock(&self.pending);
        let mut failure = None;
        let mut answer = |claim| {
            self.claim_one(&mut pending, claim, terms)
                .unwrap_or_else(|trouble| {
                    failure.get_or_insert(self.folder.error(trouble).into());
                    Claimed::Unanswered
                })
        };
        let claimed = claims.iter().map(&mut answer).collect();
        Answers {
            claimed,
            failure,
            write_units: 0.0,
        }
    }
}

impl EmbeddedStore {
    /// Whether claims lie in a folder, or another of our databases.
    #[must_use]
    pub fn lies_in(folder: &Path) -> bool {
        database::lies_in(folder)
    }

    /// Opens the store in this folder, or creates it there.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let (disk, folder) = SealedFolder::open::<Disk>(folder)?;
        let ledger = folder.said(disk.ledger())?;
        let seen = if ledger.witness == WITNESS.as_bytes() {
            Seen::nothing()
        } else {
            Seen::default()
        };
        let hash_key = folder.said(disk.files.note(HASH_KEY))?;
        Ok(Self {
            hasher: SipHasher24::new_with_key(&hash_key),
            pending: Mutex::new(Pending {
                seen,
                ..Pending::default()
            }),
            ledger: Mutex::new(ledger),
            disk,
            folder,
        })
    }

    /// Makes every claim since the last commit durable, together with `note`, in one transaction:
    /// after a crash at any moment either all of them and the note are there, or none. After a
    /// [`cut`](Self::cut), every claim up to it.
    pub fn commit(&self, note: &[u8]) -> Result<(), StoreError> {
        Ok(self.folder.commit(|number| self.commit_as(number, note))?)
    }

    fn commit_as(&self, number: u64, note: &[u8]) -> Result<(), Trouble> {
        let mut ledger = lock(&self.ledger);
        let (claims, is_cut) = {
            let mut pending = lock(&self.pending);
            match &pending.cut {
                Some(cut) => (Arc::clone(cut), true),
                None => (pending.cut(), false),
            }
        };
        self.sweep_if_due(&mut ledger, &claims);
        let committed = self.disk.commit(&mut ledger, &claims, number, note);
        drop(claims);
        let mut pending = lock(&self.pending);
        match &committed {
            Ok(()) => pending.cut = None,
            Err(_) if is_cut => {}
            Err(_) => pending.undo_cut(),
        }
        committed
    }

    /// Leaves what is claimed from now on to the commit after the next one, so that claiming can go
    /// on while that is made.
    pub fn cut(&self) {
        lock(&self.pending).cut();
    }

    /// The note of the last commit.
    pub fn note(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.folder.said(self.disk.files.last_note())?)
    }

    /// Whether any event is remembered at this time.
    pub fn remembers_any(&self, now_seconds: u64) -> Result<bool, StoreError> {
        for entry in self.disk.claims.iter() {
            let entry = entry.into_inner().map_err(Trouble::from);
            let (_, value) = self.folder.said(entry)?;
            // The witness is a key without a claim.
            if Held::from_bytes(&value).is_some_and(|held| held.ttl_seconds > now_seconds) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many claims there are since the last commit or cut.
    pub fn pending(&self) -> usize {
        lock(&self.pending).claims.len()
    }

    /// Forgets the claims made since the last commit, as a crash would.
    pub fn roll_back(&self) {
        let _ledger = lock(&self.ledger);
        *lock(&self.pending) = Pending::default();
    }

    fn claim_one(
        &self,
        pending: &mut Pending,
        claim: &Claim<'_>,
        terms: Terms,
    ) -> Result<Claimed, Trouble> {
        let key = key(&self.hasher, claim);
        if pending.seen.add(hash_in(&key))
            && let Some(held) = self.held(pending, &key)?
            && held.ttl_seconds > terms.now_seconds
        {
            return Ok(Claimed::Held(held.owner));
        }
        let made = Held {
            owner: claim.owner,
            ttl_seconds: terms.ttl_seconds,
        };
        pending.claims.insert(key, made);
        Ok(Claimed::Taken)
    }

    fn held(&self, pending: &Pending, key: &Key) -> Result<Option<Held>, Trouble> {
        match pending.held(key) {
            None => self.disk.held(key),
            held => Ok(held),
        }
    }

    /// Compaction alone would leave expired claims where no new ones come near them, as none do
    /// where time leads. Once a lifetime is often enough: none is then kept for more than two.
    fn sweep_if_due(&self, ledger: &mut Ledger, claims: &Claims) {
        let now_seconds = self.disk.now_seconds.load(Ordering::Relaxed);
        if ledger.sweep_at_seconds <= now_seconds {
            ledger.sweep_at_seconds = NEVER;
            if let Err(error) = self.disk.claims.major_compact() {
                warn!(folder = %self.folder.path.display(), %error, "expired claims stay for now");
                ledger.sweep_at_seconds = now_seconds + SWEEP_AGAIN_SECONDS;
            }
        }
        let first = claims.values().map(|held| held.ttl_seconds).min();
        ledger.sweep_at_seconds = ledger.sweep_at_seconds.min(first.unwrap_or(NEVER));
    }
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        Self::Refused(format!("{} {}", error.folder.display(), error.trouble))
    }
}

/// Sixteen bytes for an identity: a hash, led by the seconds of its time where it has one.
type Key = [u8; 16];

/// The years to 9999 need 38 bits. The 88 bits that are left to the hash make two of a billion
/// identities of one second meet once in 600 million stores.
const HASH_BITS_AFTER_TIME: u32 = 88;
const LEADING_SECONDS_MAX: i128 = (1 << (u128::BITS - HASH_BITS_AFTER_TIME)) - 1;

/// The hash has a key of the store's own, so that no event can be made to meet another's claim.
fn key(hasher: &SipHasher24, claim: &Claim<'_>) -> Key {
    let hash = u128::from(hasher.hash(claim.identity.as_bytes()));
    let Some(nanoseconds) = claim.led_by else {
        return hash.to_be_bytes();
    };
    let seconds = nanoseconds
        .div_euclid(1_000_000_000)
        .clamp(0, LEADING_SECONDS_MAX)
        .unsigned_abs();
    let hash = hash >> (u128::BITS - HASH_BITS_AFTER_TIME);
    ((seconds << HASH_BITS_AFTER_TIME) + hash).to_be_bytes()
}

/// What of its hash fits into a word.
fn hash_in(key: &[u8]) -> u64 {
    key.last_chunk().copied().map_or(0, u64::from_ne_bytes)
}

/// As it is stored: when it expires, and its owner, the arrival last where there is one.
impl Held {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(40);
        bytes.extend(self.ttl_seconds.to_be_bytes());
        bytes.extend(self.owner.record_id_hash.to_be_bytes());
        bytes.extend(self.owner.bytes_hash.to_be_bytes());
        if let Some(milliseconds) = self.owner.arrival_milliseconds {
            bytes.extend(milliseconds.to_be_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (ttl_seconds, bytes) = bytes.split_first_chunk()?;
        let (record_id_hash, bytes) = bytes.split_first_chunk()?;
        let (bytes_hash, arrival) = bytes.split_first_chunk()?;
        let arrival_milliseconds = match arrival {
            [] => None,
            arrival => Some(i64::from_be_bytes(arrival.try_into().ok()?)),
        };
        Some(Self {
            ttl_seconds: u64::from_be_bytes(*ttl_seconds),
            owner: Owner {
                arrival_milliseconds,
                record_id_hash: u64::from_be_bytes(*record_id_hash),
                bytes_hash: u128::from_be_bytes(*bytes_hash),
            },
        })
    }
}

const HASH_KEY: &str = "hash key";
const SWEEP_AT: &str = "sweep at";
const WITNESS: &str = "witness";

/// A key among the claims that the notes name: the last claim's, and the number of its commit.
/// Where it is not found, claims are lost that are older than what the notes say.
type Witness = Vec<u8>;

const CLAIMS: &str = "claims";

/// What is durable.
struct Disk {
    files: Noted,
    claims: Keyspace,
    /// The time of the last call: what has expired by then, compaction drops.
    now_seconds: Arc<AtomicU64>,
}

impl Holding for Disk {
    const NAME: &'static str = "claim store";
    const FORMAT: u64 = 1;

    fn open_files(path: &Path) -> Result<Self, Trouble> {
        let now_seconds = Arc::new(AtomicU64::new(0));
        let expired = Arc::new(Expired(Arc::clone(&now_seconds)));
        let opening = Opening::at(path, |builder| {
            builder.with_compaction_filter_factories(Arc::new(move |keyspace| {
                (keyspace == CLAIMS).then(|| Arc::clone(&expired) as Arc<dyn Factory>)
            }))
        })?;
        Ok(Self {
            claims: opening.keyspace(CLAIMS, CLAIMS_MEMORY_BYTES)?,
            files: opening.notes()?,
            now_seconds,
        })
    }

    fn files(&self) -> &Noted {
        &self.files
    }

    fn begin(&self, batch: &mut OwnedWriteBatch) {
        let notes = &self.files.notes;
        batch.insert(notes, SWEEP_AT, NEVER.to_be_bytes());
        let random = [RandomState::new(), RandomState::new()];
        let hash_key = random.map(|state| state.hash_one(HASH_KEY).to_be_bytes());
        batch.insert(notes, HASH_KEY, hash_key.as_flattened());
        batch.insert(notes, WITNESS, WITNESS);
        batch.insert(&self.claims, WITNESS, "");
    }

    fn check(&self) -> Result<(), Trouble> {
        if self.claims.contains_key(self.ledger()?.witness)? {
            Ok(())
        } else {
            Err(Trouble::Damaged("claims are lost".into()))
        }
    }
}

impl Disk {
    fn held(&self, key: &Key) -> Result<Option<Held>, Trouble> {
        match self.claims.get(key)? {
            None => Ok(None),
            Some(bytes) => match Held::from_bytes(&bytes) {
                None => Err(Trouble::Damaged("a claim makes no sense".into())),
                held => Ok(held),
            },
        }
    }

    /// What the next commit goes on from; nothing is pending yet.
    fn ledger(&self) -> Result<Ledger, Trouble> {
        let witness = self.files.notes.get(WITNESS)?.unwrap_or_default();
        Ok(Ledger {
            witness: witness.to_vec(),
            sweep_at_seconds: self.files.number(SWEEP_AT)?,
        })
    }

    fn commit(
        &self,
        ledger: &mut Ledger,
        claims: &Claims,
        number: u64,
        note: &[u8],
    ) -> Result<(), Trouble> {
        self.files.wait_for_room(&[&self.claims])?;
        let mut claims: Vec<_> = claims.iter().collect();
        claims.sort_unstable_by_key(|(key, _)| *key);
        let witness = ledger.witness_of(&claims, number);
        let (notes, mut batch) = (&self.files.notes, self.files.batch());
        for (key, held) in claims {
            batch.insert(&self.claims, &key[..], held.to_bytes());
        }
        if witness != ledger.witness {
            batch.remove(&self.claims, &*ledger.witness);
            batch.insert(&self.claims, &*witness, "");
            batch.insert(notes, WITNESS, &*witness);
        }
        batch.insert(notes, SWEEP_AT, ledger.sweep_at_seconds.to_be_bytes());
        self.files.commit(batch, number, note)?;
        ledger.witness = witness;
        Ok(())
    }

    /// Removes claims, durably, all or none.
    fn remove(&self, keys: &[Key]) -> Result<(), Trouble> {
        self.files.wait_for_room(&[&self.claims])?;
        let mut batch = self.files.batch();
        for key in keys {
            batch.remove(&self.claims, &key[..]);
        }
        Ok(batch.commit()?)
    }
}

const SWEEP_AGAIN_SECONDS: u64 = 3600;

// Memory stays below 200 MB and some 250 bytes a pending claim, however many are durable.
const CLAIMS_MEMORY_BYTES: u64 = 16 << 20;

/// Drops expired claims from files that are rewritten. An older claim may come to light below one,
/// but has expired too: only then could it have been replaced.
struct Expired(Arc<AtomicU64>);

impl Factory for Expired {
    fn name(&self) -> &'static str {
        "expired"
    }

    fn make_filter(&self, _: &Context) -> Box<dyn CompactionFilter> {
        Box::new(Self(Arc::clone(&self.0)))
    }
}

impl CompactionFilter for Expired {
    fn filter_item(&mut self, item: ItemAccessor<'_>, _: &Context) -> CompactionFilterResult {
        if item.key().len() != size_of::<Key>() {
            return Ok(Verdict::Keep);
        }
        let now_seconds = self.0.load(Ordering::Relaxed);
        match Held::from_bytes(&item.value()?) {
            Some(held) if held.ttl_seconds <= now_seconds => Ok(Verdict::Destroy),
            _ => Ok(Verdict::Keep),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;
    use tokio::time::Instant;

    use super::*;
    use crate::database::{FORMAT, seal};

    fn owner() -> Owner {
        Owner::of("a", Some(1_495_072_949_453), b"{}")
    }

    async fn claim(
        store: &EmbeddedStore,
        identity: &str,
        [now_seconds, ttl_seconds]: [u64; 2],
    ) -> Answers {
        let terms = Terms {
            now_seconds,
            ttl_seconds,
            deadline: Instant::now(),
        };
        let claim = Claim {
            identity,
            led_by: None,
            owner: owner(),
        };
        store.claim(&[claim], terms).await
    }

    fn claims_on_disk(store: &EmbeddedStore) -> usize {
        let keys = store.disk.claims.iter().map(|entry| entry.key().unwrap());
        keys.filter(|key| key.len() == size_of::<Key>()).count()
    }

    #[test]
    fn a_key_is_written_the_same_for_ever() {
        #[track_caller]
        fn check(led_by: Option<i128>, expected: &str) {
            let claim = Claim {
                identity: r#"["9f","account:created",1644838800000000000]"#,
                led_by,
                owner: owner(),
            };
            let key = key(&SipHasher24::new_with_key(b"0123456789abcdef"), &claim);
            assert_eq!(format!("{:032x}", u128::from_be_bytes(key)), expected);
        }
        check(None, "2b050b1204ee29ce3ee52ba72ba762fa");
        check(Some(0), "00000000002b050b1204ee29ce3ee52b");
        check(Some(-1), "00000000002b050b1204ee29ce3ee52b");
        check(
            Some(1_644_838_800_000_000_000),
            "00620a3f902b050b1204ee29ce3ee52b",
        );
        check(
            Some(1_644_838_800_999_999_999),
            "00620a3f902b050b1204ee29ce3ee52b",
        );
        check(
            Some(253_402_300_799_999_999_999),
            "3afff4417f2b050b1204ee29ce3ee52b",
        );
        check(Some(i128::MAX), "ffffffffff2b050b1204ee29ce3ee52b");
        check(Some(i128::MIN), "00000000002b050b1204ee29ce3ee52b");
    }

    #[test]
    fn in_memory_a_key_is_its_own_hash() {
        let hash = |key: Key| BuildHasherDefault::<AsHashed>::new().hash_one(key);
        let end = 0x0304_0506_0708_090a_u64.to_ne_bytes();
        let key: Key = [[1; 8], end].concat().try_into().unwrap();
        assert_eq!(hash(key), 0x0304_0506_0708_090a);
    }

    #[test]
    fn a_claim_is_stored_the_same_for_ever() {
        #[track_caller]
        fn check(arrival_milliseconds: Option<i64>, expected: &[u8]) {
            let held = Held {
                ttl_seconds: 0x0102,
                owner: Owner {
                    arrival_milliseconds,
                    record_id_hash: 0x0304,
                    bytes_hash: 0x0506,
                },
            };
            assert_eq!(held.to_bytes(), expected);
            assert_eq!(Held::from_bytes(expected), Some(held));
            assert_eq!(Held::from_bytes(&expected[1..]), None);
        }
        let timeless: Vec<u8> = [[0, 0, 0, 0, 0, 0, 1, 2], [0, 0, 0, 0, 0, 0, 3, 4]]
            .into_iter()
            .chain([[0; 8], [0, 0, 0, 0, 0, 0, 5, 6]])
            .flatten()
            .collect();
        check(None, &timeless);
        check(Some(-1), &[timeless, vec![0xff; 8]].concat());
    }

    #[tokio::test]
    async fn expired_claims_leave_the_disk_once_a_lifetime() {
        let folder = tempdir().unwrap();
        let store = EmbeddedStore::open(folder.path()).unwrap();
        for n in 0..100 {
            claim(&store, &format!("expires {n}"), [0, 100]).await;
            claim(&store, &format!("lives {n}"), [0, 1000]).await;
        }
        store.commit(b"").unwrap();
        store.disk.claims.rotate_memtable_and_wait().unwrap();
        drop(store);

        let store = EmbeddedStore::open(folder.path()).unwrap();
        let steps = [
            (99, 1099, 201),
            (100, 1100, 102),
            (1098, 2000, 103),
            (1100, 2000, 4),
        ];
        for (now, ttl, left) in steps {
            claim(&store, &format!("made at {now}"), [now, ttl]).await;
            store.commit(b"").unwrap();
            assert_eq!(claims_on_disk(&store), left, "at {now}");
        }
    }

    /// A store that holds 500 claims until then, of which some are damaged.
    async fn damaged(folder: &Path, ttl_seconds: u64) -> EmbeddedStore {
        let store = EmbeddedStore::open(folder).unwrap();
        for n in 0..500 {
            claim(&store, &n.to_string(), [0, ttl_seconds]).await;
        }
        store.commit(b"").unwrap();
        store.disk.claims.rotate_memtable_and_wait().unwrap();
        let tables = store.disk.claims.path().join("tables");
        drop(store);

        let table = fs::read_dir(tables).unwrap().next().unwrap().unwrap();
        let mut bytes = fs::read(table.path()).unwrap();
        bytes[60] ^= 1;
        fs::write(table.path(), bytes).unwrap();
        EmbeddedStore::open(folder).unwrap()
    }

    #[tokio::test]
    async fn expired_claims_that_cannot_be_swept_are_tried_again_in_an_hour() {
        let folder = tempdir().unwrap();
        let store = damaged(folder.path(), 100).await;
        for (now, sweep_at) in [(99, 100), (100, 3_700), (3_699, 3_700), (3_700, 7_300)] {
            claim(&store, &format!("made at {now}"), [now, NEVER]).await;
            store.commit(b"").unwrap();
            assert_eq!(lock(&store.ledger).sweep_at_seconds, sweep_at, "at {now}");
        }
    }

    #[tokio::test]
    async fn a_damaged_claim_is_not_answered_and_the_others_are() {
        let folder = tempdir().unwrap();
        let store = damaged(folder.path(), NEVER).await;
        let mut held = 0;
        for n in 0..500 {
            let Answers {
                claimed, failure, ..
            } = claim(&store, &n.to_string(), [0, NEVER]).await;
            match failure {
                None => held += usize::from(claimed == [Claimed::Held(owner())]),
                Some(failure) => {
                    assert_eq!(claimed, [Claimed::Unanswered]);
                    let damaged = format!("{} is damaged", folder.path().display());
                    assert!(failure.to_string().contains(&damaged), "{failure}");
                }
            }
        }
        assert!((300..500).contains(&held), "{held} are in other blocks");
    }

    #[test]
    fn a_manifest_that_is_not_what_was_written_is_named() {
        let folder = tempdir().unwrap();
        let store = EmbeddedStore::open(folder.path()).unwrap();
        let keyspace = store.disk.claims.path().to_owned();
        drop(store);
        let current = fs::read(keyspace.join("current")).unwrap();
        let number = u64::from_le_bytes(current[..8].try_into().unwrap());
        let manifest = keyspace.join(format!("v{number}"));
        let mut bytes = fs::read(&manifest).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&manifest, bytes).unwrap();
        let error = EmbeddedStore::open(folder.path()).err().unwrap();
        let said = format!("the manifest of {}", keyspace.display());
        assert!(error.to_string().contains(&said), "{error}");
    }

    #[test]
    fn a_database_that_has_fewer_commits_than_were_sealed_is_damaged() {
        #[track_caller]
        fn check(folder: &Path, sealed: &str, expected: Option<&str>) {
            fs::write(folder.join("commits"), sealed).unwrap();
            let trouble = EmbeddedStore::open(folder).err().map(|error| error.trouble);
            let damage = trouble.map(|trouble| match trouble {
                Trouble::Damaged(what) => what,
                other => other.to_string(),
            });
            assert_eq!(damage.as_deref(), expected, "{sealed}");
        }
        let folder = tempdir().unwrap();
        let store = EmbeddedStore::open(folder.path()).unwrap();
        for _ in 0..3 {
            store.commit(b"").unwrap();
        }
        drop(store);
        assert_eq!(
            fs::read(folder.path().join("commits")).unwrap(),
            seal(3).as_bytes()
        );
        check(folder.path(), &seal(3), None);
        check(folder.path(), &seal(2), None);
        let lost = "of 5 commits, the last 2 are lost";
        check(folder.path(), &seal(5), Some(lost));
        for text in ["3\n", "", "three\n", seal(3).trim_end()] {
            check(
                folder.path(),
                text,
                Some("the file \"commits\" holds no number"),
            );
        }
    }

    #[tokio::test]
    async fn the_last_claim_of_a_commit_bears_witness_when_it_is_opened_again() {
        let folder = tempdir().unwrap();
        let witness = |store: &EmbeddedStore| lock(&store.ledger).witness.clone();
        let store = EmbeddedStore::open(folder.path()).unwrap();
        let first = witness(&store);
        claim(&store, "1", [0, NEVER]).await;
        store.commit(b"").unwrap();
        let last = witness(&store);
        assert_ne!(last, first);
        store.commit(b"nothing was claimed").unwrap();
        assert_eq!(witness(&store), last);
        drop(store);
        assert_eq!(witness(&EmbeddedStore::open(folder.path()).unwrap()), last);
    }

    #[test]
    fn what_cannot_be_written_in_the_background_fails_the_commit_and_does_not_hold_it() {
        let folder = tempdir().unwrap();
        let store = EmbeddedStore::open(folder.path()).unwrap();
        fs::remove_dir_all(store.disk.files.notes.path().join("tables")).unwrap();
        let note = vec![0; 1 << 20];
        let failure = (0..20).find_map(|_| store.commit(&note).err());
        let failure = failure.unwrap().to_string();
        assert!(failure.contains("in the background"), "{failure}");
    }

    #[tokio::test]
    async fn a_store_remembers_what_was_claimed_until_it_expires() {
        let folder = tempdir().unwrap();
        let store = EmbeddedStore::open(folder.path()).unwrap();
        assert!(!store.remembers_any(0).unwrap());
        claim(&store, "a", [0, 100]).await;
        store.commit(b"").unwrap();
        assert!(store.remembers_any(99).unwrap());
        assert!(!store.remembers_any(100).unwrap());
    }

    /// As a process does that another thread is just starting.
    #[test]
    fn the_folder_is_free_once_the_store_is_dropped_whoever_else_holds_its_files() {
        let folder = tempdir().unwrap();
        let store = EmbeddedStore::open(folder.path()).unwrap();
        let held_elsewhere = store.folder.seal.file.try_clone().unwrap();
        drop(store);
        assert!(EmbeddedStore::open(folder.path()).is_ok());
        drop(held_elsewhere);
    }

    #[test]
    fn what_a_later_version_wrote_is_refused() {
        let folder = tempdir().unwrap();
        let store = EmbeddedStore::open(folder.path()).unwrap();
        let later = (Disk::FORMAT + 1).to_be_bytes();
        store.disk.files.notes.insert(FORMAT, later).unwrap();
        drop(store);
        let error = EmbeddedStore::open(folder.path()).err().unwrap();
        assert!(matches!(error.trouble, Trouble::Later(_)), "{error}");
    }

    #[test]
    fn what_a_crash_left_half_made_is_made_anew() {
        let folder = tempdir().unwrap();
        fs::create_dir(folder.path().join("new")).unwrap();
        fs::write(folder.path().join("new/0.jnl"), "half").unwrap();
        EmbeddedStore::open(folder.path()).unwrap();
    }
}
