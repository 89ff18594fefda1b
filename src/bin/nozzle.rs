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
            let _ = writeln!(io::stderr(), "nozzle: {error:#}");
            ExitCode::FAILURE
        }
    }
}
