//! Configs and secrets.

use serde_json::json;

use super::{at, errors, one, rendered, stack};
use crate::compose::{At, Compose, FileObject, FileReference};
use crate::model::{Kind, Secret};

fn file(content: &str) -> FileObject {
    FileObject { content: Some(Secret::new(content.as_bytes().to_vec())), ..FileObject::default() }
}

fn reference(source: &str) -> At<FileReference> {
    at(FileReference { source: source.to_owned(), ..FileReference::default() })
}

/// A stack with these configs and secrets, all given to its service.
fn with(configs: Vec<(&str, FileObject)>, secrets: Vec<(&str, FileObject)>) -> Compose {
    let mut compose = one(|service| {
        service.configs = configs.iter().map(|(key, _)| reference(key)).collect();
        service.secrets = secrets.iter().map(|(key, _)| reference(key)).collect();
    });
    let named = |objects: Vec<(&str, FileObject)>| {
        objects.into_iter().map(|(key, object)| (key.to_owned(), at(object))).collect()
    };
    compose.configs = named(configs);
    compose.secrets = named(secrets);
    compose
}

#[test]
fn the_bodies_of_configs_and_secrets() {
    let text = |text: &str| Some(text.to_owned());
    let own = FileObject {
        name: text("own"),
        labels: [("a".to_owned(), "b".to_owned())].into(),
        template_driver: text("golang"),
        ..file("hello")
    };
    let vault = FileObject {
        driver: text("vault"),
        driver_opts: [("path".to_owned(), "x".to_owned())].into(),
        ..FileObject::default()
    };
    let mut compose = with(vec![("c", own)], vec![("s", file("sesame")), ("v", vault)]);
    compose.configs.insert("unused".to_owned(), at(file("x")));
    let rendered = rendered(&compose);
    let ours = json!({ "com.docker.stack.namespace": "st" });
    assert_eq!(
        rendered["configs"],
        json!([
            { "Name": "own", "Labels": { "a": "b", "com.docker.stack.namespace": "st" }, "Data": "aGVsbG8=",
              "Templating": { "Name": "golang" } },
            { "Name": "st_unused", "Labels": ours, "Data": "eA==" }
        ]),
        "made though unused"
    );
    assert_eq!(
        rendered["secrets"],
        json!([
            { "Name": "st_s", "Labels": ours },
            { "Name": "st_v", "Labels": ours, "Driver": { "Name": "vault", "Options": { "path": "x" } } }
        ]),
        "without data"
    );
    assert!(!rendered.to_string().contains("sesame") && !rendered.to_string().contains("c2VzYW1l"));
}

#[test]
fn references_have_defaults_and_are_sorted_by_name_and_target() {
    let mut compose = with(vec![("z", file("z")), ("a", file("a"))], vec![("s", file("s"))]);
    let service = &mut compose.services.get_mut("b").expect("the service").value;
    let target = |target: &str| {
        at(FileReference {
            source: "z".to_owned(),
            target: Some(target.to_owned()),
            uid: Some("1".to_owned()),
            gid: Some("2".to_owned()),
            mode: Some(0o600),
        })
    };
    service.configs.insert(0, target("/y"));
    service.configs.insert(0, target("/x"));
    let container = rendered(&compose)["services"][0]["TaskTemplate"]["ContainerSpec"].take();
    let place = |name: &str| json!({ "Name": name, "UID": "0", "GID": "0", "Mode": 292 });
    let said = |name: &str| json!({ "Name": name, "UID": "1", "GID": "2", "Mode": 384 });
    assert_eq!(
        container["Configs"],
        json!([
            { "File": place("a"), "ConfigName": "st_a" },
            { "File": said("/x"), "ConfigName": "st_z" },
            { "File": said("/y"), "ConfigName": "st_z" },
            { "File": place("z"), "ConfigName": "st_z" }
        ])
    );
    assert_eq!(container["Secrets"], json!([{ "File": place("s"), "SecretName": "st_s" }]));
}

#[test]
fn what_others_make_is_referred_to_and_not_made() {
    let external =
        |name: Option<&str>| FileObject { external: true, name: name.map(str::to_owned), ..FileObject::default() };
    let mut compose = with(vec![("c", external(Some("real")))], vec![("s", external(None))]);
    compose.secrets.insert("unused".to_owned(), at(external(None)));
    let (desired, diagnostics) = stack(&compose);
    assert_eq!(diagnostics, []);
    assert!(desired.configs.is_empty() && desired.secrets.is_empty());
    let found: Vec<_> = desired.external.iter().map(|e| (e.kind, e.name.as_str())).collect();
    assert_eq!(found, [(Kind::Config, "real"), (Kind::Secret, "s")]);
    let container = desired.services["st_b"].spec.task_template.container_spec.as_ref().expect("a container");
    assert_eq!(container.configs[0].config_name, "real");
    assert_eq!(container.configs[0].file.as_ref().map(|file| file.name.as_str()), Some("c"), "the key, not the name");
}

#[test]
fn contents_the_engine_refuses() {
    let config = |length: usize| errors(&with(vec![("c", file(&"x".repeat(length)))], Vec::new()));
    let secret = |length: usize| errors(&with(Vec::new(), vec![("s", file(&"x".repeat(length)))]));
    assert_eq!(config(0), ["compose/content-size"]);
    assert_eq!(config(1_023_999), [] as [&str; 0]);
    assert_eq!(config(1_024_000), ["compose/content-size"]);
    assert_eq!(secret(0), ["compose/content-size"]);
    assert_eq!(secret(511_999), [] as [&str; 0]);
    assert_eq!(secret(512_000), ["compose/content-size"]);
    assert_eq!(errors(&with(vec![("c", FileObject::default())], Vec::new())), ["schema/missing-key"]);
    let both = FileObject { driver: Some("vault".to_owned()), ..file("x") };
    assert_eq!(errors(&with(Vec::new(), vec![("s", both)])), ["compose/conflict"]);
}

#[test]
fn references_that_are_refused() {
    let gone = one(|service| {
        service.configs = vec![reference("c")];
        service.secrets = vec![reference("s")];
    });
    assert_eq!(errors(&gone), ["compose/undefined-config", "compose/undefined-secret"]);
    let mut twice = with(vec![("c", file("x"))], Vec::new());
    twice.services.get_mut("b").expect("the service").value.configs.push(reference("c"));
    assert_eq!(errors(&twice), ["compose/duplicate-target"]);
}

#[test]
fn names_the_engine_refuses() {
    let key = |length: usize| "k".repeat(length);
    assert_eq!(errors(&with(vec![(&key(61), file("x"))], Vec::new())), [] as [&str; 0], "64 with the stack's");
    assert_eq!(errors(&with(vec![(&key(62), file("x"))], Vec::new())), ["compose/invalid-name"]);
    assert_eq!(errors(&with(Vec::new(), vec![("with.dot", file("x"))])), [] as [&str; 0]);
    let own = |name: &str| FileObject { name: Some(name.to_owned()), ..file("x") };
    assert_eq!(errors(&with(vec![("a", own("same")), ("b", own("same"))], Vec::new())), ["compose/duplicate-name"]);
}
