//! The stack files that skep and Docker are both shown: the project's fixtures, its examples, and other people's stacks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use skep::compose::{self, Input, Mode};
use skep::desired::{self, Desired};
use skep::diag::{Diagnostic, Severity, has_errors};
use skep::model::StackName;
use skep::source::Machine;

/// The home directory of whoever deploys.
pub const HOME: &str = "/root";
/// Examples of what Docker does not know.
const MODERN: &[&str] = &["example-compose-spec"];
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What Docker makes of a file, as its `note` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// There is no note: the same as skep.
    Equal,
    /// `refused`: nothing; it follows the modern rule, which Docker does not know.
    Refused,
    /// `differs: CODE`: something else on purpose, and skep warns of it with this code.
    Differs(String),
}

/// A stack file, or several that override each other.
#[derive(Debug)]
pub struct Case {
    /// Its stack's name.
    pub name: String,
    /// Where it lies.
    pub dir: PathBuf,
    /// The files, in order.
    pub files: Vec<PathBuf>,
    /// The environment.
    pub variables: Vec<(String, String)>,
    /// What Docker makes of it.
    pub note: Note,
    /// The first major version of Docker's client that reads it so; an older one is not asked. `since` says it.
    pub since: u32,
    /// Where what the engine held is kept, if it is.
    pub golden: Option<PathBuf>,
}

/// `tests/fixtures/compose`: one for each rule.
pub fn fixtures() -> Vec<Case> {
    let cases: Vec<Case> =
        folders(&Path::new(ROOT).join("tests/fixtures/compose")).iter().map(|dir| fixture(dir)).collect();
    assert!(cases.len() > 50, "the fixtures are there");
    cases
}

/// `tests/fixtures/invalid`: what neither takes.
pub fn invalid() -> Vec<Case> {
    let cases: Vec<Case> =
        folders(&Path::new(ROOT).join("tests/fixtures/invalid")).iter().map(|dir| fixture(dir)).collect();
    assert!(cases.len() > 10, "the invalid samples are there");
    cases
}

/// `examples`: each as its README deploys it.
pub fn examples() -> Vec<Case> {
    let examples = Path::new(ROOT).join("examples");
    let mut found: Vec<(String, Vec<PathBuf>)> = folders(&examples.join("stacks"))
        .into_iter()
        .map(|dir| (format!("example-{}", file_name(&dir)), vec![dir.join("compose.yaml")]))
        .collect();
    let shop = examples.join("fleet/stacks/shop");
    for overlay in ["prod", "staging"] {
        let files = vec![shop.join("compose.yaml"), shop.join(format!("compose.{overlay}.yaml"))];
        found.push((format!("example-shop-{overlay}"), files));
    }
    found.push(("example-gateway".to_owned(), vec![examples.join("fleet/stacks/gateway/compose.yaml")]));
    found.push(("example-skep".to_owned(), vec![examples.join("skep-stack.yaml")]));
    let variables = [("DOMAIN", "example.test"), ("SHOP_TAG", "6.7.0"), ("SHOP_MESSAGE", "hello")];
    let goldens = Path::new(ROOT).join("tests/fixtures/examples");
    let case = |(name, files): (String, Vec<PathBuf>)| Case {
        dir: files[0].parent().expect("a directory").to_owned(),
        variables: with_home(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        since: 0,
        note: if MODERN.contains(&name.as_str()) { Note::Refused } else { Note::Equal },
        golden: Some(goldens.join(format!("{name}.json"))),
        name,
        files,
    };
    found.into_iter().map(case).collect()
}

/// Other people's, where `SKEP_CORPUS` names a directory of them.
pub fn corpus() -> Option<Vec<Case>> {
    let corpus = PathBuf::from(std::env::var_os("SKEP_CORPUS")?);
    let mut folders = folders(&corpus);
    folders.retain(|dir| dir.join("compose.yaml").is_file());
    let case = |(index, dir): (usize, PathBuf)| Case {
        // Theirs are too long for the name of a service.
        name: format!("corpus-{index}"),
        files: vec![dir.join("compose.yaml")],
        dir,
        variables: with_home([]),
        note: Note::Equal,
        since: 0,
        golden: None,
    };
    Some(folders.into_iter().enumerate().map(case).collect())
}

impl Case {
    /// Loads and lowers it, as `docker stack deploy` would take it.
    pub fn lower(&self) -> (Option<Desired>, Vec<Diagnostic>) {
        let machine = Machine::new(&self.dir, Some(HOME.into()));
        let paths: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        let variables = self.variables.iter().cloned().collect::<BTreeMap<_, _>>().into();
        let loaded =
            compose::load(&Input { home: Some(HOME), ..Input::new(&machine, &paths, &variables, Mode::Direct) });
        let mut diagnostics = loaded.diagnostics;
        let Some(compose) = loaded.compose else { return (None, diagnostics) };
        let (desired, found) = desired::lower(&compose, &StackName::parse(&self.name).expect("a name"));
        diagnostics.extend(found);
        (Some(desired).filter(|_| !has_errors(&diagnostics)), diagnostics)
    }

    /// `-c FILE` for each file.
    pub fn arguments(&self) -> Vec<String> {
        self.files.iter().flat_map(|file| ["-c".to_owned(), file.display().to_string()]).collect()
    }

    /// Where people find it.
    pub fn shown(&self) -> String {
        format!("{} ({})", self.name, self.dir.strip_prefix(ROOT).unwrap_or(&self.dir).display())
    }
}

/// The codes of warnings.
pub fn warnings(diagnostics: &[Diagnostic]) -> BTreeSet<&str> {
    diagnostics.iter().filter(|found| found.severity == Severity::Warning).map(|found| found.code).collect()
}

/// The errors, in a line.
pub fn errors(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|found| found.severity == Severity::Error);
    errors.map(|error| format!("{}: {}", error.code, error.message)).collect::<Vec<_>>().join("; ")
}

fn fixture(dir: &Path) -> Case {
    let text = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap_or_default();
    let note = text("note");
    let note = match note.trim().split_once(": ") {
        None if note.trim().is_empty() => Note::Equal,
        None if note.trim() == "refused" => Note::Refused,
        Some(("differs", code)) => Note::Differs(code.to_owned()),
        _ => panic!("{}: a note is `refused` or `differs: CODE`, not {note:?}", dir.display()),
    };
    let env = text("env");
    let variables = env.lines().map(|line| line.split_once('=').expect("NAME=value"));
    let files = ["compose.yaml", "over.yaml", "last.yaml"].map(|name| dir.join(name));
    Case {
        name: file_name(dir),
        files: files.into_iter().filter(|file| file.is_file()).collect(),
        dir: dir.to_owned(),
        variables: with_home(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        note,
        since: text("since").trim().parse().unwrap_or(0),
        golden: Some(dir.join("expected.json")),
    }
}

fn with_home(variables: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let home = [("HOME".to_owned(), HOME.to_owned())];
    home.into_iter().chain(variables).collect()
}

fn folders(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    folders
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}
