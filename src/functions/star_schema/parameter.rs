//! How far a table's packets are loaded: the highest id with receipts for all before it.

use tokio::time::Instant;

use super::{
    failure::Problem,
    receipt,
    store::{ObjectStore, Parameter, ParameterStore},
};

/// Moves a table's parameter on to where its receipts reach, in one write. How many ids are missing
/// below the highest.
pub(super) async fn advance<O: ObjectStore, P: ParameterStore>(
    objects: &O,
    parameters: &P,
    table: &str,
    deadline: Instant,
) -> Result<u64, Problem> {
    let before = parameters.get(table, deadline).await?;
    let start = match &before {
        Some(parameter) => read(table, parameter)?,
        None => 0,
    };
    let ids = receipt::ids_after(objects, table, Some(start), deadline).await?;
    let reached = reach(start, &ids);
    if reached > start {
        let expected = before.map_or(0, |before| before.version) + 1;
        write(parameters, table, reached, expected, deadline).await?;
    }
    Ok(missing(reached, &ids))
}

fn read(table: &str, parameter: &Parameter) -> Result<u64, Problem> {
    let id = parameter.value.trim().parse();
    id.map_err(|_| Problem::ParameterUnreadable(table.to_owned()))
}

/// The last id of those that follow on each other.
fn reach(start: u64, ids: &[u64]) -> u64 {
    ids.iter().fold(
        start,
        |reached, id| {
            if *id == reached + 1 { *id } else { reached }
        },
    )
}

/// How many ids are missing between where it reaches and the highest.
fn missing(reached: u64, ids: &[u64]) -> u64 {
    let beyond = ids.iter().filter(|id| **id > reached).count() as u64;
    let highest = ids.last().map_or(reached, |highest| reached.max(*highest));
    highest - reached - beyond
}

/// A write whose answer was lost is looked for before it counts as failed.
async fn write<P: ParameterStore>(
    parameters: &P,
    table: &str,
    reached: u64,
    expected: u64,
    deadline: Instant,
) -> Result<(), Problem> {
    let value = reached.to_string();
    let found = match parameters.put(table, &value, deadline).await {
        Ok(version) => version,
        Err(failure) if failure.is_lasting() => return Err(failure.into()),
        Err(failure) => match parameters.get(table, deadline).await? {
            Some(written) if written.version >= expected => written.version,
            _ => return Err(failure.into()),
        },
    };
    if found == expected {
        return Ok(());
    }
    Err(Problem::ParameterMoved {
        table: table.to_owned(),
        found,
        expected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reaches_as_far_as_ids_follow_on_each_other() {
        for (start, ids, expected) in [
            (0, &[][..], (0, 0)),
            (0, &[1], (1, 0)),
            (0, &[1, 2, 3], (3, 0)),
            (0, &[2, 3], (0, 1)),
            (0, &[0, 1], (1, 0)),
            (3, &[4, 6, 9], (4, 3)),
            (3, &[5], (3, 1)),
        ] {
            let reached = reach(start, ids);
            assert_eq!(
                (reached, missing(reached, ids)),
                expected,
                "{start} {ids:?}"
            );
        }
    }
}
