//! The environment and the terminal, read in this one place and handed on as values.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;

use crate::diag::Style;

/// What a run is given from outside.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The process environment; names and values that are not UTF-8 are left out.
    pub variables: BTreeMap<String, String>,
    /// The current directory.
    pub directory: PathBuf,
    /// Whether standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether a person can answer a question: standard input and standard error are a terminal.
    pub can_ask: bool,
}

impl Environment {
    /// Reads it.
    ///
    /// # Errors
    /// Where the current directory cannot be told.
    pub fn read() -> std::io::Result<Self> {
        Ok(Self {
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            directory: std::env::current_dir()?,
            stdout_is_terminal: std::io::stdout().is_terminal(),
            can_ask: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
        })
    }

    /// Whether somebody watches: what is drawn can be drawn over.
    pub fn is_interactive(&self) -> bool {
        self.can_ask && self.stdout_is_terminal && self.get("TERM") != Some("dumb")
    }

    /// A variable, if it is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The home directory.
    pub fn home(&self) -> Option<&str> {
        self.get("HOME")
    }

    /// Whether standard output takes colours: a terminal, and nobody said `NO_COLOR`.
    pub fn style(&self) -> Style {
        if self.stdout_is_terminal && self.get("NO_COLOR").is_none() && self.get("TERM") != Some("dumb") {
            Style::Colour
        } else {
            Style::Plain
        }
    }

    /// How many columns text may take: the terminal's, between 60 and 160, and 80 where there is none.
    pub fn width(&self) -> usize {
        if !self.stdout_is_terminal {
            return 80;
        }
        let columns = self.get("COLUMNS").and_then(|text| text.parse().ok());
        let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let columns = columns.or_else(terminal).unwrap_or(80);
        columns.clamp(60, 160)
    }

    /// docker's configuration directory.
    pub fn docker_config(&self) -> Option<PathBuf> {
        match self.get("DOCKER_CONFIG") {
            Some(dir) => Some(PathBuf::from(dir)),
            None => self.home().map(|home| PathBuf::from(home).join(".docker")),
        }
    }

    /// Who works here, for records: `user@host`.
    pub fn who(&self) -> String {
        let user =
            self.get("SUDO_USER").or_else(|| self.get("USER")).or_else(|| self.get("LOGNAME")).unwrap_or("somebody");
        let host = self
            .get("HOSTNAME")
            .map(str::to_owned)
            .or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|text| text.trim().to_owned()));
        format!("{user}@{}", host.unwrap_or_else(|| "localhost".to_owned()))
    }
}
