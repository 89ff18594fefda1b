//! Puts what a packet becomes, each object once: what is there and is of this packet was put by an
//! earlier attempt, and what is there and is not is told.

use tokio::time::Instant;

use super::{
    failure::Problem,
    names::{files_prefix, number_of},
    store::{ObjectStore, Origin, Put, spool::Spool},
};
use crate::aws::Failure;

/// Puts an object that is a function of the packet.
pub(super) async fn put_own<O: ObjectStore>(
    objects: &O,
    key: &str,
    spool: &mut Spool,
    origin: &Origin,
    deadline: Instant,
) -> Result<(), Problem> {
    if objects.put(key, spool, origin, deadline).await? == Put::Written {
        return Ok(());
    }
    match objects.look(key, deadline).await? {
        Some(there) if there.origin.as_ref() == Some(origin) => Ok(()),
        Some(_) => Err(Problem::FileExists(key.to_owned())),
        None => Err(Failure::Passing(format!("{key} was there and is gone")).into()),
    }
}

/// Puts a joined dimension's file under `least`, or where a crash left files of that number or a
/// higher one, under the next: what is put last was made of all that is committed, and readers take
/// the last. Where the last one is of this packet and this state, an earlier attempt put it. Its key.
pub(super) async fn put_numbered<O: ObjectStore>(
    objects: &O,
    (star_table, least): (&str, u64),
    key: impl Fn(u64) -> String,
    spool: &mut Spool,
    origin: &Origin,
    deadline: Instant,
) -> Result<String, Problem> {
    let folder = format!("{star_table}/");
    let after = files_prefix(star_table, least);
    loop {
        let there = objects.list(&folder, &after, deadline).await?;
        let numbered = |key: String| Some((number_of(star_table, &key)?, key));
        let key = match there.into_iter().rev().find_map(numbered) {
            None => key(least),
            Some((highest, there)) => {
                let standing = objects.look(&there, deadline).await?;
                if standing.and_then(|there| there.origin).as_ref() == Some(origin) {
                    return Ok(there);
                }
                key(highest + 1)
            }
        };
        if objects.put(&key, spool, origin, deadline).await? == Put::Written {
            return Ok(key);
        }
    }
}
