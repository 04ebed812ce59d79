/// The setting of an index that is being restored. It is one of those that keep shards off nodes with an attribute, and no
/// node has this one: it changes nothing, can be set together with the restore, and taken away again.
pub const MARK: &str = "index.routing.allocation.exclude.optimize_backup_restore";
/// The setting that is restored together with [`MARK`], and taken away with it: until the whole backup is there, nobody can
/// write to a part of it.
pub const WRITE_BLOCK: &str = "index.blocks.write";

/// The value of [`MARK`], with the UUID of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It is to be replaced, and is as it was: it tells of the restore while others are gone.
    Planned(String),
    /// Its restore was begun.
    Begun(String),
    /// It was seen to be restored.
    Restored(String),
    /// All indices of the restore were: the marks are being taken away.
    Finished(String),
}

const PLANNED: &str = ".planned";
const RESTORED: &str = ".restored";
const FINISHED: &str = ".finished";

impl Mark {
    pub(crate) fn parse(text: &str) -> Self {
        if let Some(uuid) = text.strip_suffix(RESTORED) {
            Self::Restored(uuid.to_owned())
        } else if let Some(uuid) = text.strip_suffix(FINISHED) {
            Self::Finished(uuid.to_owned())
        } else if let Some(uuid) = text.strip_suffix(PLANNED) {
            Self::Planned(uuid.to_owned())
        } else {
            Self::Begun(text.to_owned())
        }
    }

    pub(crate) fn uuid(&self) -> &str {
        match self {
            Self::Planned(uuid) | Self::Begun(uuid) | Self::Restored(uuid) | Self::Finished(uuid) => uuid,
        }
    }

    /// Indices of its restore are missing, or may be.
    pub(crate) fn is_unfinished(&self) -> bool {
        !matches!(self, Self::Finished(_))
    }

    /// The value for an index that the snapshot with this UUID replaces later.
    pub(crate) fn planned(uuid: &str) -> String {
        format!("{uuid}{PLANNED}")
    }

    /// The value for an index that was seen to be restored from the snapshot with this UUID.
    pub(crate) fn restored(uuid: &str) -> String {
        format!("{uuid}{RESTORED}")
    }

    /// The value for an index of a restore all of whose indices were seen to be restored.
    pub(crate) fn finished(uuid: &str) -> String {
        format!("{uuid}{FINISHED}")
    }
}
