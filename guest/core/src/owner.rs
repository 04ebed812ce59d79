use crate::{IndexPrefix, Snapshot};

/// Whose the snapshots of one ID are: installations can share a repository, and names do not tell them apart. The index
/// prefix in the snapshots' metadata does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner<'a> {
    /// This installation's, or not known: Optimize's own snapshots have no such metadata.
    This,
    /// That of the installation with this prefix. Those of which nothing is known count as its own, too.
    Another(&'a str),
    /// Some are this installation's, and some that of the one with this prefix: two servers took the ID at the same moment,
    /// and the names differ in the version of Optimize.
    Both(&'a str),
}

impl<'a> Owner<'a> {
    pub(crate) fn of(snapshots: &'a [Snapshot], prefix: &IndexPrefix) -> Self {
        let another = |snapshot: &'a Snapshot| snapshot.installation().filter(|&told| told != prefix.as_str());
        match snapshots.iter().find_map(another) {
            None => Self::This,
            Some(other) if snapshots.iter().any(|snapshot| snapshot.is_known_of(prefix)) => Self::Both(other),
            Some(other) => Self::Another(other),
        }
    }
}

impl Snapshot {
    /// The index prefix of the installation that it is of. `None`: not known.
    fn installation(&self) -> Option<&str> {
        let told = self.origin.as_ref().and_then(|origin| origin.index_prefix.as_deref());
        told.or(self.installation.as_deref())
    }

    /// Whether it is known that it is of the installation with this prefix.
    pub(crate) fn is_known_of(&self, prefix: &IndexPrefix) -> bool {
        self.installation() == Some(prefix.as_str())
    }

    /// Whether it is not known to be of another installation.
    pub(crate) fn may_be_of(&self, prefix: &IndexPrefix) -> bool {
        self.installation().is_none_or(|told| told == prefix.as_str())
    }
}
