//! Asking the person at the terminal.

use super::environment::Environment;
use super::failure::Failure;
use super::interrupt::Stop;
use super::print;

/// Asks a question whose answer is yes or no.
///
/// # Errors
/// No terminal to ask on, naming the flag that answers beforehand; a "no"; and Ctrl-C.
pub async fn confirm(environment: &Environment, question: &str, flag: &str, stop: &Stop) -> Result<(), Failure> {
    if !environment.can_ask {
        return Err(Failure::usage_hint(
            "there is no terminal to ask on, so nothing was done",
            format!("{flag} answers beforehand"),
        ));
    }
    print::prompt(&format!("{question} [y/N] "));
    // The read cannot be called off; the process ends without it.
    let reading = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let answer = tokio::select! {
        answer = reading => answer,
        () = stop.asked() => {
            print::say("");
            return Err(Failure::Interrupted);
        }
    };
    match answer {
        Ok(Ok(answer)) if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") => Ok(()),
        Ok(Ok(_)) => Err(Failure::usage("nothing was done")),
        Ok(Err(error)) => Err(Failure::usage(format!("the answer cannot be read, so nothing was done: {error}"))),
        Err(_) => Err(Failure::usage("the answer cannot be read, so nothing was done")),
    }
}
