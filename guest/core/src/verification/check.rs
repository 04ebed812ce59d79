/// How a [`Check`] has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// It has not.
    Pending,
    /// The backup is as it should be.
    Passed,
    /// It is not.
    Failed,
    /// It is not known.
    Skipped,
}

impl CheckOutcome {
    /// The word for it in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Passed => "PASSED",
            Self::Failed => "FAILED",
            Self::Skipped => "SKIPPED",
        }
    }
}

/// Which check it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckName {
    /// Every index of both parts can be restored.
    Restored,
    /// Parts 1 and 2 together have no fewer indices than the installation had.
    Indices,
    /// The copies have no fewer documents than the indices had.
    Documents,
    /// The data is of the version of Optimize that the snapshots are named after.
    SchemaVersion,
    /// The import positions are not newer than the data.
    ImportPositions,
}

impl CheckName {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Restored, Self::Indices, Self::Documents, Self::SchemaVersion, Self::ImportPositions];

    /// A stable word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Indices => "indices",
            Self::Documents => "documents",
            Self::SchemaVersion => "schemaVersion",
            Self::ImportPositions => "importPositions",
        }
    }
}

impl Check {
    /// All checks of a verification that begins.
    pub(crate) fn all() -> Vec<Self> {
        let pending = |name: CheckName| Self {
            name: name.as_str().to_owned(),
            outcome: CheckOutcome::Pending,
            found: String::new(),
        };
        CheckName::ALL.into_iter().map(pending).collect()
    }
}

/// A check of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name: that of a [`CheckName`], or of a check of another policy.
    pub name: String,
    /// How it has ended.
    pub outcome: CheckOutcome,
    /// What was found, and what to do.
    pub found: String,
}
