//! The event processor's counters in their table.

use std::{iter::from_fn, rc::Rc, time::Duration};

use anyhow::Result;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use tokio::runtime::Runtime;

use super::words::in_words;
use crate::functions::event_processor::table::{
    Executed, Item, Key, Statement, Table,
    dynamodb::{DynamoDbTable, read_entry},
};

/// A table that counters are in.
pub(in crate::tool) struct AwsCounters {
    runtime: Rc<Runtime>,
    client: Client,
    name: String,
    table: DynamoDbTable,
}

impl AwsCounters {
    pub(super) fn new(runtime: Rc<Runtime>, shared: &SdkConfig, table: &str) -> Self {
        Self {
            runtime,
            client: Client::new(shared),
            name: table.to_owned(),
            table: DynamoDbTable::new(shared, table.to_owned()),
        }
    }

    pub(in crate::tool) fn execute(
        &self,
        statements: &[Statement],
        patience: Duration,
    ) -> Executed {
        let executed = Box::pin(self.table.execute(statements, patience));
        self.runtime.block_on(executed)
    }

    /// All items, in no order, as they are.
    pub(in crate::tool) fn items(&self) -> Box<dyn Iterator<Item = Result<(Key, Item)>> + '_> {
        let request = self.client.scan().table_name(&self.name);
        let mut pages = request
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items = from_fn(move || self.runtime.block_on(pages.next()));
        Box::new(items.filter_map(|item| match item {
            Ok(item) => read_entry(&item).map(Ok),
            Err(error) => {
                let doing = format!("the table {} cannot be read", self.name);
                Some(Err(in_words(&doing, "dynamodb:Scan on it", &error)))
            }
        }))
    }
}
