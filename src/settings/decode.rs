//! Reading `skep.yaml` and the controller's configuration: every fault with its place, all of them at once.

use std::cell::RefCell;
use std::time::Duration;

use super::controller::{Controller, Credential, Decryption, Source};
use super::fleet::{Fleet, StackEntry};
use super::stack::{
    Adopt, Drift, OnFailure, Removed, Resolve, StackSettings, Strictness, SyncMode, SyncSettings, ZeroDowntime,
};
use crate::diag::{Diagnostic, Faults, code};
use crate::yaml::{Fields, Node, View};

/// Reads the one document of a `skep.yaml`.
pub fn read_fleet(document: &Node, faults: &mut Faults) -> Option<Fleet> {
    read(document, faults, fleet)
}

/// Reads the one document of a controller's configuration.
pub fn read_controller(document: &Node, faults: &mut Faults) -> Option<Controller> {
    read(document, faults, controller)
}

/// Nothing comes of a file with an error: half a fleet would look like a fleet from which stacks were removed.
fn read<T>(document: &Node, faults: &mut Faults, decode: impl FnOnce(&View<'_>) -> Option<T>) -> Option<T> {
    let found = RefCell::new(Faults::new());
    let value = decode(&View::root(document, &found));
    let found = found.into_inner();
    let failed = found.any_errors();
    faults.extend(found.into_sorted());
    value.filter(|_| !failed)
}

fn version(fields: &mut Fields<'_>) -> u32 {
    let Some(view) = fields.require("version") else { return 1 };
    match view.integer::<u32>() {
        Some(1) | None => {}
        Some(_) => view
            .fault(view.invalid_diagnostic("this skep knows version 1 only").hint("a newer format needs a newer skep")),
    }
    1
}

fn fleet(view: &View<'_>) -> Option<Fleet> {
    let mut fields = view.fields()?;
    let fleet = Fleet {
        version: version(&mut fields),
        cluster: fields.text("cluster"),
        defaults: fields.said("defaults").and_then(|view| defaults(&view)).unwrap_or_default(),
        variables: fields.said("variables").and_then(|view| view.entries(|_, view| value(&view))).unwrap_or_default(),
        stacks: fields.said("stacks").and_then(|view| view.list(|view| entry(&view))).unwrap_or_default(),
    };
    fields.accept_extensions();
    fields.finish();
    Some(fleet)
}

/// A variable's value: the scalar as it is written, so `1.10` stays `1.10`.
fn value(view: &View<'_>) -> Option<String> {
    match view.node().scalar() {
        Some(scalar) if !scalar.is_null() => Some(scalar.text.clone()),
        _ => {
            view.wrong_type("text");
            None
        }
    }
}

fn defaults(view: &View<'_>) -> Option<StackSettings> {
    let mut fields = view.fields()?;
    let settings = settings(&mut fields);
    fields.finish();
    Some(settings)
}

fn entry(view: &View<'_>) -> Option<StackEntry> {
    let mut fields = view.fields()?;
    let entry = StackEntry {
        discover: fields.text("discover"),
        name: fields.text("name"),
        files: fields.said("files").and_then(|view| one_or_more(&view)).unwrap_or_default(),
        env_files: fields.said("envFiles").and_then(|view| one_or_more(&view)).unwrap_or_default(),
        depends_on: fields.said("dependsOn").and_then(|view| one_or_more(&view)).unwrap_or_default(),
        repo: fields.text("repo"),
        reference: fields.text("ref"),
        settings: settings(&mut fields),
        span: Some(view.span()),
    };
    fields.finish();
    match (&entry.discover, &entry.name) {
        (None, None) => view.fault(
            Diagnostic::error(code::MISSING_KEY, format!("{} says neither `name` nor `discover`", view.name()))
                .at(view.span())
                .hint("`name: shop` declares one stack, `discover: \"stacks/*\"` one a directory"),
        ),
        (Some(_), Some(_)) => view.invalid("it says both `name` and `discover`; take one"),
        (Some(_), None) if entry.repo.is_some() => view.invalid("`repo` goes with `name`, not with `discover`"),
        _ => {}
    }
    if entry.reference.is_some() && entry.repo.is_none() {
        view.invalid("`ref` goes with `repo`; the reference of this source is the controller's setting");
    }
    Some(entry)
}

fn one_or_more(view: &View<'_>) -> Option<Vec<String>> {
    if view.node().scalar().is_some() { view.text().map(|text| vec![text]) } else { view.texts() }
}

fn settings(fields: &mut Fields<'_>) -> StackSettings {
    StackSettings {
        sync: fields.said("sync").and_then(|view| sync(&view)),
        zero_downtime: fields.choice(
            "zeroDowntime",
            &[("auto", ZeroDowntime::Auto), ("enforce", ZeroDowntime::Enforce), ("off", ZeroDowntime::Off)],
        ),
        on_failure: fields.choice("onFailure", &[("rollback", OnFailure::Rollback), ("hold", OnFailure::Hold)]),
        parallel: fields.said("parallel").and_then(|view| at_least_one(&view)),
        timeout: fields.said("timeout").and_then(|view| positive(&view)),
        ignore: fields.said("ignore").and_then(|view| view.list(|view| pointer(&view))),
        resolve: fields.choice(
            "resolve",
            &[("changed", Resolve::Changed), ("always", Resolve::Always), ("never", Resolve::Never)],
        ),
        adopt: fields.choice("adopt", &[("safe", Adopt::Safe), ("apply", Adopt::Apply)]),
        trust_secrets: fields.boolean("trustSecrets"),
        variables: fields.choice("variables", &[("strict", Strictness::Strict), ("loose", Strictness::Loose)]),
        profiles: fields.said("profiles").and_then(|view| one_or_more(&view)),
        bind_root: fields.said("bindRoot").and_then(|view| absolute(&view)),
    }
}

/// A directory of the nodes.
fn absolute(view: &View<'_>) -> Option<String> {
    let text = view.text()?;
    if !text.starts_with('/') || text.split('/').any(|part| part == "..") {
        view.invalid(format_args!("`{text}` is no absolute path"));
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

fn sync(view: &View<'_>) -> Option<SyncSettings> {
    let mut fields = view.fields()?;
    let settings = SyncSettings {
        mode: fields.choice("mode", &[("auto", SyncMode::Auto), ("manual", SyncMode::Manual)]),
        prune: fields.boolean("prune"),
        removed: fields.choice("removed", &[("keep", Removed::Keep), ("delete", Removed::Delete)]),
        drift: fields
            .choice("drift", &[("report", Drift::Report), ("correct", Drift::Correct), ("ignore", Drift::Ignore)]),
        max_delete: fields.said("maxDelete").and_then(|view| percent(&view)),
    };
    fields.finish();
    Some(settings)
}

/// A number of percent.
fn percent(view: &View<'_>) -> Option<u8> {
    let number = view.integer::<u8>()?;
    if number > 100 {
        view.invalid("it is a number of percent, 0 to 100");
        return None;
    }
    Some(number)
}

/// A number of things of which there is at least one.
fn at_least_one(view: &View<'_>) -> Option<u32> {
    let number = view.integer::<u32>()?;
    if number == 0 {
        view.invalid("it is at least 1");
        return None;
    }
    Some(number)
}

fn pointer(view: &View<'_>) -> Option<String> {
    let text = view.text()?;
    if text.starts_with('/') && text.len() > 1 {
        return Some(text);
    }
    view.fault(
        view.invalid_diagnostic("it is no JSON pointer into a service's spec")
            .hint("it begins with `/`, as `/Mode/Replicated/Replicas`"),
    );
    None
}

fn positive(view: &View<'_>) -> Option<Duration> {
    match view.duration().map(u64::try_from) {
        Some(Ok(nanoseconds)) if nanoseconds > 0 => Some(Duration::from_nanos(nanoseconds)),
        Some(_) => {
            view.invalid("it must be longer than nothing");
            None
        }
        None => None,
    }
}

fn controller(view: &View<'_>) -> Option<Controller> {
    let mut fields = view.fields()?;
    let controller = Controller {
        version: version(&mut fields),
        cluster: fields.text("cluster"),
        sources: fields.said("sources").and_then(|view| view.list(|view| source(&view))).unwrap_or_default(),
        credentials: fields
            .said("credentials")
            .and_then(|view| view.list(|view| credential(&view)))
            .unwrap_or_default(),
        decryption: fields.said("decryption").and_then(|view| decryption(&view)),
        docker_config: fields.text("dockerConfig"),
        state_dir: fields.text("stateDir"),
        resync: fields.said("resync").and_then(|view| positive(&view)),
    };
    fields.finish();
    Some(controller)
}

fn decryption(view: &View<'_>) -> Option<Decryption> {
    let mut fields = view.fields()?;
    let decryption = Decryption { age_key_files: fields.texts("ageKeyFiles").unwrap_or_default() };
    fields.finish();
    Some(decryption)
}

fn source(view: &View<'_>) -> Option<Source> {
    let mut fields = view.fields()?;
    let source = Source {
        url: fields.require("url").and_then(|view| view.text()).unwrap_or_default(),
        reference: fields.text("ref"),
        path: fields.text("path").unwrap_or_default(),
        interval: fields.said("interval").and_then(|view| positive(&view)),
        discover: fields.text("discover"),
    };
    fields.finish();
    Some(source)
}

fn credential(view: &View<'_>) -> Option<Credential> {
    let mut fields = view.fields()?;
    let credential = Credential {
        url: fields.require("url").and_then(|view| view.text()).unwrap_or_default(),
        username: fields.text("username"),
        password_file: fields.text("passwordFile"),
        ssh_key_file: fields.text("sshKeyFile"),
        passphrase_file: fields.text("passphraseFile"),
        known_hosts_file: fields.text("knownHostsFile"),
        ca_file: fields.text("caFile"),
    };
    fields.finish();
    Some(credential)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Shown, Sources};

    fn faults_of(text: &str) -> (Option<Fleet>, String) {
        let mut sources = Sources::new();
        let file = sources.add("skep.yaml", text);
        let documents = crate::yaml::read(sources.text(file), file).expect("YAML");
        let mut faults = Faults::new();
        let fleet = read_fleet(documents.first().expect("a document"), &mut faults);
        let lines: Vec<String> = faults.into_sorted().iter().map(|fault| Shown::new(fault, &sources).line()).collect();
        (fleet, lines.join("\n"))
    }

    #[test]
    fn a_whole_fleet_is_read() {
        let (fleet, faults) = faults_of(
            "version: 1\ncluster: prod\ndefaults:\n  sync: { mode: manual, prune: false, removed: delete, drift: ignore }\n  \
             timeout: 2m\n  ignore: [ /Mode/Replicated/Replicas ]\nvariables: { DOMAIN: example.org, PORT: 80 }\nstacks:\n  \
             - discover: \"stacks/*\"\n    files: [ compose.yaml, \"?prod.yaml\" ]\n  - name: shop\n    files: shop.yaml\n    \
             dependsOn: [ web ]\n  - name: blog\n    repo: https://git.example.org/blog.git\n    ref: main\n",
        );
        assert_eq!(faults, "");
        let fleet = fleet.expect("no fault");
        assert_eq!(fleet.cluster.as_deref(), Some("prod"));
        assert_eq!(fleet.variables.get("PORT").map(String::as_str), Some("80"));
        assert_eq!(fleet.stacks.len(), 3);
        let settings = fleet.stacks[1].settings.resolve(&fleet.defaults);
        assert_eq!(
            (settings.mode, settings.prune, settings.timeout),
            (SyncMode::Manual, false, Duration::from_secs(120))
        );
    }

    #[test]
    fn every_fault_is_named_with_its_place_and_nothing_comes_of_the_file() {
        let (fleet, faults) = faults_of(
            "version: 2\nclutser: prod\ndefaults: { sync: { drift: mend, maxDelete: 101, mode: often }, zeroDowntime: auto }\nstacks:\n  - files: [a]\n  \
             - name: x\n    ref: main\n",
        );
        assert!(fleet.is_none());
        insta::assert_snapshot!(faults, @r"
        skep.yaml:1:10: error: `version`: this skep knows version 1 only [schema/invalid-value]
        skep.yaml:2:1: error: unknown key `clutser` [schema/unknown-key]
        skep.yaml:3:28: error: `defaults.sync.drift`: `mend` is none of `report`, `correct`, `ignore` [schema/invalid-value]
        skep.yaml:3:45: error: `defaults.sync.maxDelete`: it is a number of percent, 0 to 100 [schema/invalid-value]
        skep.yaml:3:56: error: `defaults.sync.mode`: `often` is none of `auto`, `manual` [schema/invalid-value]
        skep.yaml:5:5: error: `stacks[0]` says neither `name` nor `discover` [schema/missing-key]
        skep.yaml:6:5: error: `stacks[1]`: `ref` goes with `repo`; the reference of this source is the controller's setting [schema/invalid-value]
        ");
    }
}
