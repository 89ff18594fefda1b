//! Everything that an event processor keeps elsewhere, in memory: it fails, is late and loses
//! answers as its seed says, and can be made to leave out one safeguard.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fastrand::Rng;
use nozzle::{
    aws::{Asked, Cause, Failure},
    dedup::{Answers, Claim, ClaimStore, Claimed, Owner, StoreError, Terms},
    functions::event_processor::{
        archive::{Head, Object, Objects, Put, PutOn},
        enrichment::{
            Assignment, AssignmentFields, Experiment, Lookup, Pair, Sources, listed::Listed,
        },
        services::Services,
        table::{Action, Change, Condition, Executed, Is, Item, Key, Outcome, Statement, Table},
    },
    kinesis::depot::{Depot, Object as Letter},
    local::kinesis::strikes,
};
use tokio::time::{Instant, sleep};

/// What a world may be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Safeguard {
    /// A counter adds whatever its mark says.
    CounterMark,
    /// A sketch is written whatever version is there.
    UsersVersion,
    /// A ledger is written whatever version is there.
    LedgerVersion,
    /// What an earlier attempt has planned is forgotten.
    PlanMemory,
    /// An object of a newer plan is replaced.
    PlanFence,
    /// An object is put whatever is there.
    PutCondition,
    /// A claim of the very same record is another's.
    ClaimOwner,
}

pub(crate) struct World {
    items: Mutex<BTreeMap<Key, Item>>,
    objects: Mutex<BTreeMap<String, Object>>,
    letters: Mutex<BTreeMap<String, Vec<u8>>>,
    claimed: Mutex<BTreeMap<String, Owner>>,
    known: Listed,
    random: Mutex<Rng>,
    /// Of a hundred requests, how many fail.
    troubles: u8,
    without: Option<Safeguard>,
    claims: bool,
    refuses: Mutex<Option<Trouble>>,
    /// How many puts fail before one does not.
    puts_to_fail: Mutex<u32>,
    looked_up: Mutex<u32>,
    /// What was asked, one behind the other.
    steps: Mutex<Vec<&'static str>>,
}

/// What does not work until it is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Lookups,
    Archive,
    Letters,
    /// No ledger ends a segment.
    Ends,
    /// The table is not to be used.
    Denied,
}

/// What becomes of a request, or of one statement of it.
enum Fate {
    Answered,
    /// Nothing is done.
    Throttled,
    /// It is done, and nobody is told.
    Lost,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut known = Listed::default();
        let assignments = r#"{"user_id":"user-1","experiment_id":"checkout","assignment_id":"a-1","variant":"B","timestamp":"2024-12-19T22:00:00Z"}
            {"user_id":"user-2","experiment_id":"checkout","assignment_id":"a-2","variant":"A","timestamp":1734645600}"#;
        let experiments = r#"{"key":"checkout","name":"Checkout \"2\"","status":"running"}"#;
        let names = AssignmentFields::default();
        known
            .add_assignments(Cursor::new(assignments), &names)
            .unwrap();
        known
            .add_experiments(Cursor::new(experiments), "key")
            .unwrap();
        Self {
            items: Mutex::default(),
            objects: Mutex::default(),
            letters: Mutex::default(),
            claimed: Mutex::default(),
            known,
            random: Mutex::new(Rng::with_seed(seed)),
            troubles: 0,
            without: None,
            claims: false,
            refuses: Mutex::default(),
            puts_to_fail: Mutex::default(),
            looked_up: Mutex::default(),
            steps: Mutex::default(),
        }
    }

    pub(crate) fn refusing(self, trouble: Trouble) -> Self {
        *lock(&self.refuses) = Some(trouble);
        self
    }

    pub(crate) fn mend(&self) {
        *lock(&self.refuses) = None;
    }

    pub(crate) fn failing_first(self, puts: u32) -> Self {
        *lock(&self.puts_to_fail) = puts;
        self
    }

    /// How often what is known was asked for.
    pub(crate) fn looked_up_times(&self) -> u32 {
        *lock(&self.looked_up)
    }

    /// What was asked, without what is asked again.
    pub(crate) fn steps(&self) -> Vec<&'static str> {
        lock(&self.steps).clone()
    }

    fn step(&self, name: &'static str) {
        let mut steps = lock(&self.steps);
        if steps.last() != Some(&name) {
            steps.push(name);
        }
    }

    fn refuses(&self, trouble: Trouble) -> Option<Failure> {
        let refuses = *lock(&self.refuses) == Some(trouble);
        refuses.then(|| match trouble {
            Trouble::Denied => Failure::Lasting(Cause::NoPermission, "denied".to_owned()),
            _ => Failure::Passing("away".to_owned()),
        })
    }

    /// A put that is told to fail.
    fn put_fails(&self) -> Option<Failure> {
        let mut left = lock(&self.puts_to_fail);
        let fails = *left > 0;
        *left -= u32::from(fails);
        let away = || Failure::Passing("away for now".to_owned());
        self.refuses(Trouble::Archive).or(fails.then(away))
    }

    pub(crate) fn troubled(self, troubles: u8) -> Self {
        Self { troubles, ..self }
    }

    pub(crate) fn without(self, without: Option<Safeguard>) -> Self {
        Self { without, ..self }
    }

    pub(crate) fn claiming(self, claims: bool) -> Self {
        Self { claims, ..self }
    }

    pub(crate) fn items(&self) -> BTreeMap<Key, Item> {
        lock(&self.items).clone()
    }

    pub(crate) fn objects(&self) -> BTreeMap<String, Object> {
        lock(&self.objects).clone()
    }

    /// By their names.
    pub(crate) fn letters(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.letters).clone()
    }

    fn fate(&self) -> Fate {
        let drawn = lock(&self.random).u8(..100);
        match drawn {
            drawn if drawn >= self.troubles => Fate::Answered,
            drawn if drawn % 2 == 0 => Fate::Throttled,
            _ => Fate::Lost,
        }
    }

    fn is_without(&self, safeguard: Safeguard) -> bool {
        self.without == Some(safeguard)
    }

    /// A request that is struck, and whose answer may not come within this patience.
    async fn asked<T>(&self, patience: Duration, act: impl FnOnce() -> T) -> Result<T, Failure> {
        let asked = async {
            match self.fate() {
                Fate::Answered => Ok(act()),
                Fate::Throttled => Err(Failure::Passing("throttled".to_owned())),
                Fate::Lost => {
                    act();
                    sleep(patience).await;
                    Err(Failure::Passing("late".to_owned()))
                }
            }
        };
        strikes::request(asked).await
    }

    fn execute_one(&self, Statement { key, action }: &Statement) -> Outcome {
        let mut items = lock(&self.items);
        let item = items.get(key).cloned();
        let (mut outcome, written) = self.weakened(key, action).apply(item.clone());
        let is_ledger = key.sort == "ledger";
        if let Outcome::Found(Some(item)) = &mut outcome
            && is_ledger
            && self.is_without(Safeguard::PlanMemory)
        {
            item.retain(|name, _| !name.starts_with("plan_"));
        }
        if let Some(item) = written {
            items.insert(key.clone(), item);
        }
        outcome
    }

    /// The same without the condition that is left out.
    fn weakened(&self, key: &Key, action: &Action) -> Action {
        let mut action = action.clone();
        let holds_always = match self.without {
            Some(Safeguard::CounterMark) => key.sort.starts_with("event_type#"),
            Some(Safeguard::UsersVersion) => key.sort.starts_with("users#"),
            Some(Safeguard::LedgerVersion) => key.sort == "ledger",
            _ => false,
        };
        if let Action::Update { on, .. } = &mut action
            && holds_always
        {
            *on = Condition {
                attribute: "none has this".to_owned(),
                is: Is::Missing,
            };
        }
        action
    }
}

impl Table for World {
    const STATEMENTS_MAX: usize = 25;

    async fn execute(&self, statements: &[Statement], patience: Duration) -> Executed {
        let keys: BTreeSet<_> = statements.iter().map(|statement| &statement.key).collect();
        assert_eq!(keys.len(), statements.len(), "a key twice in one request");
        let sort_key = statements
            .first()
            .map_or("", |statement| &statement.key.sort);
        self.step(match sort_key.split('#').next() {
            Some("ledger") => "ledger",
            Some("event_type") => "counters",
            _ => "users",
        });
        let act = || {
            let ends = |statement: &Statement| {
                matches!(&statement.action, Action::Update { changes, .. }
                    if changes.contains(&("plan_keys".to_owned(), Change::Remove)))
            };
            let act = |statement| match self.fate() {
                _ if self.refuses(Trouble::Denied).is_some() => {
                    Err(Failure::Lasting(Cause::NoPermission, "denied".to_owned()))
                }
                Fate::Answered if ends(statement) && self.refuses(Trouble::Ends).is_some() => {
                    Err(Failure::Passing("away".to_owned()))
                }
                Fate::Answered => Ok(self.execute_one(statement)),
                Fate::Throttled => Err(Failure::Passing("throttled".to_owned())),
                Fate::Lost => {
                    self.execute_one(statement);
                    Err(Failure::Passing("failed inside".to_owned()))
                }
            };
            statements.iter().map(act).collect()
        };
        let outcomes = match self.asked(patience, act).await {
            Ok(outcomes) => outcomes,
            Err(failure) => vec![Err(failure); statements.len()],
        };
        Executed {
            outcomes,
            write_units: 1.0,
        }
    }
}

impl Objects for World {
    async fn put(
        &self,
        key: &str,
        object: &Object,
        on: &PutOn,
        patience: Duration,
    ) -> Result<Put, Failure> {
        self.step("archive");
        if let Some(failure) = self.put_fails() {
            return Err(failure);
        }
        let act = || {
            let mut objects = lock(&self.objects);
            let holds = match (on, objects.get(key)) {
                _ if self.is_without(Safeguard::PutCondition) => true,
                (PutOn::Absent, there) => there.is_none(),
                (PutOn::Match(etag), there) => {
                    there.is_some_and(|there| *etag == self::etag(there))
                }
            };
            if !holds {
                return Put::Refused;
            }
            objects.insert(key.to_owned(), object.clone());
            Put::Written
        };
        self.asked(patience, act).await
    }

    async fn head(&self, key: &str, patience: Duration) -> Result<Option<Head>, Failure> {
        let act = || {
            let objects = lock(&self.objects);
            objects.get(key).map(|there| Head {
                etag: etag(there),
                plan: if self.is_without(Safeguard::PlanFence) {
                    0
                } else {
                    there.plan
                },
            })
        };
        self.asked(patience, act).await
    }
}

/// Of what is in it alone.
fn etag(object: &Object) -> String {
    format!("{:?}", object.gzip)
}

impl Depot for World {
    fn bucket(&self) -> Option<&str> {
        Some("dead-letters")
    }

    fn has_queue(&self) -> bool {
        false
    }

    async fn put(&self, letters: &[Letter<'_>], deadline: Instant) -> Asked<()> {
        self.step("dead letters");
        if let Some(failure) = self.refuses(Trouble::Letters) {
            tokio::time::sleep_until(deadline).await;
            return Asked {
                answers: vec![None; letters.len()],
                failure: Some(failure),
            };
        }
        for Letter { key, bytes, .. } in letters {
            let act = || lock(&self.letters).insert(key.clone(), bytes.to_vec());
            while let Err(failure) = self.asked(Duration::from_secs(1), act).await {
                if Instant::now() >= deadline {
                    return Asked {
                        answers: vec![None; letters.len()],
                        failure: Some(failure),
                    };
                }
            }
        }
        Asked::all(letters.len())
    }

    async fn tell(&self, _: &[String], _: Instant) -> Asked<()> {
        Asked::all(0)
    }
}

impl ClaimStore for World {
    async fn claim(&self, claims: &[Claim<'_>], _: Terms) -> Answers {
        self.step("claims");
        let act = || {
            let mut claimed = lock(&self.claimed);
            let mut claim = |claim: &Claim<'_>| {
                let Some(owner) = claimed.get(claim.identity) else {
                    claimed.insert(claim.identity.to_owned(), claim.owner);
                    return Claimed::Taken;
                };
                let mut owner = *owner;
                if self.is_without(Safeguard::ClaimOwner) {
                    owner.record_id_hash += 1;
                }
                Claimed::Held(owner)
            };
            claims.iter().map(&mut claim).collect()
        };
        match self.asked(Duration::from_secs(1), act).await {
            Ok(claimed) => Answers {
                claimed,
                failure: None,
                write_units: 1000.0,
            },
            Err(failure) => Answers {
                claimed: vec![Claimed::Unanswered; claims.len()],
                failure: Some(StoreError::Away(failure.to_string())),
                write_units: 0.0,
            },
        }
    }
}

impl Lookup for World {
    fn sources(&self) -> Sources {
        self.known.sources()
    }

    async fn assignments(&self, wanted: &[Pair], deadline: Instant) -> Asked<Option<Assignment>> {
        self.looked_up(self.known.assignments(wanted, deadline).await)
            .await
    }

    async fn experiments(&self, wanted: &[String], deadline: Instant) -> Asked<Option<Experiment>> {
        self.looked_up(self.known.experiments(wanted, deadline).await)
            .await
    }
}

impl World {
    async fn looked_up<T>(&self, found: Asked<T>) -> Asked<T> {
        *lock(&self.looked_up) += 1;
        self.step("enrichment");
        let refused = self.refuses(Trouble::Lookups).map_or(Ok(()), Err);
        match self.asked(Duration::from_secs(1), || ()).await.and(refused) {
            Ok(()) => found,
            Err(failure) => Asked {
                answers: found.answers.iter().map(|_| None).collect(),
                failure: Some(failure),
            },
        }
    }
}

impl Services for &World {
    type Claims = World;
    type Table = World;
    type Archive = World;
    type Depot = World;
    type Lookup = World;

    fn claims(&self) -> Option<&World> {
        self.claims.then_some(self)
    }

    fn table(&self) -> &World {
        self
    }

    fn archive(&self) -> &World {
        self
    }

    fn depot(&self) -> &World {
        self
    }

    fn lookup(&self) -> &World {
        self
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
