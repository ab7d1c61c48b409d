//! Images for a lab, made from busybox and `scripts/rootfs`.

use super::Lab;

impl Lab {
    /// Makes an image on every node: `instructions` are lines of a Dockerfile that need no build (`CMD`, `ENV`, `HEALTHCHECK`, …).
    /// In it are busybox, and `app`, `healthy` and `idle` of `scripts/rootfs/bin`.
    #[track_caller]
    pub fn image(&self, name: &str, instructions: &[&str]) {
        let mut after = vec![name];
        after.extend(instructions);
        self.call(&["image"], &after);
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
