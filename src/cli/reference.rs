//! The command line reference, `docs/cli.md`, printed from the arguments themselves.

use clap::{Command, CommandFactory};

use super::arguments::Arguments;

/// The whole page.
pub fn page() -> String {
    let mut command = Arguments::command().term_width(100).max_term_width(100);
    command.build();
    let mut text = String::from(
        "# Command line\n\n\
         Standard output is data, standard error is talk. Colour and live progress appear on a terminal only; `NO_COLOR` is\n\
         honoured. `DOCKER_HOST` (unix, tcp, ssh), `DOCKER_CONTEXT`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` work as in the\n\
         docker command; `SOPS_AGE_KEY_FILE` and `SOPS_AGE_KEY` as in `sops` ([secrets.md](secrets.md)).\n\n\
         | code | meaning |\n|---|---|\n\
         | 0 | done, or nothing to do |\n\
         | 1 | failure: bad usage and invalid input included |\n\
         | 2 | only with `--detailed-exitcode`: there are changes |\n\
         | 3 | a saved plan is stale: an object, a file or a record that it is about has moved |\n\
         | 4 | applied, but not healthy in time or rolled back |\n\
         | 5 | blocked: held, suspended, a guard, or managed by a controller |\n\
         | 130 | interrupted |\n",
    );
    for verb in command.get_subcommands_mut() {
        if !verb.is_hide_set() {
            section(verb, &mut text);
        }
    }
    text
}

fn section(verb: &mut Command, text: &mut String) {
    let name = verb.get_name().to_owned();
    let help = verb.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    text.push_str(&format!("\n## skep {name}\n\n```text\n{}\n```\n", help.join("\n")));
}
