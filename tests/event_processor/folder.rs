//! The event processor on a folder of this machine, whose process ends and begins again; and the
//! contract on what it keeps there.

use std::{fs, io::Read, path::Path};

use flate2::read::MultiGzDecoder;
use nozzle::functions::event_processor::{
    EventProcessor,
    archive::folder::Folder,
    enrichment::listed::Listed,
    readings::Readings,
    services::folder::{Copies, FolderServices},
    table::embedded::EmbeddedTable,
};

use super::{
    contract,
    request::{ask, event, not_done, request_from, settings},
    world::World,
};

fn open(folder: &Path, copies: Copies) -> FolderServices {
    FolderServices::open(folder, copies, Listed::default()).unwrap()
}

fn events(ids: &[&str]) -> Vec<Vec<u8>> {
    let event = |id: &&str| {
        let mut event = event(id);
        event["metadata"]["variant"] = "B".into();
        event["user_id"] = format!("user {id}").into();
        event.to_string().into_bytes()
    };
    ids.iter().map(event).collect()
}

/// A process that is given these records, from this one on, and then ends.
async fn process(folder: &Path, copies: Copies, first: usize, data: &[Vec<u8>]) {
    let function = EventProcessor::new(settings(&[]), open(folder, copies));
    let answered = ask(&function, &request_from(first, data)).await.unwrap();
    assert_eq!(not_done(&answered), None);
}

/// Files below a folder, as text.
fn files(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(files(&path));
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let mut text = String::new();
        match MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text) {
            Ok(_) => texts.push(text),
            Err(_) => texts.push(String::from_utf8(bytes).unwrap()),
        }
    }
    texts
}

#[tokio::test]
async fn the_contract_holds_in_memory_and_in_a_folder() {
    contract::table_holds(&World::new(0), "memory").await;
    contract::archive_holds(&World::new(0), "memory").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table");
    let table = EmbeddedTable::open(&path).unwrap();
    contract::table_holds(&table, "folder").await;
    assert!(EmbeddedTable::open(&path).is_err(), "two at once");
    let before: Vec<_> = table.items().map(Result::unwrap).collect();
    drop(table);
    let table = EmbeddedTable::open(&path).unwrap();
    let after: Vec<_> = table.items().map(Result::unwrap).collect();
    assert!(before.len() > 100 && before == after);
    let archive = Folder::new(folder.path().join("archive"));
    contract::archive_holds(&archive, "folder").await;
}

#[tokio::test]
async fn a_folder_holds_each_event_once_over_the_ends_of_processes() {
    for (copies, count) in [(Copies::Dropped, 4), (Copies::Kept, 6)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let first = [events(&["a", "b", "a"]), vec![b"{}".to_vec()]].concat();
        process(path, copies, 0, &first).await;
        process(path, copies, 0, &first).await;
        process(path, copies, 4, &events(&["b", "c", "d"])).await;
        let mut readings = Readings::default();
        for item in open(path, copies).table.items() {
            let (key, item) = item.unwrap();
            readings.add(&key, &item).unwrap();
        }
        assert_eq!(readings.0.len(), 2, "an hour and a day");
        for reading in readings.0.values() {
            assert_eq!((reading.events, reading.users()), (count, 4));
        }
        let lines: Vec<_> = files(&path.join("archive"))
            .concat()
            .lines()
            .map(str::to_owned)
            .collect();
        assert_eq!(lines.len() as u64, count);
        let letters = files(&path.join("dead-letters"));
        assert_eq!(letters.len(), 1);
        assert!(letters[0].contains("event_id_missing"));
    }
}

#[test]
fn a_folder_is_used_by_one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path(), Copies::Kept);
    let second = FolderServices::open(folder.path(), Copies::Kept, Listed::default());
    let why = second.err().unwrap().to_string();
    assert!(why.contains("another process"), "{why}");
}
