//! The tool `nozzle`: an event stream into a lake, on one machine.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    nozzle::tool::run(env::args_os())
}
