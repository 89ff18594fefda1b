//! What claiming costs: Nozzle against the ways it is usually done, over a store that answers at
//! once, and over TLS with latency.

mod batch;
mod peer;
mod stub;

use std::{env, error::Error, process::ExitCode, time::Duration};

const TABLE: &str = "claims";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match &words[..] {
        ["stub", delay] => runtime.block_on(stub::run(stub::Settings {
            delay: Duration::from_millis(delay.parse()?),
            tls: None,
        }))?,
        ["stub", delay, folder] => runtime.block_on(stub::run(stub::Settings {
            delay: Duration::from_millis(delay.parse()?),
            tls: Some(folder.into()),
        }))?,
        ["nozzle", address] => runtime.block_on(peer::nozzle(address))?,
        ["put-item", address] => runtime.block_on(peer::put_item(address))?,
        _ => {}
    }
    Ok(())
}
