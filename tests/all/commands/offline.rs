//! What needs no swarm: usage, `validate`, `render`, `schema`, `completions`, `man`, `healthcheck`.

use std::path::Path;

use super::{web, write};
use crate::runner::Skep;

fn skep_with(files: &[(&str, &str)]) -> Skep {
    let skep = Skep::offline();
    for (path, text) in files {
        write(skep.directory(), path, text);
    }
    skep
}

#[test]
fn bad_usage_is_1_and_help_is_0() {
    let skep = Skep::offline();
    for (line, said) in [
        ("plna", "a similar subcommand exists: 'plan'"),
        ("plan --bogus", "unexpected argument '--bogus'"),
        ("", "Usage: skep"),
        ("suspend shop", "--reason <TEXT>"),
        ("suspend --reason x", "<STACK>"),
        ("suspend shop --reason x --for soon", "`soon` is no duration; say 90s, 10m or 2h"),
        ("resume --all shop", "cannot be used with"),
        ("plan -c a.yaml --repo .", "cannot be used with"),
        ("plan --compact --diff", "cannot be used with"),
        ("apply -o html -c a.yaml shop", "invalid value 'html'"),
        ("validate -o markdown -c a.yaml", "invalid value 'markdown'"),
        ("plan -c a.yaml", "with -c the stack needs a name"),
        ("plan -c a.yaml one two", "-c takes one stack at a time"),
        ("plan -c a.yaml no/name", "invalid stack name: `no/name`"),
        ("apply -c a.yaml shop --timeout 0", "`0` is no duration"),
        ("plan", "there is no git repository around the current directory"),
        ("plan --config absent.yaml --repo .", "absent.yaml` cannot be read"),
        ("run", "there is nothing to follow"),
        ("schema nothing", "invalid value 'nothing'"),
    ] {
        let words: Vec<&str> = line.split_whitespace().collect();
        let outcome = skep.run(&words).expect(1);
        assert!(outcome.stderr.contains(said), "{line}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{line}");
    }
    for line in ["--help", "plan --help", "apply -h", "--version"] {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(skep.run(&words).expect(0).stdout.contains("skep"), "{line}");
    }
}

#[test]
fn validate_names_every_fault_at_its_place() {
    let skep = skep_with(&[("stack.yaml", "services:\n  web:\n    imgae: a\n    image: b\n    ports: 80\n")]);
    let found = skep.run(&["validate", "-c", "stack.yaml"]).expect(1);
    insta::assert_snapshot!(found.stderr, @r"
    stack.yaml:3:5: error: unknown key `imgae` in `services.web` [schema/unknown-key]
      |
    3 |     imgae: a
      |     ^^^^^
      help: did you mean `image`?
    stack.yaml:5:12: error: `services.web.ports` must be a list, not a number [schema/wrong-type]
      |
    5 |     ports: 80
      |            ^^
    ");
    let document = skep.run(&["validate", "-c", "stack.yaml", "-o", "json"]).expect(1).json();
    let first = &document["diagnostics"][0];
    assert_eq!((&first["code"], &first["file"]), (&"schema/unknown-key".into(), &"stack.yaml".into()));
    assert_eq!((&first["line"], &first["column"], &first["severity"]), (&3.into(), &5.into(), &"error".into()));
    assert_eq!(first["excerpt"], "  |\n3 |     imgae: a\n  |     ^^^^^\n");
    let fine = skep_with(&[("stack.yaml", &web("a:1", 1))]);
    assert_eq!(fine.run(&["validate", "-c", "stack.yaml", "shop"]).expect(0).stdout, "1 stack: no errors\n");
}

#[test]
fn render_prints_what_would_be_posted() {
    let skep = skep_with(&[
        (
            "stack.yaml",
            &format!(
                "{}    configs: [page]\n    secrets: [key]\nconfigs:\n  page: {{ file: page.txt }}\nsecrets:\n  key: {{ file: page.txt }}\n",
                web("a:1", 2)
            ),
        ),
        ("page.txt", "hello"),
    ]);
    let rendered = skep.run(&["render", "-c", "stack.yaml", "shop"]).expect(0).json();
    let stack = &rendered["stacks"][0];
    assert_eq!(stack["stack"], "shop");
    assert_eq!(stack["services"][0]["Name"], "shop_web");
    assert_eq!(stack["services"][0]["Mode"]["Replicated"]["Replicas"], 2);
    assert_eq!(stack["services"][0]["TaskTemplate"]["Networks"][0]["Target"], "shop_default", "networks go by name");
    assert_eq!(stack["configs"][0]["Data"], "aGVsbG8=", "base64, as posted");
    assert!(stack["secrets"][0].get("Data").is_none(), "{}", stack["secrets"][0]);
    assert!(stack["volumes"].is_array());
    let yaml = skep.run(&["render", "-c", "stack.yaml", "shop", "-o", "yaml"]).expect(0);
    assert!(yaml.stdout.contains("Name: shop_web"), "{}", yaml.stdout);
    assert_eq!(serde_yaml::from_str::<serde_json::Value>(&yaml.stdout).expect("YAML"), rendered, "the same in both");
}

#[test]
fn a_file_may_name_its_stack_and_ask_for_profiles() {
    let named = format!("name: ${{WHO}}-shop\n{}  tools: {{ image: 't:1', profiles: [ops] }}\n", web("a:1", 1));
    let skep = skep_with(&[("stack.yaml", &named)]).env("WHO", "my");
    let services = |words: &[&str]| {
        let rendered = skep.run(words).expect(0).json();
        let stack = &rendered["stacks"][0];
        let names = stack["services"].as_array().expect("a list").iter();
        let names: Vec<String> = names.map(|service| service["Name"].as_str().expect("a name").to_owned()).collect();
        (stack["stack"].as_str().expect("a name").to_owned(), names)
    };
    assert_eq!(services(&["render", "-c", "stack.yaml"]), ("my-shop".into(), vec!["my-shop_web".into()]));
    assert_eq!(
        services(&["render", "-c", "stack.yaml", "--profile", "ops"]).1,
        ["my-shop_tools".to_owned(), "my-shop_web".to_owned()]
    );
    let other = skep.run(&["render", "-c", "stack.yaml", "other"]).expect(0);
    assert!(other.stderr.contains("the file calls the stack `my-shop`, it is deployed as `other`"), "{}", other.stderr);
}

#[test]
fn a_repository_may_be_made_of_what_compose_knows() {
    let skep = skep_with(&[
        (
            "skep.yaml",
            "version: 1\ndefaults: { profiles: [ops], bindRoot: /srv }\nstacks:\n  - discover: \"stacks/*\"\n",
        ),
        (
            "stacks/shop/compose.yaml",
            "include: [ ../../common/db.yaml ]\nservices:\n  web: { extends: { file: ../../common/base.yaml, service: base }, image: 'web:${TAG}' }\n",
        ),
        ("stacks/shop/.env", "TAG=2\n"),
        ("common/base.yaml", "services:\n  base: { volumes: ['./data:/data'], env_file: [{ path: base.env }] }\n"),
        ("common/base.env", "GREETING=\"hello ${TAG}\"\n"),
        ("common/db.yaml", "services:\n  db: { image: 'db:${TAG}', profiles: [ops] }\n"),
    ]);
    let rendered = skep.run(&["render", "--repo", "."]).expect(0).json();
    let services = &rendered["stacks"][0]["services"];
    assert_eq!(services[0]["TaskTemplate"]["ContainerSpec"]["Image"], "db:2");
    let web = &services[1]["TaskTemplate"]["ContainerSpec"];
    assert_eq!((&web["Image"], &web["Env"][0]), (&"web:2".into(), &"GREETING=hello 2".into()));
    assert_eq!(web["Mounts"][0]["Source"], "/srv/common/data");
    let without = skep_with(&[
        ("a/compose.yaml", "name: shop\nservices: { web: { image: 'a:1' } }\n"),
        ("b/compose.yaml", "services: { web: { image: 'b:1' } }\n"),
    ]);
    let rendered = without.run(&["render", "--repo", "."]).expect(0).json();
    let names: Vec<&str> =
        rendered["stacks"].as_array().expect("a list").iter().filter_map(|stack| stack["stack"].as_str()).collect();
    assert_eq!(names, ["b", "shop"], "the file's name, or the directory's");
}

#[test]
fn schema_prints_what_the_repository_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["stack", "skep", "config", "plan", "status"] {
        let printed = Skep::offline().run(&["schema", name]).expect(0).stdout;
        let file = root.join(format!("schemas/{name}.schema.json"));
        assert!(printed == std::fs::read_to_string(file).expect("a schema"), "{name}");
    }
}

#[test]
fn completions_and_the_manual_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        let script = Skep::offline().run(&["completions", shell]).expect(0).stdout;
        assert!(script.contains("skep") && script.contains("suspend"), "{shell}");
    }
    let page = Skep::offline().run(&["man"]).expect(0).stdout;
    assert!(page.contains(".TH skep") && page.contains("healthcheck"), "{page}");
}

#[test]
fn the_healthcheck_asks_the_heartbeat() {
    let skep = Skep::offline();
    let beat = skep.directory().join("beat");
    let path = beat.display().to_string();
    let absent = skep.run(&["healthcheck", "--heartbeat", &path]).expect(1);
    assert!(absent.stderr.starts_with("no controller runs here"), "{}", absent.stderr);
    std::fs::write(&beat, "alive\n").expect("written");
    skep.run(&["healthcheck", "--heartbeat", &path]).expect(0);
}
