//! Asking the person at the terminal.

use std::io::Write;

use super::environment::Environment;
use super::failure::Failure;

/// Asks a question whose answer is yes or no.
///
/// # Errors
/// No terminal to ask on, naming the flag that answers beforehand; and a "no".
pub fn confirm(environment: &Environment, question: &str, flag: &str) -> Result<(), Failure> {
    if !environment.can_ask {
        return Err(Failure::usage_hint(
            "there is no terminal to ask on, so nothing was done",
            format!("{flag} answers beforehand"),
        ));
    }
    anstream::eprint!("{question} [y/N] ");
    std::io::stderr().flush().map_err(Failure::output)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(Failure::output)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::usage("nothing was done")),
    }
}
