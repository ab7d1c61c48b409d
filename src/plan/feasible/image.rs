//! Images that a registry does not have, or not for the nodes that may run them.

use std::collections::BTreeMap;

use super::fit::Demand;
use super::room::House;
use super::start::Start;
use super::words::{self, ESTIMATE};
use super::{Answer, Facts};
use crate::diag::{Diagnostic, code};
use crate::swarm::Platform;
use crate::swarm::image::ImageReference;

/// What a registry's answer means for one service.
pub(super) fn check(start: &Start<'_>, key: &str, house: &House<'_>, facts: &Facts) -> Option<Diagnostic> {
    let image = start.image().filter(|_| start.has_new_image())?;
    let host = host(image);
    match facts.images.get(image)? {
        Answer::Found { platforms } => misfit(start, key, image, platforms, house),
        Answer::Missing => Some(
            Diagnostic::warning(
                code::IMAGE_MISSING,
                format!(
                    "{key}: registry {host} has no image {image}: only a node that holds it already could start a task"
                ),
            )
            .hint("push it first, or mend its name, tag or digest"),
        ),
        Answer::Denied => Some(
            Diagnostic::warning(
                code::IMAGE_MISSING,
                format!("{key}: registry {host} does not give {image} to skep: it is private, or there is none"),
            )
            .hint(format!("`docker login {host}`, or a name that exists")),
        ),
        Answer::Unknown { .. } => None,
    }
}

fn host(image: &str) -> String {
    ImageReference::parse(image).map_or_else(|_| "of the image".to_owned(), |image| image.host().to_owned())
}

fn misfit(
    start: &Start<'_>,
    key: &str,
    image: &str,
    platforms: &[(String, String)],
    house: &House<'_>,
) -> Option<Diagnostic> {
    // Attestations stand beside images under a platform of this name.
    let platforms: Vec<Platform> = platforms
        .iter()
        .filter(|(os, architecture)| os != "unknown" && !(os.is_empty() && architecture.is_empty()))
        .map(|(os, architecture)| Platform {
            os: os.clone(),
            architecture: architecture.clone(),
            ..Platform::default()
        })
        .collect();
    let demand = Demand::of(start.spec);
    let nodes: Vec<_> = house.rooms.iter().map(|room| room.node).filter(|it| demand.lasting(it).is_none()).collect();
    let runs = |platform: &Platform| platforms.iter().any(|it| it.fits(platform));
    let mut misfits: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut count = 0;
    for node in &nodes {
        let platform = node.platform();
        if !runs(&platform) {
            let own = words::platform(&platform.os, &platform.architecture);
            misfits.entry(own).or_default().push(&node.description.hostname);
            count += 1;
        }
    }
    if platforms.is_empty() || count == 0 {
        return None;
    }
    let made_for: Vec<String> = platforms.iter().map(|it| words::platform(&it.os, &it.architecture)).collect();
    let which: Vec<String> =
        misfits.iter().map(|(platform, nodes)| format!("{} ({platform})", words::names(nodes))).collect();
    let (made_for, which) = (words::names(&made_for), which.join(", "));
    let message = if count == nodes.len() {
        format!(
            "{key}: image {image} is made for {made_for}, and no node that may get a task is such a one, {ESTIMATE}: {which}"
        )
    } else {
        format!(
            "{key}: image {image} is made for {made_for}, and a task may come to a node that cannot run it, {ESTIMATE}: {which}"
        )
    };
    Some(
        Diagnostic::warning(code::IMAGE_PLATFORM, message)
            .hint("an image that is made for all of them, or a constraint such as `node.platform.arch==x86_64`"),
    )
}

/// What no registry told, in one note for each of them.
pub(super) fn unknown<'a>(images: impl Iterator<Item = &'a str>, facts: &Facts) -> Vec<Diagnostic> {
    let mut unknown: BTreeMap<(String, &str), Vec<&str>> = BTreeMap::new();
    for image in images {
        if let Some(Answer::Unknown { why }) = facts.images.get(image) {
            let images = unknown.entry((host(image), why.as_str())).or_default();
            if !images.contains(&image) {
                images.push(image);
            }
        }
    }
    let note = |((host, why), images): ((String, &str), Vec<&str>)| {
        let images = words::names(&images);
        Diagnostic::note(code::NOT_CHECKED, format!("not checked: whether registry {host} has {images} ({why})"))
    };
    unknown.into_iter().map(note).collect()
}
