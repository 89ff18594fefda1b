//! Items that are changed on conditions: where counters, users and the ledger are kept. A protocol
//! is statements and what follows from their outcomes; a table executes them, and knows none.

#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "tool")]
pub mod embedded;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::Mutex,
    time::Duration,
};

use tokio::time::Instant;

use crate::aws::{Asked, Failure, Inquiry, Manner, Reply, ask_until};

const REQUESTS_AT_ONCE: usize = 16;
const PATIENCE: Duration = Duration::from_secs(1);

/// Executes statements, each by itself.
pub trait Table {
    /// How many it takes in one request.
    const STATEMENTS_MAX: usize;

    /// Their keys are distinct. One outcome a statement, in order.
    fn execute(
        &self,
        statements: &[Statement],
        patience: Duration,
    ) -> impl Future<Output = Executed> + Send;
}

impl<T: Table + Sync> Table for &T {
    const STATEMENTS_MAX: usize = T::STATEMENTS_MAX;

    fn execute(
        &self,
        statements: &[Statement],
        patience: Duration,
    ) -> impl Future<Output = Executed> + Send {
        (**self).execute(statements, patience)
    }
}

#[derive(Debug, Default)]
pub struct Executed {
    pub outcomes: Vec<Result<Outcome, Failure>>,
    /// As the table itself counts them.
    pub write_units: f64,
}

/// What names an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub partition: String,
    pub sort: String,
}

/// An item's attributes, its key aside.
pub type Item = BTreeMap<String, Value>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Number(u64),
    Bytes(Vec<u8>),
    /// At least one.
    Texts(BTreeSet<String>),
}

impl Value {
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    #[must_use]
    pub fn texts(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::Texts(texts) => Some(texts),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub key: Key,
    pub action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Sees what was written before.
    Read,
    /// Only where there is no item.
    Insert(Item),
    /// Only where there is an item that meets the condition.
    Update {
        changes: Vec<(String, Change)>,
        on: Condition,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Set(Value),
    /// To the number that is there.
    Add(u64),
    Remove,
}

/// What an attribute has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub attribute: String,
    pub is: Is,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Is {
    Equal(Value),
    Less(Value),
    Missing,
}

/// What a statement came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// What was read.
    Found(Option<Item>),
    /// There is an item already; nothing is inserted.
    Exists,
    /// The condition does not hold, of this item or because there is none; nothing is changed.
    Refused(Option<Item>),
}

/// What a store of items does, as a pure function: the outcome, and the item that is to be written.
impl Action {
    #[must_use]
    pub fn apply(&self, item: Option<Item>) -> (Outcome, Option<Item>) {
        match (self, item) {
            (Self::Read, item) => (Outcome::Found(item), None),
            (Self::Insert(new), None) => (Outcome::Done, Some(new.clone())),
            (Self::Insert(_), Some(_)) => (Outcome::Exists, None),
            (Self::Update { changes, on }, Some(mut item)) if on.holds(&item) => {
                for (attribute, change) in changes {
                    change.apply(attribute, &mut item);
                }
                (Outcome::Done, Some(item))
            }
            (Self::Update { .. }, item) => (Outcome::Refused(item), None),
        }
    }

    #[must_use]
    pub fn writes(&self) -> bool {
        !matches!(self, Self::Read)
    }
}

impl Condition {
    /// Nothing is less than, or equal to, what is missing.
    fn holds(&self, item: &Item) -> bool {
        match (&self.is, item.get(&self.attribute)) {
            (Is::Equal(wanted), Some(found)) => found == wanted,
            (Is::Less(bound), Some(found)) => found < bound,
            (Is::Missing, found) => found.is_none(),
            (_, None) => false,
        }
    }
}

impl Change {
    fn apply(&self, attribute: &str, item: &mut Item) {
        let before = item.get(attribute).and_then(Value::number);
        let after = match self {
            Self::Remove => {
                item.remove(attribute);
                return;
            }
            Self::Set(value) => value.clone(),
            Self::Add(number) => Value::Number(before.unwrap_or_default() + number),
        };
        item.insert(attribute.to_owned(), after);
    }
}

/// An item's way through statements to its end. Repeating a statement whose answer was lost must be
/// harmless.
pub trait Course: Clone + Send + Sync {
    type End: Send;

    fn statement(&self) -> Statement;

    fn follow(self, outcome: Outcome) -> Reply<Self, Self::End>;
}

/// Where courses have led by the deadline, and what it took.
pub struct Followed<E> {
    pub asked: Asked<E>,
    pub write_units: f64,
}

/// Follows each course to its end; their keys are distinct.
pub async fn follow<T: Table + Sync, C: Course>(
    table: &T,
    courses: Vec<C>,
    deadline: Instant,
) -> Followed<C::End> {
    let following = Following {
        table,
        write_units: Mutex::default(),
        of: std::marker::PhantomData,
    };
    let asked = ask_until(&following, courses, deadline).await;
    let write_units = following.write_units.into_inner().unwrap_or_default();
    Followed { asked, write_units }
}

struct Following<'a, T, C> {
    table: &'a T,
    write_units: Mutex<f64>,
    of: std::marker::PhantomData<fn(C)>,
}

impl<T: Table + Sync, C: Course> Inquiry for Following<'_, T, C> {
    type Question = C;
    type Answer = C::End;

    fn manner(&self) -> Manner {
        Manner {
            together: T::STATEMENTS_MAX,
            requests_at_once: REQUESTS_AT_ONCE,
            patience: PATIENCE,
        }
    }

    async fn ask(&self, courses: &[C], patience: Duration) -> Vec<Reply<C, C::End>> {
        let statements: Vec<_> = courses.iter().map(Course::statement).collect();
        let executed = self.table.execute(&statements, patience).await;
        if let Ok(mut units) = self.write_units.lock() {
            *units += executed.write_units;
        }
        let follow = |(course, outcome): (&C, _)| match outcome {
            Ok(outcome) => course.clone().follow(outcome),
            Err(failure) => Reply::Failed(course.clone(), failure),
        };
        courses.iter().zip(executed.outcomes).map(follow).collect()
    }
}
