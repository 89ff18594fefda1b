//! `nozzle star sql`: what engines make of it is what the function makes.
#![cfg(feature = "tool")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod packets;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, SystemTime},
};

use nozzle::functions::{
    Function, Moment,
    star_schema::{
        Settings, StarSchema,
        description::Star,
        store::folder::{FolderParameters, FolderStore},
    },
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

const DESCRIPTION: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/src/functions/star_schema/description/star.toml"
);

#[track_caller]
fn succeeded(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let answer = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{answer}{said}");
    answer.into_owned()
}

fn star_sql(arguments: &[&str]) -> Output {
    let mut nozzle = Command::new(env!("CARGO_BIN_EXE_nozzle"));
    nozzle
        .args(["star", "sql"])
        .args(arguments)
        .output()
        .unwrap()
}

/// Python with what `tests/tools/fetch` fetches.
fn python() -> Command {
    Command::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/.cache/venv/bin/python"
    ))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/star_sql")
        .join(name)
}

/// A folder with packets, and the star that the function makes of them.
async fn loaded() -> TempDir {
    let folder = TempDir::new().unwrap();
    let packets = folder.path().join("packets");
    for (key, text) in packets::all() {
        let path = packets.join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let files = FolderStore::new(folder.path().join("star"));
    let function = StarSchema {
        settings: Settings::read(|_| None).unwrap(),
        star: Star::built_in().unwrap(),
        packets: FolderStore::new(packets),
        processed: files,
        parameters: FolderParameters::new(folder.path().join("parameters")),
    };
    let moment = Moment {
        now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_732_100_000),
        deadline: Instant::now() + Duration::from_mins(10),
    };
    function.answer(br#"{"packets":[]}"#, moment).await.unwrap();
    folder
}

/// Writes what `nozzle star sql` prints beside the packets.
fn write_sql(folder: &Path, engine: &str, source: &str, place: &str) -> PathBuf {
    let sql = succeeded(&star_sql(&["--engine", engine, source, place]));
    let path = folder.join(format!("{engine}{source}.sql"));
    fs::write(&path, sql).unwrap();
    path
}

/// What `DuckDB` makes of two scripts, beside what the function made.
fn compare(folder: &Path, of_files: &Path, of_packets: &Path) -> Output {
    let star = folder.join("star");
    let arguments = [Path::new(DESCRIPTION), &star, of_files, of_packets];
    let mut compared = python();
    compared.arg(script("compare.py")).args(arguments);
    compared.output().unwrap()
}

fn write_both(folder: &Path) -> [PathBuf; 2] {
    [("--files", "star"), ("--packets", "packets")].map(|(source, name)| {
        let place = folder.join(name);
        write_sql(folder, "duckdb", source, place.to_str().unwrap())
    })
}

/// What the script over packets needs, and what stands there without it.
const NEEDED: &[(&str, &str)] = &[
    (
        "ORDER BY last_updated DESC, packet__id DESC",
        "ORDER BY packet__id DESC",
    ),
    (
        "ORDER BY packet__id DESC, last_updated DESC",
        "ORDER BY last_updated DESC, packet__id DESC",
    ),
    (", packet__order DESC", ", packet__order"),
    ("GROUP BY CAST(", "GROUP BY file, CAST("),
    (
        " AND len(json_keys(packet__row)) = list_unique(json_keys(packet__row))",
        "",
    ),
    (
        "coalesce(joined_department.location, 'Unknown')",
        "joined_department.location",
    ),
    (
        "year(created_at) BETWEEN 1900 AND 2199",
        "created_at IS NOT NULL",
    ),
    (" - to_minutes(", " - 0 * to_minutes("),
    (
        "(address_line_2__json IS NULL OR address_line_2 IS NOT NULL)",
        "true",
    ),
    (
        "(department_id__json IS NULL OR department_id__key IS NOT NULL)",
        "true",
    ),
    (
        "CASE WHEN first_name__json LIKE '\"%' THEN first_name__text END",
        "first_name__text",
    ),
    ("= own.currency_code", "= upper(own.currency_code)"),
];

#[tokio::test]
async fn without_any_of_its_parts_a_script_makes_another_star() {
    let folder = loaded().await;
    let [of_files, of_packets] = write_both(folder.path());
    let whole = fs::read_to_string(of_packets).unwrap();
    for (needed, without) in NEEDED {
        let lacking = folder.path().join("lacking.sql");
        assert!(whole.contains(needed), "{needed}");
        fs::write(&lacking, whole.replace(needed, without)).unwrap();
        let compared = compare(folder.path(), &of_files, &lacking);
        let said = String::from_utf8_lossy(&compared.stderr);
        assert!(
            said.contains("AssertionError: "),
            "without {needed}: {said}"
        );
    }
}

#[tokio::test]
async fn duckdb_makes_of_files_and_of_packets_what_the_function_makes() {
    let folder = loaded().await;
    let [of_files, of_packets] = write_both(folder.path());
    let compared = compare(folder.path(), &of_files, &of_packets);
    let counts: Value = serde_json::from_str(&succeeded(&compared)).unwrap();
    let expected = serde_json::json!({
        "fact_sales_order": packets::SALES_ORDERS,
        "dim_staff": 5,
        "dim_counterparty": 3,
        "dim_currency": 4,
        "fact_sales_order_current": packets::SALES_ORDERS - 2,
    });
    for (name, count) in expected.as_object().unwrap() {
        assert_eq!(&counts[name], count, "{name}: {counts}");
    }
    assert_ne!(counts["orphans"], 0, "{counts}");
}

#[test]
fn athena_and_spark_can_be_parsed() {
    for (engine, of_files, of_packets) in [("athena", 37, 29), ("spark", 37, 29)] {
        let folder = TempDir::new().unwrap();
        let files = write_sql(folder.path(), engine, "--files", "s3://processed");
        let packets = write_sql(folder.path(), engine, "--packets", "s3://ingestion");
        let parse = [&script("parse.py"), Path::new(engine), &files, &packets];
        let parsed = succeeded(&python().args(parse).output().unwrap());
        assert_eq!(parsed, format!("{of_files}\n{of_packets}\n"), "{engine}");
    }
}

#[tokio::test]
async fn a_project_of_dbt_builds_and_its_tests_hold() {
    let folder = loaded().await;
    let [packets, project] = ["packets", "project"].map(|name| folder.path().join(name));
    let written = star_sql(&[
        "--engine",
        "dbt",
        "--packets",
        packets.to_str().unwrap(),
        "--into",
        project.to_str().unwrap(),
    ]);
    assert_eq!(succeeded(&written), "");
    let built = python()
        .args([
            "-m",
            "dbt.cli.main",
            "--no-use-colors",
            "--no-send-anonymous-usage-stats",
            "build",
        ])
        .current_dir(&project)
        .output();
    let said = succeeded(&built.unwrap());
    assert!(said.contains(" ERROR=0 "), "{said}");
    let orphans = said
        .lines()
        .filter(|line| line.contains(" WARN ") && line.contains("relationships"));
    assert_ne!(orphans.count(), 0, "{said}");
}

#[test]
fn terraform_has_the_tables_of_the_built_in_star() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/terraform/star_schema/star.json"
    );
    let catalog = succeeded(&star_sql(&["--engine", "glue"]));
    #[expect(clippy::disallowed_methods, reason = "a person asks for the rewrite")]
    let update = std::env::var_os("UPDATE").is_some();
    if update {
        fs::write(file, &catalog).unwrap();
    }
    let committed = fs::read_to_string(file).unwrap();
    assert_eq!(committed, catalog, "UPDATE=1 writes {file} anew");
}

#[test]
fn the_tables_are_documented() {
    let page = succeeded(&star_sql(&["--engine", "markdown"]));
    for line in [
        "## fact_sales_order",
        "Every version of each row of sales_order, numbered.",
        "| `sales_staff_id` | int |  | sales_order.staff_id -> dim_staff |",
        "| `district` | text | may be null | address.district |",
        "| `currency_name` | text |  | names(currency.currency_code) or 'Unknown' |",
        "| `day_of_week` | int |  | Monday 1 to Sunday 7 |",
    ] {
        assert!(
            page.lines().any(|written| written == line),
            "{line}\n{page}"
        );
    }
}

#[test]
fn what_cannot_be_written_is_told() {
    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        let output = star_sql(arguments);
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(expected), "{said}");
    }
    check(&["--engine", "duckdb"], "what is the star read from?");
    check(
        &["--engine", "athena", "--files", "star"],
        "Athena reads S3 alone",
    );
    check(&["--engine", "dbt", "--files", "star"], "--into");
    let nowhere = ["--engine", "spark", "--packets", "nowhere"];
    check(&nowhere, "nowhere is no folder");
    let folder = TempDir::with_prefix("a[b").unwrap();
    let pattern = folder.path().to_str().unwrap();
    let pattern = ["--engine", "duckdb", "--files", pattern];
    check(&pattern, "takes");
    let both = ["--engine", "spark", "--files", "a", "--packets", "b"];
    check(&both, "cannot be used with");
    check(
        &["--engine", "glue", "--star", "/nowhere"],
        "/nowhere cannot be read",
    );
    check(
        &[
            "--engine",
            "glue",
            "--star",
            script("compare.py").to_str().unwrap(),
        ],
        "it is no TOML",
    );
}

#[test]
fn a_folder_without_files_is_an_empty_star() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().to_str().unwrap();
    let sql = write_sql(folder.path(), "duckdb", "--files", place);
    let run = "import duckdb, sys; database = duckdb.connect(); database.execute(open(sys.argv[1]).read()); \
               print(database.execute('SELECT count(*) FROM orphans').fetchall())";
    let ran = python().args(["-c", run]).arg(sql).output().unwrap();
    assert_eq!(succeeded(&ran), "[(0,)]\n");
}

#[test]
fn a_file_may_be_older_than_a_column() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let [packets, star, description] = ["packets", "star", "star.toml"].map(path);
    fs::create_dir(&packets).unwrap();
    let describe = |columns: &str| {
        let text = format!("[dim_a]\nfrom = \"a\"\ncolumns = [{columns}]");
        fs::write(&description, text).unwrap();
    };
    for (id, columns) in [(1, r#""a_id int""#), (2, r#""a_id int", "b text?""#)] {
        describe(columns);
        let row = format!(r#"{{"a_id":{id},"b":"x","last_updated":"2026-11-20T10:00:00"}}"#);
        fs::write(format!("{packets}/a_{id}_x.jsonl"), row).unwrap();
        let mut load = Command::new(env!("CARGO_BIN_EXE_nozzle"));
        load.args(["star", &packets, "--into", &star, "--star", &description]);
        succeeded(&load.output().unwrap());
    }
    describe(r#""a_id int", "b text?", "c date?""#);
    let asked = [
        "--engine",
        "duckdb",
        "--files",
        &star,
        "--star",
        &description,
    ];
    let sql = succeeded(&star_sql(&asked));
    let run = "import duckdb, sys; database = duckdb.connect(); database.execute(sys.argv[1]); \
               print(database.execute('SELECT * FROM dim_a ORDER BY a_id').fetchall())";
    let ran = python().args(["-c", run, &sql]).output().unwrap();
    assert_eq!(succeeded(&ran), "[(1, None, None), (2, 'x', None)]\n");
}

/// Names of columns: every word that `DuckDB` has for its own, and what it adds to files.
const KEYWORDS: &str = "import duckdb; words = duckdb.execute('SELECT keyword_name FROM duckdb_keywords()'); \
                        print(*{word for word, in words.fetchall()} | {'filename'})";

#[test]
fn a_column_may_have_any_name() {
    let words = python().args(["-c", KEYWORDS]).output().unwrap();
    let words = succeeded(&words);
    let columns: Vec<_> = words.split_whitespace().collect();
    let columns = columns
        .iter()
        .map(|name| format!("\"{name} text?\""))
        .collect::<Vec<_>>();
    let folder = TempDir::new().unwrap();
    let description = folder.path().join("star.toml");
    let text = format!(
        "version_by = \"last_updated\"\n[dim_word]\nfrom = \"word\"\ncolumns = [\"word_id int\", {}]\n",
        columns.join(", ")
    );
    fs::write(&description, text).unwrap();
    fs::write(
        folder.path().join("word_1_x.jsonl"),
        "{\"word_id\":1,\"at\":\"now\",\"filename\":\"a\",\"last_updated\":\"2024-01-01 00:00:00\"}\n",
    )
    .unwrap();
    for source in ["--files", "--packets"] {
        let place = folder.path().to_str().unwrap();
        let description = description.to_str().unwrap();
        let sql = star_sql(&["--engine", "duckdb", "--star", description, source, place]);
        let script = folder.path().join("star.sql");
        fs::write(&script, succeeded(&sql)).unwrap();
        let run = "import duckdb, sys; database = duckdb.connect(); database.execute(open(sys.argv[1]).read()); \
                   print(database.execute('SELECT word_id, \"at\", filename FROM dim_word').fetchall())";
        let ran = python().args(["-c", run]).arg(script).output();
        let expected = match source {
            "--files" => "[]\n",
            _ => "[(1, 'now', 'a')]\n",
        };
        assert_eq!(succeeded(&ran.unwrap()), expected, "{source}");
    }
}
