/// The setting of an index that is being restored. It is one of those that keep shards off nodes with an attribute, and no
/// node has this one: it changes nothing, can be set together with the restore, and taken away again.
pub const MARK: &str = "index.routing.allocation.exclude.optimize_backup_restore";

/// The value of [`MARK`], with the UUID of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Its restore was begun.
    Begun(String),
    /// It was seen to be restored.
    Restored(String),
    /// All indices of the restore were: the marks are being taken away.
    Finished(String),
}

const RESTORED: &str = ".restored";
const FINISHED: &str = ".finished";

impl Mark {
    pub(crate) fn parse(text: &str) -> Self {
        if let Some(uuid) = text.strip_suffix(RESTORED) {
            Self::Restored(uuid.to_owned())
        } else if let Some(uuid) = text.strip_suffix(FINISHED) {
            Self::Finished(uuid.to_owned())
        } else {
            Self::Begun(text.to_owned())
        }
    }

    pub(crate) fn uuid(&self) -> &str {
        match self {
            Self::Begun(uuid) | Self::Restored(uuid) | Self::Finished(uuid) => uuid,
        }
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
