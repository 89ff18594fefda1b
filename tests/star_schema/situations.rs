//! What befalls packets, one situation at a time.

use std::collections::BTreeMap;

use flate2::{Compression, write::GzEncoder};
use nozzle::functions::{
    Failure,
    star_schema::{
        Problem, Settings, Unavailable, description::Star, receipt::Receipt, store::ParameterStore,
    },
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    rows::{rows, star},
    world::{Safeguard, World, ask, request},
};

const STAFF: &str = r#"{"staff_id":1,"first_name":"Ann","last_name":"Bee","department_id":1,"email_address":"a@b.c","created_at":"2022-11-03 14:20:52","last_updated":"2022-11-03 14:20:52"}"#;
const DEPARTMENT: &str = r#"{"department_id":1,"department_name":"Sales","location":"Leeds","last_updated":"2022-11-04 00:00:00"}"#;

fn currency(id: u64, time: &str) -> String {
    format!(r#"{{"currency_id":{id},"currency_code":"EUR","last_updated":"2024-11-15 {time}"}}"#)
}

async fn load(world: &World, packets: &[(&str, u64)]) -> Value {
    world.call(packets, None).await.unwrap().unwrap()
}

async fn fail(world: &World, packets: &[(&str, u64)]) -> Unavailable {
    world.call(packets, None).await.unwrap().unwrap_err()
}

fn problems(unavailable: &Unavailable) -> Vec<&Problem> {
    let Unavailable::Packets(not_done, _) = unavailable else {
        panic!("{unavailable}");
    };
    not_done.iter().map(|not_done| &not_done.problem).collect()
}

fn keys(world: &World, prefix: &str) -> Vec<String> {
    let objects = world.objects().into_keys();
    objects.filter(|key| key.starts_with(prefix)).collect()
}

fn receipt(world: &World, table: &str, id: u64) -> Receipt {
    let text = &world.objects()[&format!("packets/{table}/{id:08}.json")];
    serde_json::from_slice(text).unwrap()
}

#[tokio::test]
async fn a_packet_becomes_its_files_a_receipt_and_a_parameter() {
    let world = World::new(0);
    let text = [currency(1, "10:11:12.5"), currency(2, "09:00:00")].join("\n");
    world.put_packet("2024/11/20/currency_1_20241120T101500.jsonl", text);
    let file = "dim_currency/dim_currency_00000001_processed_20241115T101112500000.parquet";
    let mut outcome = json!({
        "table": "currency", "id": 1, "status": "loaded", "rows": 2, "refused": 0, "files": [file],
    });
    let answer = load(&world, &[("currency", 1)]).await;
    assert_eq!(answer, json!({ "packets": [outcome] }));
    assert_eq!(keys(&world, ""), [file, "packets/currency/00000001.json"]);
    assert_eq!(
        world.parameters(),
        BTreeMap::from([("currency".to_owned(), "1".to_owned())])
    );
    let receipt = receipt(&world, "currency", 1);
    assert_eq!(
        receipt.source.key,
        "2024/11/20/currency_1_20241120T101500.jsonl"
    );
    assert_eq!(receipt.newest.as_deref(), Some("20241115T101112500000"));
    assert_eq!(receipt.description, Star::built_in().unwrap().hash);
    let before = world.objects();
    outcome["status"] = "done_before".into();
    let again = load(&world, &[("currency", 1), ("currency", 1)]).await;
    assert_eq!(again, json!({ "packets": [outcome, outcome] }));
    assert_eq!(load(&world, &[]).await, json!({ "packets": [] }));
    assert_eq!(world.objects(), before);
}

#[tokio::test]
async fn dimensions_go_before_facts_and_answers_stand_as_they_were_asked_for() {
    let world = World::new(0);
    world.put_packet("staff_1_x.jsonl", STAFF);
    world.put_packet("department_1_x.jsonl", DEPARTMENT);
    let answer = load(&world, &[("staff", 1), ("department", 1)]).await;
    assert_eq!(answer["packets"][0]["table"], "staff");
    assert_eq!(answer["packets"][1]["files"], json!([]));
    let star = star(&world.objects());
    let staff: Value = serde_json::from_str(&star["dim_staff"][0]).unwrap();
    assert_eq!(staff["department_name"], "Sales");
    assert_eq!(keys(&world, "dim_staff/").len(), 1);
    assert!(
        keys(&world, "dim_staff/")[0].contains("_00000002_"),
        "one more than one"
    );
}

#[tokio::test]
async fn what_a_join_does_not_find_is_rewritten_when_it_comes() {
    let world = World::new(0);
    world.put_packet("staff_1_x.jsonl", STAFF);
    load(&world, &[]).await;
    let staff = |world: &World| -> Value {
        serde_json::from_str(&star(&world.objects())["dim_staff"][0]).unwrap()
    };
    assert_eq!(staff(&world)["department_name"], "Unknown");
    world.put_packet("department_1_x.jsonl", DEPARTMENT);
    load(&world, &[]).await;
    assert_eq!(staff(&world)["department_name"], "Sales");
    assert_eq!(keys(&world, "dim_staff/").len(), 2);
}

#[tokio::test]
async fn packets_that_cannot_be_loaded_are_told_and_the_others_go_on() {
    let world = World::new(0);
    world.put_packet("currency_1_x.jsonl", currency(1, "10:00:00"));
    world.put_packet(
        "currency_2_x.jsonl",
        format!("[{}", currency(1, "10:00:00")),
    );
    world.put_packet("currency_3_x.jsonl.gz", "no gzip");
    world.put_packet("a/currency_4_x.jsonl", currency(1, "10:00:00"));
    world.put_packet("b/currency_4_x.jsonl", currency(2, "10:00:00"));
    let packets = [2, 3, 4, 5, 1].map(|id| ("currency", id));
    let error = fail(&world, &[&packets[..], &[("invoice", 1)]].concat()).await;
    assert!(
        matches!(
            *problems(&error),
            [
                Problem::Unreadable { .. },
                Problem::Unreadable { .. },
                Problem::IdTaken(_),
                Problem::Missing(_),
                Problem::TableUnknown,
            ]
        ),
        "{error}"
    );
    let text = error.to_string();
    for part in [
        "packet 2 of currency: packet_unreadable: currency_2_x.jsonl",
        "packet_id_taken: a/currency_4_x.jsonl and b/currency_4_x.jsonl",
        "packet 5 of currency: packet_missing: there is no object …/currency_5_….jsonl",
        "packet 1 of invoice: table_unknown",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(error.kind(), "PacketsNotLoaded");
    assert_eq!(keys(&world, "packets/"), ["packets/currency/00000001.json"]);
    assert_eq!(world.parameters()["currency"], "1");
}

#[tokio::test]
async fn a_sweep_loads_what_has_no_receipt_and_leaves_other_tables_alone() {
    let world = World::new(0);
    for id in 1..=3 {
        world.put_packet(
            &format!("currency_packet_{id}_x.jsonl"),
            currency(id, "10:00:00"),
        );
    }
    world.put_packet("invoice_1_x.jsonl", "{}");
    world.put_packet("notes.txt", "{}");
    load(&world, &[("currency", 2)]).await;
    assert_eq!(world.parameters(), BTreeMap::new());
    let swept = load(&world, &[]).await;
    let ids: Vec<_> = swept["packets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(ids, [1, 3]);
    assert_eq!(world.parameters()["currency"], "3");
}

#[tokio::test]
async fn a_gap_is_counted_until_it_closes() {
    let world = World::new(0);
    for id in [1, 2, 5] {
        world.put_packet(&format!("currency_{id}_x.jsonl"), currency(id, "10:00:00"));
    }
    load(&world, &[]).await;
    assert_eq!(world.parameters()["currency"], "2");
    world.put_packet("currency_4_x.jsonl", currency(4, "10:00:00"));
    load(&world, &[]).await;
    assert_eq!(world.parameters()["currency"], "2");
    world.put_packet("currency_3_x.jsonl", currency(3, "10:00:00"));
    load(&world, &[]).await;
    assert_eq!(world.parameters()["currency"], "5");
}

#[tokio::test]
async fn receipts_that_seem_to_be_in_sequence_carry_a_parameter_over_a_gap() {
    let mut world = World::new(0);
    world.without = Some(Safeguard::Sequence);
    for id in [1, 4] {
        world.put_packet(&format!("currency_{id}_x.jsonl"), currency(id, "10:00:00"));
    }
    load(&world, &[("currency", 1)]).await;
    load(&world, &[("currency", 4)]).await;
    assert_eq!(world.parameters()["currency"], "4");
}

#[tokio::test]
async fn the_same_packet_in_two_objects_is_one_where_the_bytes_agree() {
    let world = World::new(0);
    let text = currency(1, "10:00:00");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    world.put_packet("b/currency_1_x.jsonl", &text);
    world.put_packet("a/currency_1_y.jsonl.gz", gzip.finish().unwrap());
    world.put_packet("c/currency_packet_1_z.jsonl", &text);
    load(&world, &[("currency", 1)]).await;
    assert_eq!(
        receipt(&world, "currency", 1).source.key,
        "a/currency_1_y.jsonl.gz"
    );
}

#[tokio::test]
async fn a_key_in_the_call_is_the_object_whatever_it_is_called() {
    let world = World::new(0);
    world.put_packet("any name", currency(1, "10:00:00"));
    let body = json!({"packets": [{"table": "currency", "id": 7, "key": "any name"}]});
    let function = world.function();
    let answer = ask(&function, body.to_string().as_bytes()).await.unwrap();
    assert_eq!(answer["packets"][0]["rows"], 1);
    assert_eq!(receipt(&world, "currency", 7).source.key, "any name");
}

#[tokio::test]
async fn an_object_of_somebody_else_is_named_and_stays() {
    let world = World::new(0);
    world.put_packet("currency_1_x.jsonl", currency(1, "10:00:00"));
    let key = "dim_currency/dim_currency_00000001_processed_20241115T100000000000.parquet";
    world.put_foreign(key, "theirs");
    let error = fail(&world, &[("currency", 1)]).await;
    assert_eq!(error.kind(), "FileExistsError");
    assert!(error.to_string().contains(key), "{error}");
    assert_eq!(world.objects()[key], b"theirs");
    assert_eq!(keys(&world, "packets/").len(), 0);
    world.remove(key);
    load(&world, &[("currency", 1)]).await;
}

#[tokio::test]
async fn a_year_and_a_checkpoint_that_are_there_are_ours() {
    let world = World::new(0);
    world.put_packet("sales_order_1_x.jsonl", ORDER);
    let key = "dim_date/dim_date_00002022_processed_20221231T000000000000.parquet";
    world.put_foreign(key, "whatever");
    let answer = load(&world, &[("sales_order", 1)]).await;
    let files = answer["packets"][0]["files"].as_array().unwrap();
    assert!(files.contains(&key.into()), "{files:?}");
    assert_eq!(world.objects()[key], b"whatever");
}

const ORDER: &str = r#"{"sales_order_id":2,"created_at":"2022-11-03 14:20:52.186","last_updated":"2022-11-03 14:20:52.186","design_id":3,"staff_id":19,"counterparty_id":8,"units_sold":42972,"unit_price":3.94,"currency_id":2,"agreed_delivery_date":"2022-11-07","agreed_payment_date":"2022-11-08","agreed_delivery_location_id":8}"#;

#[tokio::test]
async fn a_fact_touches_its_years_each_of_which_is_written_once() {
    let world = World::new(0);
    world.put_packet("sales_order_1_x.jsonl", ORDER);
    world.put_packet(
        "sales_order_2_x.jsonl",
        ORDER.replace("2022-11-08", "2024-01-01"),
    );
    load(&world, &[("sales_order", 1)]).await;
    let year = "dim_date/dim_date_00002022_processed_20221231T000000000000.parquet";
    assert_eq!(keys(&world, "dim_date/"), [year]);
    let before = world.objects();
    load(&world, &[("sales_order", 2)]).await;
    assert_eq!(world.objects()[year], before[year]);
    assert_eq!(keys(&world, "dim_date/").len(), 2);
    let days = rows(&world.objects()[&keys(&world, "dim_date/")[1]]).unwrap();
    assert_eq!(days.len(), 366);
}

#[tokio::test]
async fn refused_rows_are_kept_apart_and_the_rest_is_loaded() {
    let world = World::new(0);
    let text = format!(
        "{}\n\"three\"\n{}",
        currency(1, "10:00:00"),
        currency(2, "11:00:00")
    );
    world.put_packet("currency_1_x.jsonl", text);
    let answer = load(&world, &[("currency", 1)]).await;
    assert_eq!(answer["packets"][0]["refused"], 1);
    assert_eq!(answer["packets"][0]["rows"], 2);
    let key = "refused/currency/currency_00000001_refused_20241115T110000000000.jsonl";
    let line: Value = serde_json::from_slice(&world.objects()[key]).unwrap();
    let expected =
        json!({"reason": "not_an_object", "column": null, "line": 2, "row": "\"three\""});
    assert_eq!(line, expected);
}

#[tokio::test]
async fn a_packet_with_too_many_refused_rows_is_refused_and_has_no_receipt() {
    let world = World::new(0);
    world.put_packet(
        "currency_1_x.jsonl",
        format!("{}\n3\n4", currency(1, "10:00:00")),
    );
    let lookup = |name: &str| (name == "REFUSED_ROWS_MAX").then(|| "0.5".to_owned());
    let settings = Settings::read(lookup).unwrap();
    let function = world.function_with(settings, &Star::built_in().unwrap());
    for _ in 0..2 {
        let answer = ask(&function, &request(&[])).await.unwrap();
        let expected = json!([{
            "table": "currency", "id": 1, "status": "refused", "rows": 0, "refused": 2, "files": [],
        }]);
        assert_eq!(answer["packets"], expected);
    }
    assert_eq!(
        keys(&world, ""),
        ["refused/currency/currency_00000001_refused_20241115T100000000000.jsonl"]
    );
    load(&world, &[]).await;
    assert_eq!(world.parameters()["currency"], "1");
}

#[tokio::test]
async fn an_empty_packet_has_a_receipt_and_no_file() {
    let world = World::new(0);
    world.put_packet("currency_1_x.jsonl", "");
    let answer = load(&world, &[("currency", 1)]).await;
    assert_eq!(answer["packets"][0]["files"], json!([]));
    assert_eq!(keys(&world, ""), ["packets/currency/00000001.json"]);
}

#[tokio::test]
async fn a_parameter_that_somebody_else_moves_is_an_error_that_names_the_table() {
    let world = World::new(0);
    for id in 1..=2 {
        world.put_packet(&format!("currency_{id}_x.jsonl"), currency(id, "10:00:00"));
    }
    load(&world, &[("currency", 1)]).await;
    let function = world.function();
    let soon = Instant::now();
    world.move_a_parameter_at_the_next_put("currency", "1");
    let error = ask(&function, &request(&[("currency", 2)]))
        .await
        .unwrap_err();
    assert!(
        matches!(
            *problems(&error),
            [Problem::ParameterMoved {
                found: 3,
                expected: 2,
                ..
            }]
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("currency's latest_packet_id"),
        "{error}"
    );
    // Tried again, it is as it should be.
    load(&world, &[("currency", 2)]).await;
    assert_eq!(world.parameters()["currency"], "2");
    function
        .parameters
        .put("currency", "two", soon)
        .await
        .unwrap();
    let error = fail(&world, &[("currency", 2)]).await;
    assert!(
        matches!(*problems(&error), [Problem::ParameterUnreadable(_)]),
        "{error}"
    );
}

#[tokio::test]
async fn a_parameter_that_is_broken_keeps_no_sweep_from_loading() {
    let world = World::new(0);
    let function = world.function();
    let soon = Instant::now();
    function.parameters.put("staff", "x", soon).await.unwrap();
    world.put_packet("currency_1_x.jsonl", currency(1, "10:00:00"));
    let error = fail(&world, &[]).await;
    assert!(
        matches!(*problems(&error), [Problem::ParameterUnreadable(_)]),
        "{error}"
    );
    assert_eq!(world.parameters()["currency"], "1");
}

#[tokio::test]
async fn a_checkpoint_spares_reading_packets_and_can_be_lost() {
    let world = World::new(0);
    let object = |id| format!("department_{id}_x.jsonl");
    for id in 1..=34 {
        world.put_packet(&object(id), DEPARTMENT);
        load(&world, &[("department", id)]).await;
    }
    assert_eq!(
        keys(&world, "reference/"),
        ["reference/department/00000033.jsonl"]
    );
    for id in 1..=33 {
        world.put_packet(&object(id), "[");
    }
    let staff = |id: u64| STAFF.replace("\"staff_id\":1", &format!("\"staff_id\":{id}"));
    world.put_packet("staff_1_x.jsonl", staff(1));
    load(&world, &[("staff", 1)]).await;
    world.remove("reference/department/00000033.jsonl");
    world.put_packet("staff_2_x.jsonl", staff(2));
    let error = fail(&world, &[("staff", 2)]).await;
    assert!(
        matches!(*problems(&error), [Problem::Unreadable { .. }]),
        "{error}"
    );
    for id in 1..=33 {
        world.put_packet(&object(id), DEPARTMENT);
    }
    load(&world, &[("staff", 2)]).await;
    assert_eq!(
        keys(&world, "reference/"),
        ["reference/department/00000034.jsonl"]
    );
    for staff in &star(&world.objects())["dim_staff"] {
        assert!(staff.contains("Sales"), "{staff}");
    }
}

#[tokio::test]
async fn two_invocations_at_once_come_to_the_same() {
    for seed in 0..20 {
        let world = World::new(seed);
        for id in 1..=2 {
            let time = format!("1{id}:00:00");
            world.put_packet(&format!("currency_{id}_x.jsonl"), currency(id, &time));
            world.put_packet(&format!("sales_order_{id}_x.jsonl"), ORDER);
            world.put_packet(&format!("staff_{id}_x.jsonl"), STAFF);
        }
        let packets = ["currency", "sales_order", "staff"].map(|table| [(table, 1), (table, 2)]);
        let body = request(packets.as_flattened());
        let (one, other) = (world.function(), world.function());
        // That the other has moved a parameter is told: it is then tried again.
        drop(tokio::join!(ask(&one, &body), ask(&other, &body)));
        load(&world, packets.as_flattened()).await;
        let calm = World::new(seed);
        for id in 1..=2 {
            let time = format!("1{id}:00:00");
            calm.put_packet(&format!("currency_{id}_x.jsonl"), currency(id, &time));
            calm.put_packet(&format!("sales_order_{id}_x.jsonl"), ORDER);
            calm.put_packet(&format!("staff_{id}_x.jsonl"), STAFF);
        }
        load(&calm, packets.as_flattened()).await;
        assert_eq!(star(&world.objects()), star(&calm.objects()), "{seed}");
        assert_eq!(world.parameters(), calm.parameters(), "{seed}");
    }
}

#[tokio::test]
async fn a_request_that_is_none_says_what_it_should_be() {
    let error = ask(&World::new(0).function(), b"{}").await.unwrap_err();
    assert_eq!(error.kind(), "RequestUnreadable");
    assert!(error.to_string().contains("sales_order"), "{error}");
}
