//! Images for a lab, made from busybox and `scripts/rootfs`.

use super::Lab;

impl Lab {
    /// Makes an image on every node: `instructions` are lines of a Dockerfile that need no build (`CMD`, `ENV`, `HEALTHCHECK`, …).
    /// In it are busybox, and `app`, `healthy` and `idle` of `scripts/rootfs/bin`. Without instructions it stands in for the public
    /// image of that name, as far as the examples use it: `nginx:1.27-alpine` answers on 80, `redis-cli ping` answers PONG.
    #[track_caller]
    pub fn image(&self, name: &str, instructions: &[&str]) {
        let mut after = vec![name];
        after.extend(instructions);
        self.call(&["image"], &after);
    }

    /// Makes an image on every node that has the built `skep` and the libraries it needs, besides what [`Lab::image`] has.
    /// It has the entry point, command and healthcheck of the Dockerfile's image, and root as its user.
    #[track_caller]
    pub fn skep_image(&self, name: &str) {
        let health =
            "HEALTHCHECK --interval=1s --timeout=5s --start-period=20s --retries=3 CMD [\"skep\", \"healthcheck\"]";
        let skep = env!("CARGO_BIN_EXE_skep");
        self.program(name, skep, &[health, r#"ENTRYPOINT ["skep"]"#, r#"CMD ["run"]"#]);
    }

    /// Makes an image on every node that has a program of this machine and the libraries it needs, besides what [`Lab::image`]
    /// has.
    #[track_caller]
    pub fn program(&self, name: &str, program: &str, instructions: &[&str]) {
        let mut after = vec![name, program];
        after.extend(instructions);
        self.call(&["program"], &after);
    }

    /// An image that serves `text` on 8080 until SIGTERM and says whether it is healthy. The variables of `scripts/rootfs/bin/app`
    /// make it exit, or fall ill; they can be set here or in a stack file.
    #[track_caller]
    pub fn app(&self, name: &str, text: &str, variables: &[&str]) {
        let text = format!("ENV APP_TEXT={text}");
        let variables: Vec<String> = variables.iter().map(|variable| format!("ENV {variable}")).collect();
        let mut instructions =
            vec![r#"CMD ["app"]"#, r#"HEALTHCHECK --interval=500ms --timeout=2s --retries=3 CMD ["healthy"]"#, &text];
        instructions.extend(variables.iter().map(String::as_str));
        self.image(name, &instructions);
    }

    /// The same without a healthcheck: for Swarm it is up as soon as it is started.
    #[track_caller]
    pub fn app_unchecked(&self, name: &str, text: &str) {
        self.image(name, &[r#"CMD ["app"]"#, &format!("ENV APP_TEXT={text}")]);
    }
}
