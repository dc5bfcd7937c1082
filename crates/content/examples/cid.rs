//! Prints the CID of each file named on the command line, and nothing else; for `script/bench cid` and quick checks.

use std::{io::Write, path::Path, process::ExitCode};

fn main() -> ExitCode {
    for file in std::env::args_os().skip(1) {
        let line = match parity_content::cid_of_file(Path::new(&file), |_| {}) {
            Ok(file) => writeln!(std::io::stdout(), "{}", file.link),
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "{error}");
                return ExitCode::FAILURE;
            }
        };
        if line.is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
