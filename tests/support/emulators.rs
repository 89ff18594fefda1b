//! AWS on this machine: ministack on a free port, gone when the test is, however it ends.
//! `tests/tools/fetch` gets it.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};

use super::client::{TABLE, settings};

/// A process that is stopped when this is dropped, and when the test's process ends.
pub(crate) struct Emulator {
    keeper: Child,
    pub(crate) address: SocketAddr,
    _folder: tempfile::TempDir,
}

/// Runs a command until its own standard input ends, which it does when whoever holds it is gone.
const KEEPER: &str = r#""$@" & emulator=$!; read -r _; kill -9 $emulator; wait"#;

/// `None`, and says why, where it has not been fetched.
pub(crate) fn ministack() -> Option<Emulator> {
    let program = fetched("venv/bin/ministack")?;
    let address = free_address();
    let mut command = keeper();
    command
        .arg(program)
        .env("GATEWAY_PORT", address.port().to_string())
        .env("BIND_HOST", "127.0.0.1")
        .env("LOG_LEVEL", "ERROR");
    Some(Emulator::start(command, address))
}

fn fetched(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(".cache")
        .join(name);
    if !path.exists() {
        say_skipped(&path);
        return None;
    }
    Some(path)
}

#[expect(clippy::print_stderr, reason = "a test that passes unseen says so")]
fn say_skipped(path: &Path) {
    let path = path.display();
    eprintln!("SKIPPED: {path} is not there; tests/tools/fetch gets it");
}

fn keeper() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", KEEPER, "keeper"]);
    command
}

/// Where nobody listens.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

impl Emulator {
    fn start(mut command: Command, address: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keeper = command
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            keeper,
            address,
            _folder: folder,
        }
    }

    /// Waits until it answers, and makes the claim table.
    pub(crate) async fn create_table(&self) {
        let client = Client::new(&settings(self.address));
        for _ in 0..300 {
            if create_table(&client).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        create_table(&client).await.unwrap();
    }
}

async fn create_table(client: &Client) -> Result<(), aws_sdk_dynamodb::Error> {
    let key = KeySchemaElement::builder()
        .attribute_name("id")
        .key_type(KeyType::Hash);
    let id = AttributeDefinition::builder()
        .attribute_name("id")
        .attribute_type(ScalarAttributeType::S);
    client
        .create_table()
        .table_name(TABLE)
        .key_schema(key.build().unwrap())
        .attribute_definitions(id.build().unwrap())
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await?;
    Ok(())
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
