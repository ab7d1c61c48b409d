//! On a terminal, by way of script(1): questions, colour, live progress.

use std::path::PathBuf;

use super::{Scene, lab, web};
use crate::runner::{Outcome, Skep};

/// Runs a command line on a terminal of its own, of 80 columns. `keys` are typed once the question stands there.
fn on_terminal(scene: &Scene, line: &str, keys: &str, variables: &[(&str, &str)]) -> (Outcome, String) {
    let directory: PathBuf = scene.skep.directory().to_owned();
    let line = format!("{} {}", env!("CARGO_BIN_EXE_skep"), line.replace("STACK", &scene.stack));
    let typing = match keys {
        "" => "true".to_owned(),
        keys => format!(
            "until grep -q 'y/N' screen || [ -e over ]; do sleep 0.05; done; printf '{keys}'; until [ -e over ]; do sleep 0.05; done"
        ),
    };
    let script = format!(
        "rm -f screen over; touch screen; ( {typing} ) | {{ script -qefc 'stty cols 80; exec {line}' screen >/dev/null; echo $? >code; touch over; }}; exit $(cat code)"
    );
    let mut shell = Skep::offline().instead("/bin/bash").at(&directory).env("TERM", "xterm-256color");
    shell = shell.env("DOCKER_HOST", &scene.proxy.docker_host());
    for (name, value) in variables {
        shell = shell.env(name, value);
    }
    let outcome = shell.run(&["-c", &script]);
    let screen = String::from_utf8_lossy(&std::fs::read(directory.join("screen")).expect("a screen")).into_owned();
    (outcome, screen)
}

#[test]
fn no_is_1_yes_goes_on_and_an_interrupt_at_the_question_is_130() {
    let scene = Scene::new("asked");
    scene.write("stack.yaml", &web("cli-app:1", 1));
    let (refused, screen) = on_terminal(&scene, "apply -c stack.yaml STACK", "n\\n", &[]);
    assert!(screen.contains("Apply this? [y/N]") && screen.contains("skep: nothing was done"), "{screen}");
    assert_eq!(refused.code(), Some(1), "{screen}");
    let (interrupted, screen) = on_terminal(&scene, "apply -c stack.yaml STACK", "\\003", &[]);
    assert!(screen.contains("interrupted; nothing was done"), "{screen}");
    assert_eq!(interrupted.code(), Some(130), "{screen}");
    assert!(scene.proxy.writes().is_empty());
    let (applied, screen) = on_terminal(&scene, "apply -c stack.yaml STACK", "y\\n", &[]);
    assert_eq!(applied.code(), Some(0), "{screen}");
    assert!(screen.contains("1/1  converged"), "{screen}");
    assert_eq!(lab().running(&scene.full("web")).len(), 1);
}

#[test]
fn colour_is_for_terminals_and_no_color_is_honoured() {
    let scene = Scene::new("colour");
    scene.write("stack.yaml", &web("cli-app:1", 1));
    let (_, screen) = on_terminal(&scene, "plan -c stack.yaml STACK", "", &[]);
    assert!(screen.contains("\u{1b}["), "{screen:?}");
    for variables in [[("NO_COLOR", "1")], [("TERM", "dumb")]] {
        let (_, screen) = on_terminal(&scene, "plan -c stack.yaml STACK", "", &variables);
        assert!(screen.contains("service web") && !screen.contains("\u{1b}["), "{variables:?} {screen:?}");
    }
}
