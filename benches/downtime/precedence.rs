//! Precedence over whatever else the machine does: what is measured is what updates lose, not what a busy machine does to a proxy.
//!
//! Without it a container shares the CPU with other work session by session, and with ten compilers beside it the client loses a
//! fifth of its requests while nothing is updated at all.

use std::path::{Path, PathBuf};

/// The cpu controller's directory and its file for a group's share, in cgroup v1 and v2, with sixteen times the usual share.
const CONTROLLERS: [(&str, &str, &str); 2] =
    [("/sys/fs/cgroup/cpu", "cpu.shares", "16384"), ("/sys/fs/cgroup", "cpu.weight", "1600")];

/// A group of its own for this process, its client and the engines that it starts; gone when this is dropped.
pub struct Precedence(Option<PathBuf>);

impl Precedence {
    /// Takes it, where the kernel lets it.
    pub fn take() -> Precedence {
        for (root, file, share) in CONTROLLERS {
            let group = Path::new(root).join(format!("skep-bench-{}", std::process::id()));
            if !Path::new(root).join("cgroup.procs").exists() || std::fs::create_dir(&group).is_err() {
                continue;
            }
            let given = std::fs::write(group.join(file), share);
            if given.and_then(|()| enter(&group)).is_ok() {
                return Precedence(Some(group));
            }
            let _ = std::fs::remove_dir(&group);
        }
        Precedence(None)
    }

    /// Whether it was had.
    pub fn is_taken(&self) -> bool {
        self.0.is_some()
    }

    /// Gives it to the containers of a lab, which are in a group of the lab's own.
    pub fn give_to(&self, lab: &Path) {
        let Some(slot) = lab.file_name().filter(|_| self.is_taken()) else { return };
        for (root, file, share) in CONTROLLERS {
            let group = Path::new(root).join(format!("skep-lab-{}", slot.to_string_lossy()));
            let _ = std::fs::write(group.join(file), share);
        }
    }
}

impl Drop for Precedence {
    fn drop(&mut self) {
        if let Some((group, root)) = self.0.as_ref().and_then(|group| Some((group, group.parent()?))) {
            // The lab is gone by now, and this process is the last one in the group.
            let _ = enter(root);
            let _ = std::fs::remove_dir(group);
        }
    }
}

fn enter(group: &Path) -> std::io::Result<()> {
    std::fs::write(group.join("cgroup.procs"), std::process::id().to_string())
}
