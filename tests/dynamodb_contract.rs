//! The claim store in DynamoDB against what is there of DynamoDB on one machine.
#![cfg(feature = "dynamodb")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use nozzle::dedup::{Claim, Owner, ReleaseStore, StoreError};
use tokio::time::Instant;

use support::{
    client::{store_at, table_at},
    contract,
    emulators::{Emulator, ministack},
};

#[tokio::test]
async fn the_contract_holds_on_ministack() {
    holds_on(ministack()).await;
}

async fn holds_on(emulator: Option<Emulator>) {
    let Some(emulator) = emulator else { return };
    emulator.create_table().await;
    let store = store_at(emulator.address);
    contract::holds(&store, "alone").await;
    contract::holds_for_ever(&store, "alone").await;
    contract::gives_back(&store, "alone").await;
    store.warm_up().await.unwrap();
    let other = store_at(emulator.address);
    contract::takes_once(&store, &other, "together").await;
    a_missing_table_is_named(&emulator).await;
}

async fn a_missing_table_is_named(emulator: &Emulator) {
    let error = table_at(emulator.address, "elsewhere").warm_up().await;
    let Err(StoreError::Refused(why)) = error else {
        panic!("{error:?}");
    };
    assert!(why.contains("no table \"elsewhere\" in us-east-1"), "{why}");
    assert!(why.contains("EVENT_CACHE_TABLE_NAME"), "{why}");
    let claim = Claim {
        identity: "[\"1\"]",
        led_by: None,
        owner: Owner::of("", None, b""),
    };
    let soon = Instant::now() + Duration::from_secs(10);
    let elsewhere = table_at(emulator.address, "elsewhere");
    let error = elsewhere.look_up(&[claim], soon).await;
    let Err(StoreError::Refused(why)) = error else {
        panic!("{error:?}");
    };
    assert!(why.contains("--table"), "{why}");
}
