//! Tables, a bucket and a queue.

use aws_config::SdkConfig;

use super::{
    super::{
        archive::s3::Bucket, enrichment::dynamodb::DynamoDbLookup, settings::Resources,
        table::dynamodb::DynamoDbTable,
    },
    Services,
};
use crate::{dedup::dynamodb::DynamoDbStore, kinesis::depot::aws::AwsDepot};

#[derive(Debug)]
pub struct AwsServices {
    claims: Option<DynamoDbStore>,
    table: DynamoDbTable,
    archive: Bucket,
    depot: AwsDepot,
    lookup: DynamoDbLookup,
}

impl AwsServices {
    #[must_use]
    pub fn new(shared: &SdkConfig, resources: Resources) -> Self {
        let lookup = DynamoDbLookup::new(shared, &resources);
        let bucket = resources.bucket;
        Self {
            claims: resources
                .claims
                .map(|table| DynamoDbStore::new(shared, table)),
            table: DynamoDbTable::new(shared, resources.table),
            archive: Bucket::new(shared, bucket.clone()),
            depot: AwsDepot::new(shared, Some(bucket), resources.queue_url),
            lookup,
        }
    }

    /// Opens connections, and says what will not work.
    pub async fn warm_up(&self) {
        if let Err(error) = self.table.warm_up().await {
            tracing::error!(%error, "nothing will be done until this is put right");
        }
        if let Some(claims) = &self.claims
            && let Err(error) = claims.warm_up().await
        {
            tracing::error!(%error, "claims will fail until this is put right");
        }
    }
}

impl Services for AwsServices {
    type Claims = DynamoDbStore;
    type Table = DynamoDbTable;
    type Archive = Bucket;
    type Depot = AwsDepot;
    type Lookup = DynamoDbLookup;

    fn claims(&self) -> Option<&DynamoDbStore> {
        self.claims.as_ref()
    }

    fn table(&self) -> &DynamoDbTable {
        &self.table
    }

    fn archive(&self) -> &Bucket {
        &self.archive
    }

    fn depot(&self) -> &AwsDepot {
        &self.depot
    }

    fn lookup(&self) -> &DynamoDbLookup {
        &self.lookup
    }
}
