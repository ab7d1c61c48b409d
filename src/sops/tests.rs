use super::*;
use crate::diag::{Diagnostic, FileId, Sources};
use crate::model::confidential::HIDDEN;
use crate::yaml::{Node, Value, read};

const KEY: &str = include_str!("../../tests/fixtures/sops/key.txt");

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/sops/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).expect("text")
}

fn keys() -> Keys {
    Keys::parse(KEY).expect("the test key")
}

fn file() -> FileId {
    Sources::new().add("stack.yaml", "")
}

fn documents(text: &str) -> Vec<Node> {
    read(text, file()).expect("YAML")
}

/// What values mean, without where and how they are written.
fn meaning(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Scalar(scalar) => format!("{:?} {:?}", scalar.resolve(), scalar.go_text()).into(),
        Value::Sequence(items) => items.iter().map(meaning).collect::<Vec<_>>().into(),
        Value::Mapping(mapping) => mapping
            .entries
            .iter()
            .map(|entry| vec![entry.key.clone().into(), meaning(&entry.value)].into())
            .collect::<Vec<serde_json::Value>>()
            .into(),
    }
}

fn open_with(name: &str, content: &[u8], keys: &Keys) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
    open(content, name, keys).map(|opened| opened.map(|opened| opened.content.reveal().clone()))
}

fn code(result: Result<impl Sized, Box<Diagnostic>>) -> &'static str {
    result.err().map_or("", |fault| fault.code)
}

const YAML: &[&str] = &[
    "stack.yaml",
    "two.yaml",
    "mac-only.yaml",
    "regex.yaml",
    "unencrypted-regex.yaml",
    "encrypted-suffix.yaml",
    "suffix.yaml",
    "comment.yaml",
    "two-keys.yaml",
];

#[test]
fn a_document_becomes_what_sops_makes_of_it() {
    for name in YAML {
        let mut opened = documents(&text(name));
        let spans: Vec<_> = opened.iter().map(|document| document.span.start).collect();
        let found = decrypt(&mut opened, &keys(), name);
        assert!(matches!(&found, Ok(Some(texts)) if !texts.is_empty()), "{name}: {found:?}");
        let expected = documents(&text(&format!("{name}.decrypted")));
        let of = |documents: &[Node]| documents.iter().map(meaning).collect::<Vec<_>>();
        assert_eq!(of(&opened), of(&expected), "{name}");
        assert_eq!(spans, opened.iter().map(|document| document.span.start).collect::<Vec<_>>());
    }
}

#[test]
fn what_was_encrypted_is_marked_and_the_rest_is_not() {
    let mut opened = documents(&text("regex.yaml"));
    let texts = decrypt(&mut opened, &keys(), "regex.yaml").expect("decrypts").expect("is encrypted");
    let find = |path: &[&str]| {
        let mut node = &opened[0];
        for key in path {
            node = &node.mapping().expect("a mapping").find(key).expect("the key").value;
        }
        node.scalar().expect("a scalar").clone()
    };
    let password = find(&["services", "web", "environment", "DB_PASS"]);
    assert_eq!((password.text.as_str(), password.secret), ("canary-pass", true));
    assert!(!find(&["services", "web", "environment", "LEVEL"]).secret);
    assert_eq!(texts.hide("x canary-pass x"), format!("x {HIDDEN} x"));
    assert_eq!(texts.hide("debug"), "debug");
}

#[test]
fn a_whole_yaml_file_keeps_its_values_and_comments() {
    for name in YAML {
        let opened = open_with(name, &fixture(name), &keys()).expect("decrypts").expect("is encrypted");
        let opened = String::from_utf8(opened).expect("text");
        let expected = text(&format!("{name}.decrypted"));
        let of = |text: &str| documents(text).iter().map(meaning).collect::<Vec<_>>();
        assert_eq!(of(&opened), of(&expected), "{name}:\n{opened}");
        for comment in expected.lines().filter_map(|line| line.trim().strip_prefix("# ")) {
            assert!(opened.contains(&format!("# {comment}")), "{name}: {comment}\n{opened}");
        }
        assert!(!opened.contains("#ENC["), "{name}:\n{opened}");
    }
}

#[test]
fn json_and_bytes_are_those_that_sops_gives_back() {
    for name in ["app.json", "blob.bin"] {
        let opened = open_with(name, &fixture(name), &keys()).expect("decrypts").expect("is encrypted");
        assert_eq!(String::from_utf8_lossy(&opened), text(&format!("{name}.decrypted")), "{name}");
    }
}

#[test]
fn a_dotenv_file_keeps_its_lines() {
    let opened = open_with("app.env", &fixture("app.env"), &keys()).expect("decrypts").expect("is encrypted");
    assert_eq!(String::from_utf8_lossy(&opened), text("app.env.decrypted"));
    let moved = text("app.env").replacen("\nDB_PASS=", "\n\nDB_PASS=", 1);
    let before = moved.lines().position(|line| line.starts_with("DB_PASS="));
    let opened = open_with("app.env", moved.as_bytes(), &keys()).expect("decrypts").expect("is encrypted");
    let opened = String::from_utf8(opened).expect("text");
    assert_eq!(opened.lines().position(|line| line.starts_with("DB_PASS=")), before);
    let texts = open(&fixture("app.env"), "app.env", &keys()).expect("decrypts").expect("is encrypted").confidential;
    assert_eq!(texts.hide("say two words"), format!("say {HIDDEN}"), "quotes are no part of a value");
}

#[test]
fn what_is_not_encrypted_is_left_alone() {
    for name in ["plain/app.env", "plain/app.json", "plain/blob.bin", "plain/stack.yaml", "make.sh", "key.txt"] {
        assert_eq!(open_with(name, &fixture(name), &Keys::none()), Ok(None), "{name}");
    }
    for text in ["", "{", "a: ENC[AES256_GCM,", "sops:\n", "sops_mac", "{\"sops\": {}, \"a\": \"ENC[AES256_GCM,\"}"] {
        assert_eq!(open_with("x", text.as_bytes(), &Keys::none()), Ok(None), "{text}");
    }
    let mut plain = documents(&text("plain/stack.yaml"));
    assert_eq!(decrypt(&mut plain, &keys(), "stack.yaml"), Ok(None));
}

#[test]
fn whatever_was_changed_is_noticed() {
    let changed = |name: &str, from: &str, to: &str| {
        let before = text(name);
        let after = before.replacen(from, to, 1);
        assert_ne!(before, after, "{name}: {from}");
        code(open_with(name, after.as_bytes(), &keys()))
    };
    assert_eq!(code(open_with("tampered.yaml", &fixture("tampered.yaml"), &keys())), "sops/mac");
    for (name, from, to) in [
        ("stack.yaml", "DB_URL:", "DB_URI:"),
        ("stack.yaml", "replicas: ENC", "replicas: 3\n            was: ENC"),
        ("regex.yaml", "LEVEL: debug", "LEVEL: info"),
        ("regex.yaml", "example/web:1.2", "example/evil:1.2"),
        (
            "regex.yaml",
            "encrypted_regex: ^(DB_.*|token)$",
            "encrypted_regex: ^(DB_.*|token)$\n    mac_only_encrypted: true",
        ),
        ("mac-only.yaml", "mac_only_encrypted: true", "mac_only_encrypted: false"),
        ("regex.yaml", "lastmodified: \"20", "lastmodified: \"21"),
        ("app.env", "EMPTY=", "EMPTY=\nNEW=value"),
        ("app.env", "MULTI=", "OTHER="),
        ("app.json", "\"ratio\"", "\"ration\""),
        ("two.yaml", "FIRST", "THIRD"),
    ] {
        assert_eq!(changed(name, from, to), "sops/mac", "{name}: {from}");
    }
    for (name, from, to) in [
        ("regex.yaml", "    mac: ", "    max: "),
        ("regex.yaml", "    mac: ENC", "    mac: END"),
        ("regex.yaml", "^(DB_.*|token)$", "("),
        ("stack.yaml", "type:int", "type:odd"),
        ("regex.yaml", "encrypted_regex:", "unencrypted_suffix: _x\n    encrypted_regex:"),
    ] {
        assert_eq!(changed(name, from, to), "sops/format", "{name}: {from}");
    }
    let unsigned = open_with("mac-only-changed.yaml", &fixture("mac-only-changed.yaml"), &keys());
    assert!(matches!(unsigned, Ok(Some(_))), "what the MAC leaves out may change: {unsigned:?}");
}

#[test]
fn a_missing_key_is_said_with_who_has_one() {
    let line = |result: Result<Option<Vec<u8>>, Box<Diagnostic>>| {
        let fault = result.expect_err("a fault");
        format!("{} [{}] {}", fault.message, fault.code, fault.hints.join(" / "))
    };
    insta::assert_snapshot!(line(open_with("app.env", &fixture("app.env"), &Keys::none())), @"`app.env` is encrypted with SOPS, and no age key is given to decrypt it [sops/no-key] name the key's file in SOPS_AGE_KEY_FILE, or set SOPS_AGE_KEY / a controller takes files of keys from `decryption.ageKeyFiles` of its configuration as well");
    insta::assert_snapshot!(line(open_with("other-key.yaml", &fixture("other-key.yaml"), &keys())), @"none of the age keys given decrypts `other-key.yaml`: it is encrypted for age1x76f5lq4x6qynxjgtu29pxfdmwwdrx9jhv03yyu8pn86tqn4ggkq30f4w2 [sops/key] give the key of one of them, or add this key's recipient with `sops`");
    insta::assert_snapshot!(line(open_with("app.ini", &fixture("app.ini"), &keys())), @"`app.ini`: it is an INI file encrypted with SOPS, a form that skep does not support [sops/format]");
    let pgp = text("regex.yaml").replacen("    age:\n", "    pgp:\n", 1);
    insta::assert_snapshot!(line(open_with("pgp.yaml", pgp.as_bytes(), &Keys::none())), @"`pgp.yaml` is encrypted for PGP: skep decrypts with age keys alone [sops/key] add an age recipient: `sops rotate --in-place --add-age age1… FILE`");
    let groups = text("regex.yaml").replacen("    age:\n", "    shamir_threshold: 2\n    key_groups:\n", 1);
    insta::assert_snapshot!(line(open_with("groups.yaml", groups.as_bytes(), &keys())), @"`groups.yaml`: it needs keys of several groups (`key_groups`), which skep does not support [sops/format]");
    let mut documents = documents(&text("other-key.yaml"));
    let fault = decrypt(&mut documents, &Keys::none(), "other-key.yaml").expect_err("a fault");
    assert_eq!((fault[0].code, fault[0].span.is_some()), ("sops/no-key", true));
}

/// An armoured file that looks like age's and asks for 2^40 rounds of scrypt.
fn costly() -> String {
    use base64::Engine as _;
    let header =
        format!("age-encryption.org/v1\n-> scrypt {} 40\n{}\n--- {}\n", "A".repeat(22), "A".repeat(43), "A".repeat(43));
    let body = base64::engine::general_purpose::STANDARD.encode(header);
    format!("-----BEGIN AGE ENCRYPTED FILE-----\n{body}\n-----END AGE ENCRYPTED FILE-----\n")
}

#[test]
fn hostile_metadata_cost_nothing() {
    let began = std::time::Instant::now();
    let recipient = KEY.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("its comment");
    let with = |entries: &[(String, String)]| {
        let age: Vec<_> = entries.iter().map(|(to, enc)| serde_json::json!({"recipient": to, "enc": enc})).collect();
        serde_json::json!({"a": "ENC[AES256_GCM,", "sops": {"mac": "ENC[AES256_GCM,", "age": age}}).to_string()
    };
    let of = |text: String| code(open_with("x.json", text.as_bytes(), &keys()));
    assert_eq!(of(with(&[(recipient.to_owned(), costly())])), "sops/format");
    assert_eq!(of(with(&vec![(recipient.to_owned(), costly()); 5000])), "sops/format");
    assert_eq!(of(with(&vec![("age1qqqq".to_owned(), String::new()); 50_000])), "sops/key");
    assert_eq!(of(with(&[(recipient.to_owned(), "A".repeat(6 << 20))])), "sops/format");
    let lists = format!("A=ENC[AES256_GCM,\nsops_mac=x\nsops_age__list_{}__map_enc=x\n", usize::MAX);
    assert_eq!(code(open_with(".env", lists.as_bytes(), &keys())), "sops/format");
    assert!(began.elapsed().as_secs() < 10, "it took {:?}", began.elapsed());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever byte of an encrypted file is changed: it is noticed, or changes nothing of what is decrypted.
    #[test]
    fn no_change_panics_or_goes_unnoticed(at in 0_usize..4000, byte in proptest::num::u8::ANY) {
        let mut content = fixture("two-keys.yaml");
        let expected = open_with("two-keys.yaml", &content, &keys()).expect("decrypts").expect("is encrypted");
        let at = at % content.len();
        content[at] = byte;
        if let Ok(Some(opened)) = open_with("two-keys.yaml", &content, &keys()) {
            let of = |text: &[u8]| documents(&String::from_utf8_lossy(text)).iter().map(meaning).collect::<Vec<_>>();
            proptest::prop_assert_eq!(of(&opened), of(&expected));
        }
    }

    #[test]
    fn no_text_panics(text in "(\\{\"|)(sops|a|data)(: |\": \\{\"|_mac=)(ENC\\[AES256_GCM,(data:|iv:|,|type:str|\\])*|[a-z\\n: \"{}]*){0,6}") {
        let _ = open_with("x", text.as_bytes(), &keys());
    }
}
