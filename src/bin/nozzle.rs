//! The tool: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use nozzle::tool::Tool;

#[expect(
    clippy::print_stderr,
    reason = "this is where an error reaches the person"
)]
fn main() -> ExitCode {
    match Tool::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nozzle: {error:#}");
            ExitCode::FAILURE
        }
    }
}
