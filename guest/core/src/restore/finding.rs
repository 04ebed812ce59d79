/// What a plan has found that an operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is.
    pub code: FindingCode,
    /// The caller has overridden it.
    pub overridden: bool,
    /// What was found, and what to do.
    pub message: String,
}

/// Whether a finding stops a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It does not.
    Warning,
    /// It does, unless the caller overrides it.
    Blocking,
    /// It does.
    Final,
}

impl Finding {
    /// Whether it stops the restore.
    #[must_use]
    pub fn stops(&self) -> bool {
        match self.code.severity() {
            Severity::Warning => false,
            Severity::Blocking => !self.overridden,
            Severity::Final => true,
        }
    }
}

/// The kinds of findings, each with its word and whether it stops a restore.
macro_rules! findings {
    ($($(#[$doc:meta])+ $name:ident is $severity:ident: $code:literal,)+) => {
        /// The kind of a [`Finding`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FindingCode { $($(#[$doc])+ $name),+ }

        impl FindingCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// A stable word for it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// Whether it stops a restore.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),+ }
            }
        }
    };
}

findings! {
    /// The backup is not COMPLETE.
    BackupNotComplete is Final: "backupNotComplete",
    /// A snapshot's files cannot be read in full.
    SnapshotUnreadable is Final: "snapshotUnreadable",
    /// The backup has no index of this installation.
    NothingToRestore is Final: "nothingToRestore",
    /// An index of the backup has a name that no index can have.
    IndexNameInvalid is Final: "indexNameInvalid",
    /// An alias, a data stream or an index has a name that the restore needs.
    NameInUse is Final: "nameInUse",
    /// An index that is left alone is the one that an alias writes to, and the backup has another one.
    WriteIndexConflict is Final: "writeIndexConflict",
    /// An index cannot be deleted.
    IndexReadOnly is Final: "indexReadOnly",
    /// A backup with these indices is being made.
    BackupInProgress is Final: "backupInProgress",
    /// This backup is being deleted.
    DeletionInProgress is Final: "deletionInProgress",
    /// The other prefix is not free.
    PrefixInUse is Final: "prefixInUse",
    /// Documents were written meanwhile.
    OptimizeIsWriting is Blocking: "optimizeIsWriting",
    /// Optimize answers on its port. Only a host that knows the port finds it.
    OptimizeIsRunning is Blocking: "optimizeIsRunning",
    /// Indices of the backup look like those of another installation.
    AnotherInstallation is Blocking: "anotherInstallation",
    /// A restore of another backup is not finished.
    AnotherRestore is Blocking: "anotherRestore",
    /// The disks have not enough space.
    DiskSpace is Blocking: "diskSpace",
    /// The nodes may not have so many shards.
    ShardLimit is Blocking: "shardLimit",
    /// A restore of this backup is not finished.
    RestoreUnfinished is Warning: "restoreUnfinished",
    /// The installation has indices that the backup does not have.
    IndicesNotInBackup is Warning: "indicesNotInBackup",
    /// The backup has indices of others.
    ForeignIndices is Warning: "foreignIndices",
    /// The installation is of another version than the backup.
    VersionDiffers is Warning: "versionDiffers",
    /// There are too few nodes for the replicas.
    TooFewNodes is Warning: "tooFewNodes",
    /// The search engine did not allow a check.
    NotChecked is Warning: "notChecked",
}
