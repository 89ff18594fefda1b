//! The tool `nozzle`: an event stream into a lake, on one machine.

use std::{
    io::{self, Write},
    process::ExitCode,
};

fn main() -> ExitCode {
    match nozzle::tool::run() {
        Ok(code) => code,
        Err(error) => {
            // Where nobody listens there is nobody to tell.
            let _ = writeln!(io::stderr(), "nozzle: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and what is behind it, each said once: some say their source themselves.
fn sentence(error: &anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .fold(String::new(), |said, more| {
            if said.is_empty() {
                more
            } else if said.contains(&more) {
                said
            } else {
                format!("{said}: {more}")
            }
        })
}
