//! `profiles:`: a service that has some takes part only where one of them is asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Input, Variables};
use crate::diag::Span;
use crate::yaml::{Entry, Node, Value, View};

/// The variable that asks for profiles, separated by commas.
const VARIABLE: &str = "COMPOSE_PROFILES";
/// Asks for every profile.
const ALL: &str = "*";

/// The services that take no part, by name.
pub(super) type Disabled = BTreeMap<String, Entry>;

/// The profiles that are asked for.
pub(super) fn asked<'a>(input: &'a Input<'_>, variables: &'a Variables) -> BTreeSet<&'a str> {
    let by_variable = variables.find(VARIABLE).map_or("", |found| found.value);
    let names = input.profiles.iter().map(String::as_str).chain(by_variable.split(','));
    names.map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// Takes the services out of a stack that take no part in it.
pub(super) fn disable(document: &mut Node, asked: &BTreeSet<&str>) -> Disabled {
    let mut disabled = Disabled::new();
    let Value::Mapping(keys) = &mut document.value else { return disabled };
    let services = keys.entries.iter_mut().find(|entry| entry.key == "services");
    let Some(Value::Mapping(services)) = services.map(|entry| &mut entry.value.value) else { return disabled };
    let (on, off): (Vec<Entry>, Vec<Entry>) =
        std::mem::take(&mut services.entries).into_iter().partition(|service| takes_part(&service.value, asked));
    services.entries = on;
    disabled.extend(off.into_iter().map(|service| (service.key.clone(), service)));
    disabled
}

fn takes_part(service: &Node, asked: &BTreeSet<&str>) -> bool {
    let profiles = service.mapping().and_then(|keys| keys.find("profiles"));
    let profiles = profiles.and_then(|entry| entry.value.sequence()).unwrap_or_default();
    // A list of anything but text is reported when the service is decoded, so that one takes part.
    let names: Option<Vec<&str>> = profiles.iter().map(|name| name.scalar().map(|name| name.text.as_str())).collect();
    names.is_none_or(|names| names.is_empty() || asked.contains(ALL) || names.iter().any(|name| asked.contains(name)))
}

/// `profiles:` itself, once the service takes part: names in the form that Compose wants.
pub(super) fn check(view: View<'_>) {
    let name = |item: View<'_>| {
        let text = item.text()?;
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !(begins && text.chars().all(valid)) {
            item.invalid(format_args!(
                "`{text}` is no profile: a letter or digit, then letters, digits, `.`, `_` and `-`"
            ));
        }
        Some(())
    };
    view.list(name);
}

/// What only services name that take no part: the keys of `section`, `configs` or `secrets`, that no other service names.
pub(super) fn idle(disabled: &Disabled, section: &str, document: &Node) -> BTreeSet<String> {
    let mut idle: BTreeSet<String> = disabled.values().flat_map(|service| named(&service.value, section)).collect();
    let services = document.mapping().and_then(|keys| keys.find("services"));
    let services = services.and_then(|entry| entry.value.mapping()).map(|services| services.entries.as_slice());
    for service in services.unwrap_or_default() {
        for name in named(&service.value, section) {
            idle.remove(&name);
        }
    }
    idle
}

fn named(service: &Node, section: &str) -> Vec<String> {
    let list = service.mapping().and_then(|keys| keys.find(section)).and_then(|entry| entry.value.sequence());
    let source = |item: &Node| match &item.value {
        Value::Scalar(scalar) => Some(scalar.text.clone()),
        _ => Some(item.mapping()?.find("source")?.value.scalar()?.text.clone()),
    };
    list.unwrap_or_default().iter().filter_map(source).collect()
}

/// Where services stand that take no part.
pub(super) fn places(disabled: &Disabled) -> BTreeMap<String, Span> {
    disabled.iter().map(|(name, service)| (name.clone(), service.key_span)).collect()
}
