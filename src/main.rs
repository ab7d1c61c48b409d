//! The program: reads arguments and environment, runs a verb, and turns its end into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    skep::cli::main()
}
