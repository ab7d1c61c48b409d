//! `skep import`: what runs, as stack files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::client::{Api, Client};
use crate::diag::{Sources, did_you_mean};
use crate::import::{self, Imported, Placing, Request};
use crate::model::{StackName, label};
use crate::operator::snapshot;
use crate::swarm::{Live, Network};

use super::arguments::ImportArguments;
use super::connect;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::print;

/// Networks that every engine has and no list shows as the swarm's.
const PREDEFINED: [&str; 3] = ["host", "bridge", "none"];
/// The file that declares stacks.
const DECLARATION: &str = "skep.yaml";

pub async fn run(arguments: &ImportArguments, environment: &Environment) -> Result<Exit, Failure> {
    let client = connect::client(environment)?;
    let live = snapshot::take(&client).await?;
    let predefined = predefined(&client, &live).await?;
    let placing = if arguments.out.is_some() { Placing::Files } else { Placing::Inline };
    let write = |stack: &StackName, services: &[String]| {
        import::import(&Request { stack, services, live: &live, predefined: &predefined, placing })
    };
    let Some(stack) = &arguments.stack else { return all(arguments, environment, &live, &write) };
    let stack = StackName::parse(stack).map_err(|error| Failure::usage(format!("invalid stack name: {error}")))?;
    are_there(&stack, &arguments.services, &live)?;
    let imported = write(&stack, &arguments.services);
    say(&imported, environment);
    match &arguments.out {
        None => print::text(&imported.text())?,
        Some(directory) => {
            let files = imported.files.iter().map(|(path, content)| (directory.join(path), content.as_slice()));
            save(&files.collect::<Vec<_>>(), arguments.force)?;
        }
    }
    Ok(Exit::Done)
}

/// Every stack, each in a directory of its own, and what declares them.
fn all(
    arguments: &ImportArguments,
    environment: &Environment,
    live: &Live,
    write: &dyn Fn(&StackName, &[String]) -> Imported,
) -> Result<Exit, Failure> {
    let Some(directory) = &arguments.out else { return Err(Failure::usage("--all needs --out DIR")) };
    let mut stacks = Vec::new();
    for name in import::stacks(live) {
        match StackName::parse(name) {
            Ok(stack) => stacks.push(stack),
            Err(error) => print::say(&format!("skep: stack {name} is left out: {error}")),
        }
    }
    if stacks.is_empty() {
        return Err(Failure::usage("no stack runs on this swarm"));
    }
    let imported: Vec<(&StackName, Imported)> = stacks.iter().map(|stack| (stack, write(stack, &[]))).collect();
    let declaration = import::declaration(&stacks);
    let mut files = vec![(directory.join(DECLARATION), declaration.as_bytes())];
    for (stack, imported) in &imported {
        say(imported, environment);
        let below = directory.join(stack.as_str());
        files.extend(imported.files.iter().map(|(path, content)| (below.join(path), content.as_slice())));
    }
    save(&files, arguments.force)?;
    let unmanaged = live.services.iter().filter(|service| !service.spec.labels.contains_key(label::NAMESPACE));
    let names: Vec<&str> = unmanaged.map(|service| service.spec.name.as_str()).collect();
    if !names.is_empty() {
        print::say(&format!("no stack made {}", names.join(", ")));
        print::say("  help: `skep import STACK --service NAME` writes them too");
    }
    Ok(Exit::Done)
}

/// What is asked for must run.
fn are_there(stack: &StackName, services: &[String], live: &Live) -> Result<(), Failure> {
    let known = import::stacks(live);
    if services.is_empty() && !known.contains(&stack.as_str()) {
        let near = did_you_mean(stack.as_str(), known.iter().copied());
        return Err(Failure::Usage {
            message: format!("nothing on this swarm carries the label of a stack {stack}"),
            hint: Some(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "`--service NAME` takes services that no stack made".to_owned(),
                None => format!("these run: {}", known.join(", ")),
            }),
        });
    }
    let by_name: BTreeMap<&str, _> = live.services.iter().map(|it| (it.spec.name.as_str(), it)).collect();
    for name in services {
        let Some(service) = by_name.get(name.as_str()) else {
            return Err(Failure::Usage {
                message: format!("there is no service {name}"),
                hint: did_you_mean(name, by_name.keys().copied()).map(|near| format!("did you mean `{near}`?")),
            });
        };
        match service.spec.labels.get(label::NAMESPACE) {
            Some(other) if other != stack.as_str() => {
                return Err(Failure::usage_hint(
                    format!("service {name} is of the stack {other}"),
                    format!("skep import {other}"),
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The names of the engine's own networks, by the ids that services on them have: no list explains those.
async fn predefined(client: &Client, live: &Live) -> Result<BTreeMap<String, String>, Failure> {
    let known: BTreeSet<&str> = live.networks.iter().map(|network| network.id.as_str()).collect();
    let mut attachments = live.services.iter().flat_map(|service| &service.spec.task_template.networks);
    let mut found = BTreeMap::new();
    if attachments.all(|network| known.contains(network.target.as_str())) {
        return Ok(found);
    }
    let api = Api::<Network>::all(client.clone());
    for name in PREDEFINED {
        if let Some(network) = api.find_predefined(name).await? {
            found.insert(network.id, name.to_owned());
        }
    }
    Ok(found)
}

/// Tells what the files leave out.
fn say(imported: &Imported, environment: &Environment) {
    print::diagnostics(&imported.diagnostics, &Sources::new(), environment.style());
}

/// Writes files, and nothing where one of them is there already.
fn save(files: &[(PathBuf, &[u8])], force: bool) -> Result<(), Failure> {
    let there: Vec<String> =
        files.iter().filter(|(path, _)| path.exists()).map(|(path, _)| path.display().to_string()).collect();
    if !there.is_empty() && !force {
        return Err(Failure::usage_hint(
            format!("nothing was written: {} exists already", there.join(", ")),
            "--force writes over it",
        ));
    }
    for (path, content) in files {
        write(path, content, force).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        print::text(&format!("{}\n", path.display()))?;
    }
    Ok(())
}

fn write(path: &Path, content: &[u8], force: bool) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut options = std::fs::OpenOptions::new();
    // What came to be there in the meantime is not written over either.
    let options = if force { options.create(true).truncate(true) } else { options.create_new(true) };
    let mut file = options.write(true).open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => std::io::Error::new(ErrorKind::AlreadyExists, "it exists already"),
        _ => error,
    })?;
    std::io::Write::write_all(&mut file, content)
}
