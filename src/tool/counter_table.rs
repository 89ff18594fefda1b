//! Where counters are, in a folder of this machine or in a table of DynamoDB, and how they are shown.

use std::{
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

use super::{
    aws::{Aws, AwsCounters},
    plain::Plain,
    table::{Cell, Column},
};
use crate::{
    database::Mirror,
    functions::event_processor::{
        key::Subject,
        services::folder::TABLE,
        table::{Executed, Item, Key, Statement, Table, embedded::EmbeddedTable},
    },
};

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct CounterPlace {
    /// The folder that `nozzle process` has counted into [default: counted]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,

    /// A table in DynamoDB, in place of a folder
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
}

/// The folder that `nozzle process` counts into, unless it is said.
pub(super) const COUNTED: &str = "counted";

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A table to look into, and to set right.
pub(super) enum CounterTable {
    Here {
        table: EmbeddedTable,
        runtime: Rc<Runtime>,
        /// Where it is only looked at.
        _mirror: Option<Mirror>,
    },
    OnAws(AwsCounters),
}

type Items<'a> = Box<dyn Iterator<Item = Result<(Key, Item)>> + 'a>;

impl CounterPlace {
    /// To be set right.
    pub(super) fn open(&self, runtime: &Rc<Runtime>) -> Result<CounterTable> {
        self.find(runtime, |folder| {
            Ok(Some((EmbeddedTable::open(folder)?, None)))
        })
    }

    /// Where it is no table in DynamoDB.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.table.is_none().then(|| self.counted())
    }

    fn counted(&self) -> &Path {
        self.folder.as_deref().unwrap_or(Path::new(COUNTED))
    }

    /// To be looked at alone: nothing is written.
    pub(super) fn look(&self, runtime: &Rc<Runtime>) -> Result<CounterTable> {
        self.find(runtime, |folder| {
            let Some(mirror) = Mirror::find("table of counters", folder)? else {
                return Ok(None);
            };
            Ok(Some((mirror.open(EmbeddedTable::open)?, Some(mirror))))
        })
    }

    fn find(
        &self,
        runtime: &Rc<Runtime>,
        open: impl FnOnce(&Path) -> Result<Option<(EmbeddedTable, Option<Mirror>)>>,
    ) -> Result<CounterTable> {
        if let Some(table) = &self.table {
            let aws = Aws::connect(Rc::clone(runtime))?;
            return Ok(CounterTable::OnAws(aws.counters(table)));
        }
        let folder = self.counted();
        let table = folder.join(TABLE);
        let opened = if table.is_dir() { open(&table)? } else { None };
        let (table, mirror) = opened.with_context(|| {
            format!(
                "there are no counters in `{0}`; `nozzle process INPUT --into {0}` makes them",
                folder.display()
            )
        })?;
        Ok(CounterTable::Here {
            table,
            runtime: Rc::clone(runtime),
            _mirror: mirror,
        })
    }
}

impl CounterTable {
    /// Every item, in no order.
    pub(super) fn items(&self) -> Items<'_> {
        match self {
            Self::Here { table, .. } => Box::new(table.items().map(|item| Ok(item?))),
            Self::OnAws(table) => table.items(),
        }
    }

    pub(super) fn execute(&self, statements: &[Statement]) -> Executed {
        match self {
            Self::Here { table, runtime, .. } => {
                runtime.block_on(table.execute(statements, PATIENCE))
            }
            Self::OnAws(table) => table.execute(statements, PATIENCE),
        }
    }
}

/// What a counter counts, as the first columns of a table.
pub(super) fn subject_columns() -> [Column; 4] {
    ["experiment", "variant", "event type", "window"].map(Column::left)
}

pub(super) fn subject_cells(subject: &Subject) -> [Cell; 4] {
    let texts = [&subject.experiment, &subject.variant, &subject.event_type];
    let [experiment, variant, event_type] = texts.map(|text| Plain(text).to_string().into());
    [
        experiment,
        variant,
        event_type,
        subject.window.to_string().into(),
    ]
}

/// The same as the first members of a JSON object. Names are for ever.
pub(super) fn subject_members(subject: &Subject) -> Map<String, Value> {
    let members = [
        ("experiment", subject.experiment.clone()),
        ("variant", subject.variant.clone()),
        ("event_type", subject.event_type.clone()),
        ("span", subject.window.span().as_str().to_owned()),
        ("window", subject.window.to_string()),
    ];
    let members = members.map(|(name, value)| (name.to_owned(), value.into()));
    members.into_iter().collect()
}
