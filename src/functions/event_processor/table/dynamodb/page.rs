//! Reading a whole table, page by page, for a person with the tool.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    super::{Item, Key},
    DynamoDbTable, PARTITION_KEY, SORT_KEY, read_item,
};
use crate::aws::{self, Asker, Failure};

/// A page has up to 1 MB.
const PATIENCE: Duration = Duration::from_secs(30);

/// Some of a table's items, and where to go on.
#[derive(Debug)]
pub struct Page {
    pub items: Vec<(Key, Item)>,
    pub next: Option<Bookmark>,
}

/// Where the next page begins.
#[derive(Debug, Clone)]
pub struct Bookmark(HashMap<String, AttributeValue>);

impl DynamoDbTable {
    /// The first page, or the one that begins there.
    pub async fn page(&self, start: Option<Bookmark>) -> Result<Page, Failure> {
        let request = self
            .client
            .scan()
            .table_name(&self.table)
            .set_exclusive_start_key(start.map(|Bookmark(key)| key));
        let found = aws::answered(Box::pin(request.send()), PATIENCE).await;
        let found = found.map_err(|failure| self.place(Asker::Operator).in_words(failure))?;
        let items = found.items().iter();
        Ok(Page {
            items: items
                .filter_map(|item| Some((read_key(item)?, read_item(item)?)))
                .collect(),
            next: found.last_evaluated_key.map(Bookmark),
        })
    }
}

fn read_key(item: &HashMap<String, AttributeValue>) -> Option<Key> {
    let text = |name| item.get(name)?.as_s().ok().cloned();
    Some(Key {
        partition: text(PARTITION_KEY)?,
        sort: text(SORT_KEY)?,
    })
}
