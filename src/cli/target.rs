//! What a verb is about: the stacks of `-c` files, or those of a repository, loaded and lowered.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::compose;
use crate::desired::Desired;
use crate::diag::{Diagnostic, Faults, Sources, code};
use crate::model::files::MAX_FILE;
use crate::model::{Files, RedactedUrl, Revision, StackName};
use crate::operator::fleet::{self, Declaration, Declared, Search};
use crate::operator::load::{self, Loaded};
use crate::operator::sources::parse_reference;
use crate::operator::world::SourceId;
use crate::settings::{self, Controller, Settings};
use crate::sops::Keys;
use crate::source::{Credential, Directory, Follow, Machine, Reference, Spec, direct, git};

use super::arguments::TargetArguments;
use super::environment::Environment;
use super::failure::Failure;
use super::keys;

/// The stacks a verb is about.
pub struct Target {
    /// Whence they come.
    pub origin: Origin,
    /// The stacks, each after those it depends on; each with its own faults and texts.
    pub stacks: Vec<Stack>,
    /// Faults of what declares them.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts those point into.
    pub sources: Sources,
    /// The `skep.yaml` that would declare what was found where there is none.
    pub suggestion: Option<String>,
}

/// Whence stacks come.
pub enum Origin {
    /// `-c`: no source, no record.
    Direct,
    /// A repository.
    Repository {
        /// As records name it.
        source: SourceId,
        /// The revision.
        revision: Revision,
        /// The branch, or what else was asked for. Empty for a directory as it lies there.
        reference: String,
    },
}

/// One stack.
pub struct Stack {
    /// Its name.
    pub name: StackName,
    /// Stacks that come first.
    pub depends_on: Vec<StackName>,
    /// What holds for it.
    pub settings: Settings,
    /// What its files say.
    pub desired: Option<Desired>,
    /// The revision of a repository of its own.
    pub revision: Option<Revision>,
    /// Its faults.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts they point into.
    pub sources: Sources,
}

/// Whether a verb may take stacks that no `skep.yaml` declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undeclared {
    /// It looks around: `plan`, `render`, `validate`.
    Look,
    /// It wants a `skep.yaml` or `--discover`: `apply`.
    Refuse,
}

/// Whether a verb needs the stack's name with `-c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// It must be said, or stand in the file.
    Required,
    /// The directory's name does.
    Optional,
}

impl Target {
    /// Loads what the arguments name. Faults in the files are no failure: they are in the target.
    ///
    /// # Errors
    /// Arguments that do not fit together, and a repository that cannot be read.
    pub async fn load(
        arguments: &TargetArguments,
        environment: &Environment,
        undeclared: Undeclared,
        name: Name,
    ) -> Result<Self, Failure> {
        if arguments.compose_files.is_empty() {
            repository(arguments, environment, undeclared).await
        } else {
            direct(arguments, environment, name)
        }
    }

    /// Every fault of every stack, and of what declares them.
    pub fn faults(&self) -> impl Iterator<Item = (&[Diagnostic], &Sources)> {
        let own = std::iter::once((self.diagnostics.as_slice(), &self.sources));
        own.chain(self.stacks.iter().map(|stack| (stack.diagnostics.as_slice(), &stack.sources)))
    }

    /// Whether any fault is an error.
    pub fn has_errors(&self) -> bool {
        self.faults().any(|(diagnostics, _)| crate::diag::has_errors(diagnostics))
    }
}

fn direct(arguments: &TargetArguments, environment: &Environment, name: Name) -> Result<Target, Failure> {
    let keys = keys::read(environment, None)?;
    let mut machine = Machine::new(&environment.directory, environment.home().map(PathBuf::from));
    if arguments.compose_files.iter().any(|file| file == direct::STDIN) {
        let mut content = Vec::new();
        let read = std::io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut content);
        read.map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
        machine = machine.with_stdin(content);
    }
    let mut paths = Vec::new();
    for file in &arguments.compose_files {
        let path =
            machine.locate("", file).map_err(|error| Failure::usage(format!("{file} cannot be read: {error}")))?;
        paths.push(path);
    }
    let name = match (arguments.stacks.as_slice(), name) {
        ([name], _) => name.clone(),
        ([], asked) => {
            let variables = environment.variables.clone().into();
            let own = compose::name(&compose::Input::new(&machine, &paths, &variables, compose::Mode::Direct));
            match (own, asked) {
                (Some(own), _) => own,
                (None, Name::Optional) => named_after(&environment.directory),
                (None, Name::Required) => {
                    return Err(Failure::usage_hint(
                        "with -c the stack needs a name",
                        "skep plan -c compose.yaml STACK",
                    ));
                }
            }
        }
        (_, _) => return Err(Failure::usage("-c takes one stack at a time")),
    };
    let name = StackName::parse(&name).map_err(|error| Failure::usage(format!("invalid stack name: {error}")))?;
    let mut loaded =
        load::direct(&machine, &paths, &name, &environment.variables, environment.home(), &arguments.profiles, &keys);
    as_typed(&mut loaded, &environment.directory);
    Ok(Target {
        origin: Origin::Direct,
        stacks: vec![Stack {
            name,
            depends_on: Vec::new(),
            settings: Settings::default(),
            desired: loaded.desired,
            revision: None,
            diagnostics: loaded.diagnostics,
            sources: loaded.sources,
        }],
        diagnostics: Vec::new(),
        sources: Sources::new(),
        suggestion: None,
    })
}

/// Names files under the current directory without it, as they were typed.
fn as_typed(loaded: &mut Loaded, directory: &Path) {
    let prefix = format!("{}/", directory.display());
    loaded.sources.rename(|path| path.strip_prefix(&prefix).unwrap_or(path).to_owned());
    for diagnostic in &mut loaded.diagnostics {
        diagnostic.message = diagnostic.message.replace(&format!("`{prefix}"), "`");
    }
}

/// A repository, opened at a revision.
struct Opened {
    files: Arc<dyn Files>,
    /// A directory as it lies there tells its revision once it was read.
    directory: Option<Arc<Directory>>,
    revision: Option<Revision>,
    reference: String,
    url: RedactedUrl,
    name: String,
}

async fn repository(
    arguments: &TargetArguments,
    environment: &Environment,
    undeclared: Undeclared,
) -> Result<Target, Failure> {
    let controller = configuration(arguments.config.as_deref())?;
    let keys = keys::read(environment, Some(&controller))?;
    let credentials: Vec<Credential> = controller.credentials.iter().map(credential).collect();
    let opened = open(arguments, environment, &credentials).await?;
    let mut faults = Faults::new();
    let mut sources = Sources::new();
    let search = match &arguments.discover {
        Some(glob) => Search::Pattern { path: &arguments.path, glob },
        None => Search::Declared { path: &arguments.path },
    };
    let declared = fleet::declare(opened.files.as_ref(), search, &mut sources, &mut faults);
    let mut suggestion = None;
    let declaration = match declared {
        Some(declaration) => declaration,
        None if faults.any_errors() => Declaration::default(),
        None => {
            let found = fleet::look_around(opened.files.as_ref(), &opened.name, &mut faults);
            let text = fleet::suggestion(&found);
            if found.stacks.is_empty() {
                return Err(Failure::usage_hint(
                    format!("there is no skep.yaml in {}, and no stack file either", opened.url),
                    "name files with -c, or a pattern with --discover",
                ));
            }
            if undeclared == Undeclared::Refuse {
                return Err(Failure::usage_hint(
                    format!("there is no skep.yaml in {}", opened.url),
                    format!("this one would declare what is there:\n{text}"),
                ));
            }
            suggestion = Some(text);
            found
        }
    };
    let cluster = arguments.cluster.as_deref().or(controller.cluster.as_deref());
    if let (Some(wanted), Some(own)) = (declaration.cluster.as_deref(), cluster)
        && wanted != own
    {
        let message = format!("skep.yaml is for cluster `{wanted}`, and this swarm is `{own}`");
        faults.push(Diagnostic::error(code::WRONG_CLUSTER, message));
    }
    let wanted = chosen(arguments, &declaration)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let loading =
        stream::iter(in_order(wanted)?).map(|declared| load_stack(&opened, declared, arguments, &credentials, &keys));
    let stacks = loading.buffered(threads).try_collect().await?;
    let revision = match (&opened.revision, &opened.directory) {
        (Some(revision), _) => revision.clone(),
        (None, Some(directory)) => directory.revision()?,
        (None, None) => Revision::new(""),
    };
    Ok(Target {
        origin: Origin::Repository {
            source: SourceId::new(&opened.url, &arguments.path),
            revision,
            reference: opened.reference,
        },
        stacks,
        diagnostics: faults.into_sorted(),
        sources,
        suggestion,
    })
}

/// The stacks the arguments name, or all.
fn chosen<'a>(arguments: &TargetArguments, declaration: &'a Declaration) -> Result<Vec<&'a Declared>, Failure> {
    if arguments.stacks.is_empty() {
        return Ok(declaration.stacks.values().collect());
    }
    let mut chosen = Vec::new();
    for text in &arguments.stacks {
        let found = declaration.stacks.values().find(|declared| declared.name.as_str() == text);
        let Some(found) = found else {
            let known = declaration.stacks.keys().map(StackName::as_str);
            let hint = match crate::diag::did_you_mean(text, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
            };
            return Err(Failure::usage_hint(format!("no stack `{text}` is declared"), hint));
        };
        chosen.push(found);
    }
    Ok(chosen)
}

/// Each stack after those it depends on, by name otherwise.
fn in_order(mut waiting: Vec<&Declared>) -> Result<Vec<&Declared>, Failure> {
    let mut ordered: Vec<&Declared> = Vec::new();
    while !waiting.is_empty() {
        let is_free = |declared: &&Declared| !waiting.iter().any(|other| declared.depends_on.contains(&other.name));
        let (free, left): (Vec<&Declared>, Vec<&Declared>) = waiting.iter().copied().partition(is_free);
        if free.is_empty() {
            let names: Vec<&str> = left.iter().map(|declared| declared.name.as_str()).collect();
            return Err(Failure::usage(format!("stacks depend on each other in a circle: {}", names.join(", "))));
        }
        ordered.extend(free);
        waiting = left;
    }
    Ok(ordered)
}

async fn load_stack(
    opened: &Opened,
    declared: &Declared,
    arguments: &TargetArguments,
    credentials: &[Credential],
    keys: &Keys,
) -> Result<Stack, Failure> {
    let (files, revision): (Arc<dyn Files>, _) = match &declared.repository {
        None => (Arc::clone(&opened.files), None),
        Some(own) => {
            let pin = arguments.pins.stacks.get(declared.name.as_str());
            let spec = Spec {
                reference: reference(own.reference.as_deref(), pin),
                credentials: credentials.to_vec(),
                ..Spec::new(own.url.reveal())
            };
            let follow = Follow::open(&clones(), spec)?;
            let revision = follow.resolve().await?;
            (follow.tree(&revision).await?, Some(revision))
        }
    };
    let (declaring, mut declared, keys) = (Arc::clone(&opened.files), declared.clone(), keys.clone());
    declared.settings.profiles.extend_from_slice(&arguments.profiles);
    let load = move || {
        let Loaded { desired, diagnostics, sources } =
            load::repository(files.as_ref(), declaring.as_ref(), &declared, &keys);
        Stack {
            name: declared.name,
            depends_on: declared.depends_on,
            settings: declared.settings,
            desired,
            revision,
            diagnostics,
            sources,
        }
    };
    Ok(tokio::task::spawn_blocking(load).await?)
}

async fn open(
    arguments: &TargetArguments,
    environment: &Environment,
    credentials: &[Credential],
) -> Result<Opened, Failure> {
    let url = match &arguments.repo {
        Some(repo) if repo.contains("://") || !environment.directory.join(repo).exists() => repo.clone(),
        Some(directory) => absolute(&environment.directory.join(directory))?,
        None => match git::enclosing(&environment.directory)? {
            Some(root) => absolute(&root)?,
            None => {
                return Err(Failure::usage_hint(
                    "there is no git repository around the current directory",
                    "name a stack file with -c FILE STACK, or a repository with --repo DIR|URL",
                ));
            }
        },
    };
    let name = named_after(Path::new(url.trim_end_matches('/').trim_end_matches(".git")));
    let pin = arguments.pins.repository.as_ref();
    if arguments.reference.is_none() && pin.is_none() && Path::new(&url).is_dir() {
        // A bare repository has no files lying about.
        // One with a `.git` is none, which is known without starting the git library.
        let bare = !Path::new(&url).join(git::DOT_GIT).exists()
            && git::Repository::open(Path::new(&url)).is_ok_and(|repository| repository.is_bare());
        if !bare {
            let directory = Arc::new(Directory::open(&url)?);
            return Ok(Opened {
                files: Arc::clone(&directory) as Arc<dyn Files>,
                directory: Some(directory),
                revision: None,
                reference: String::new(),
                url: RedactedUrl::new(url),
                name,
            });
        }
    }
    let spec = Spec {
        reference: reference(arguments.reference.as_deref(), pin),
        credentials: credentials.to_vec(),
        ..Spec::new(url.as_str())
    };
    let follow = Follow::open(&clones(), spec)?;
    let revision = follow.resolve().await?;
    let files = follow.tree(&revision).await?;
    Ok(Opened {
        files,
        directory: None,
        revision: Some(revision),
        reference: follow.name(),
        url: RedactedUrl::new(url),
        name,
    })
}

/// What is read: the commit that a saved plan names, or else what the words mean now.
fn reference(text: Option<&str>, pin: Option<&String>) -> Reference {
    pin.map_or_else(|| parse_reference(text), |pin| Reference::Commit(pin.clone()))
}

/// Where the command line keeps clones: with the user's other caches.
fn clones() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    cache.unwrap_or_else(std::env::temp_dir).join("skep")
}

/// Reads the controller's configuration; without a file it is empty.
///
/// # Errors
/// A file that cannot be read, and its faults, which are printed.
pub fn configuration(path: Option<&Path>) -> Result<Controller, Failure> {
    let Some(path) = path else { return Ok(Controller { version: 1, ..Controller::default() }) };
    let machine = Machine::new("/", None);
    let mut sources = Sources::new();
    let mut faults = Faults::new();
    let located = std::path::absolute(path)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))?;
    let configuration = match crate::yaml::open(&machine, &located.to_string_lossy(), None, &mut sources) {
        Ok((_, documents)) => match documents.as_slice() {
            [document] => settings::read_controller(document, &mut faults),
            _ => return Err(Failure::usage(format!("{} must hold one YAML document", path.display()))),
        },
        Err(found) => {
            faults.extend(found);
            None
        }
    };
    let faults = faults.into_sorted();
    super::print::diagnostics(&faults, &sources, crate::diag::Style::Plain);
    configuration.ok_or(Failure::Invalid)
}

/// A credential as the source room takes it.
pub fn credential(credential: &settings::Credential) -> Credential {
    let path = |text: &Option<String>| text.as_ref().map(PathBuf::from);
    Credential {
        prefix: credential.url.clone(),
        username: credential.username.clone(),
        password_file: path(&credential.password_file),
        ssh_key_file: path(&credential.ssh_key_file),
        passphrase_file: path(&credential.passphrase_file),
        known_hosts_file: path(&credential.known_hosts_file),
        ca_file: path(&credential.ca_file),
    }
}

fn named_after(directory: &Path) -> String {
    let name = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if StackName::parse(&name).is_ok() { name } else { "stack".to_owned() }
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let absolute = std::fs::canonicalize(path)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))?;
    absolute.into_os_string().into_string().map_err(|_| Failure::usage("the path is not valid UTF-8"))
}
