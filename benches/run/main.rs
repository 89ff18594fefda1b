//! 700,000 events into a lake of 240 partitions, by `nozzle run` and by `DuckDB`, each a process with
//! the machine's two first cores. Writes `benches/RUN.md`; `cargo bench --bench run -- quick` only
//! shows that everything works.

use std::{
    env, io,
    path::Path,
    process::{Command, ExitCode},
};

fn main() -> io::Result<ExitCode> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compared = Command::new(folder.join(".cache/bench-venv/bin/python"))
        .arg(folder.join("benches/run/beside_duckdb.py"))
        .arg(env!("CARGO_BIN_EXE_nozzle"))
        .args(env::args().skip(1))
        .status()?;
    Ok(if compared.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
