//! The text of a file: section by section, with room between services and words where words are needed.

use indexmap::IndexMap;
use serde::Serialize;

use super::file::{Content, File};
use crate::model::StackName;
use crate::yaml::write_template;

/// What stands above secrets whose content is not in the file.
const SECRETS: &str = "\
# The swarm never gives back what is in a secret, so these are named and used as they are. To bring one into git, put its
# content into a file encrypted with SOPS, and write `file: ./secrets/NAME` in the place of `external: true`.
";

/// The file as text.
pub(super) fn print(file: &File, stack: &StackName) -> String {
    let mut text = format!("# The stack {stack}, as it ran when this was written.\n");
    services(&file.services, &mut text);
    section("networks", &file.networks, "", &mut text);
    section("volumes", &file.volumes, "", &mut text);
    section("configs", &file.configs, "", &mut text);
    let are_external = file.secrets.values().any(|secret: &Content| secret.external);
    section("secrets", &file.secrets, if are_external { SECRETS } else { "" }, &mut text);
    text
}

/// Services with a line between each two.
fn services(services: &IndexMap<String, impl Serialize>, text: &mut String) {
    let mut key = Some("services:\n");
    for (name, service) in services {
        let Ok(written) = write_template(&IndexMap::from([("services", IndexMap::from([(name, service)]))])) else {
            continue;
        };
        let (head, body) = written.split_once('\n').unwrap_or_default();
        debug_assert_eq!(head, "services:");
        text.push_str(key.take().unwrap_or("\n"));
        text.push_str(body);
    }
    if key.is_some() {
        text.push_str("services: {}\n");
    }
}

fn section(key: &str, objects: &IndexMap<String, impl Serialize>, comment: &str, text: &mut String) {
    if objects.is_empty() {
        return;
    }
    if let Ok(written) = write_template(&IndexMap::from([(key, objects)])) {
        text.push('\n');
        text.push_str(comment);
        text.push_str(&written);
    }
}
