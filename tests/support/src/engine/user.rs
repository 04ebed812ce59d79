//! The user that an engine runs as: they refuse to run as root.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Nobody: the one unprivileged user that is the same on every system.
const NOBODY: u32 = 65534;

const TRAVERSABLE_BY_ALL: u32 = 0o001;

/// Who runs the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// We ourselves.
    Ourselves,
    /// Nobody in our place, since we are root.
    Nobody,
}

impl User {
    /// The user for files of ours in `folder`, of which we are the owner.
    pub(crate) fn in_place_of_owner(folder: &Path) -> Result<Self> {
        let owner = folder.metadata().with_context(|| format!("looking at {}", folder.display()))?.uid();
        Ok(if owner == 0 { Self::Nobody } else { Self::Ourselves })
    }

    /// Makes the command run as this user.
    pub(crate) fn run(self, command: &mut Command) {
        if self == Self::Nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
    }

    /// Gives `path`, and what is in it, to this user.
    pub(crate) fn give(self, path: &Path) -> io::Result<()> {
        if self == Self::Ourselves {
            return Ok(());
        }
        chown(path, Some(NOBODY), Some(NOBODY))?;
        if path.is_dir() {
            for entry in path.read_dir()? {
                self.give(&entry?.path())?;
            }
        }
        Ok(())
    }

    /// Whether this user gets to `path`: a home such as root's lets nobody through.
    pub(crate) fn reaches(self, path: &Path) -> bool {
        self == Self::Ourselves
            || path
                .ancestors()
                .all(|folder| folder.metadata().is_ok_and(|data| data.permissions().mode() & TRAVERSABLE_BY_ALL != 0))
    }
}
