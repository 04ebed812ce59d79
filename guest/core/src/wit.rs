//! Conversions between this crate's types and those that are generated from `wit/`.
//!
//! Guests and hosts have different generators, but the names are the same: a macro implements the conversions in
//! whichever module of types it is given.

/// Converts two enums with the same cases into each other; `with` says that each case holds one value.
#[doc(hidden)]
#[macro_export]
macro_rules! same_cases {
    ($wit:ty, $core:ty: $($case:ident = $other:ident),+) => {
        impl From<$wit> for $core {
            fn from(value: $wit) -> Self {
                match value { $(<$wit>::$case => Self::$other),+ }
            }
        }
        impl From<$core> for $wit {
            fn from(value: $core) -> Self {
                match value { $(<$core>::$other => Self::$case),+ }
            }
        }
    };
    ($wit:ty, $core:ty: $($case:ident),+) => {
        $crate::same_cases!($wit, $core: $($case = $case),+);
    };
    ($wit:ty, $core:ty, with: $($case:ident),+) => {
        const _: () = {
            type Wit = $wit;
            type Core = $core;
            impl From<Wit> for Core {
                fn from(value: Wit) -> Self {
                    match value { $(Wit::$case(held) => Self::$case(held)),+ }
                }
            }
            impl From<Core> for Wit {
                fn from(value: Core) -> Self {
                    match value { $(Core::$case(held) => Self::$case(held)),+ }
                }
            }
        };
    };
}

/// For the interface `elasticsearch`: converts `Method`, `Request`, `Response` and `TransportError` in both directions.
#[macro_export]
macro_rules! capability_types {
    ($interface:path) => {
        const _: () = {
            use std::time::Duration;

            use $crate as core;
            use $interface as wit;

    $crate::same_cases!(wit::Method, core::Method: Get, Put, Post, Delete);
            $crate::same_cases!(
                wit::TransportError, core::TransportError, with: Denied, Unreachable, Interrupted, Unreadable
            );

            impl From<wit::Request> for core::Request {
                fn from(wit::Request { method, path, query, body }: wit::Request) -> Self {
                    Self { method: method.into(), path, query, body }
                }
            }

            impl From<core::Request> for wit::Request {
                fn from(core::Request { method, path, query, body }: core::Request) -> Self {
                    Self { method: method.into(), path, query, body }
                }
            }

            impl From<wit::Response> for core::Response {
                fn from(wit::Response { status, retry_after, body }: wit::Response) -> Self {
                    Self { status, retry_after: retry_after.map(Duration::from_millis), body }
                }
            }

            impl From<core::Response> for wit::Response {
                fn from(core::Response { status, retry_after, body }: core::Response) -> Self {
                    Self { status, retry_after: retry_after.map(core::milliseconds), body }
                }
            }
        };
    };
}

/// For the interface `types`: converts the states and the kind of engine in both directions, the settings for a policy,
/// and gives `Error` its `kind` and `problem`.
#[macro_export]
macro_rules! policy_types {
    ($interface:path) => {
        const _: () = {
            use $crate as core;
            use $interface as wit;

            $crate::same_cases!(
                wit::BackupState, core::BackupState: Complete, InProgress, Failed, Incompatible, Incomplete
            );
            $crate::same_cases!(
                wit::SnapshotState, core::SnapshotState:
                InProgress, Success, Partial, Failed, Incompatible, Unreadable
            );
            $crate::same_cases!(
                wit::Engine, core::EngineKind: Elasticsearch = Elasticsearch, Opensearch = OpenSearch
            );
            $crate::policy_types!(@error
                InvalidRequest, Configuration, Conflict, NotFound, Unreachable, EngineFailure, Denied
            );

            /// Everything.
            impl Default for wit::ListQuery {
                fn default() -> Self {
                    (&core::ListQuery::default()).into()
                }
            }

            impl From<&core::ListQuery> for wit::ListQuery {
                fn from(query: &core::ListQuery) -> Self {
                    Self {
                        pattern: query.pattern.to_string(),
                        before: query.before.map(core::BackupId::get),
                        limit: query.limit.map(Into::into),
                        verbose: query.verbose,
                    }
                }
            }

            impl From<&core::Settings> for wit::Settings {
                fn from(settings: &core::Settings) -> Self {
                    Self {
                        repository: settings.repository.as_ref().map(ToString::to_string).unwrap_or_default(),
                        index_prefix: settings.index_prefix.to_string(),
                        optimize_version: settings.optimize_version.as_ref().map(ToString::to_string),
                        engine: settings.engine.into(),
                        resume_window: core::milliseconds(settings.resume_window),
                    }
                }
            }
        };
    };
    (@error $($case:ident),+) => {
        #[allow(dead_code, reason = "a guest makes errors, and a host reads them")]
        impl wit::Error {
            /// The error with this class.
            pub fn new(kind: core::ErrorKind, problem: wit::Problem) -> Self {
                match kind { $(core::ErrorKind::$case => Self::$case(problem)),+ }
            }

            /// Its class, by which a host decides how to answer.
            #[must_use]
            pub fn kind(&self) -> core::ErrorKind {
                match self { $(Self::$case(_) => core::ErrorKind::$case),+ }
            }

            /// What there is to say about it, whatever its class.
            #[must_use]
            pub fn problem(&self) -> &wit::Problem {
                match self { $(Self::$case(problem))|+ => problem }
            }
        }
    };
}

/// For the interface `retention`: what matters of a candidate, and rules in both directions.
#[macro_export]
macro_rules! retention_types {
    ($interface:path) => {
        const _: () = {
            use std::num::NonZeroU32;
            use std::time::Duration;

            use $crate as core;
            use $crate::retention as rules;
            use $interface as wit;

            #[allow(dead_code, reason = "a guest reads rules, and a host writes them")]
            impl wit::Rules {
                /// The rules.
                ///
                /// # Errors
                /// If they contradict each other.
                pub fn read(&self) -> Result<core::RetentionRules, rules::ContradictoryRules> {
                    let count = |count: Option<u32>| count.and_then(NonZeroU32::new);
                    let expire_after = self.expire_after.map(Duration::from_millis);
                    core::RetentionRules::new(expire_after, count(self.min_count), count(self.max_count))
                }
            }

            impl From<&core::RetentionRules> for wit::Rules {
                fn from(rules: &core::RetentionRules) -> Self {
                    Self {
                        expire_after: rules.expire_after().map(core::milliseconds),
                        min_count: rules.min_count().map(NonZeroU32::get),
                        max_count: rules.max_count().map(NonZeroU32::get),
                    }
                }
            }

            impl wit::Candidate {
                /// What matters of it. `None`: no backup can have its ID.
                #[must_use]
                pub fn read(&self) -> Option<rules::Candidate> {
                    let snapshots = &self.backup.details;
                    Some(rules::Candidate {
                        id: core::BackupId::new(self.backup.backup_id)?,
                        state: self.backup.state.into(),
                        started: snapshots.iter().filter_map(|snapshot| snapshot.start_time).min().map(core::Timestamp),
                        is_ours: self.backup.run_id.is_some(),
                        is_unreadable: snapshots.iter().any(|snapshot| {
                            core::SnapshotState::from(snapshot.state) == core::SnapshotState::Unreadable
                        }),
                        in_use: self.in_use,
                    })
                }
            }
        };
    };
}

/// For the interface `verifications`: outcomes, runs and holders in both directions, steps and traces for a host.
#[macro_export]
macro_rules! verification_types {
    ($interface:path) => {
        const _: () = {
            use $crate as core;
            use $crate::verification;
            use $interface as wit;

            $crate::same_cases!(
                wit::CheckOutcome, verification::CheckOutcome: Pending, Passed, Failed, Skipped
            );

            impl wit::VerificationRun {
                /// The run.
                ///
                /// # Errors
                /// If the ID cannot be one.
                pub fn read(&self) -> Result<verification::VerificationRun, core::Error> {
                    Ok(verification::VerificationRun {
                        backup_id: core::BackupId::parse(&self.backup_id.to_string())?,
                        run_id: self.run_id.clone(),
                        beat: self.beat,
                        beaten: core::Timestamp(self.beaten),
                        snapshots: self.snapshots.clone(),
                        indices: self.indices.iter().filter_map(wit::VerifiedIndex::read).collect(),
                        checks: self.checks.iter().map(wit::Check::read).collect(),
                    })
                }
            }

            impl wit::VerifiedIndex {
                /// `None`: there is no such part.
                fn read(&self) -> Option<verification::VerifiedIndex> {
                    Some(verification::VerifiedIndex {
                        part: core::Part::from_number(self.part)?,
                        index: self.index.clone(),
                        size: self.size,
                        documents: self.documents,
                        checked: self.checked,
                    })
                }
            }

            impl wit::Check {
                fn read(&self) -> verification::Check {
                    verification::Check {
                        name: self.name.clone(),
                        outcome: self.outcome.into(),
                        found: self.found.clone(),
                    }
                }
            }
        };
    };
}

/// For the interface `restores`: the states in both directions, options and runs as this crate's, and reports for a host.
#[macro_export]
macro_rules! restore_types {
    ($interface:path) => {
        const _: () = {
            use $crate as core;
            use $crate::restore;
            use $interface as wit;

            $crate::same_cases!(
                wit::RestoreAction, restore::RestoreAction: Restored, Replaced, Kept, LeftAlone
            );
    $crate::same_cases!(wit::Severity, restore::Severity: Warning, Blocking, Final);
            $crate::same_cases!(
                wit::RestoreState, restore::RestoreState: None, InProgress, Complete, Failed
            );
            $crate::same_cases!(
                wit::RestoredIndexState, restore::RestoredIndexState: Missing, Restoring, Restored, Other
            );

            #[allow(dead_code, reason = "a guest reads these, and a host reads some")]
            impl wit::RestoreOptions {
                /// The options.
                ///
                /// # Errors
                /// If the prefix cannot be one.
                pub fn read(&self) -> Result<restore::RestoreOptions, core::Error> {
                    let rename_prefix = self.rename_prefix.as_deref().map(core::IndexPrefix::parse).transpose()?;
                    Ok(restore::RestoreOptions { rename_prefix, overridden: self.overridden.clone() })
                }
            }

            impl wit::RestoreRun {
                /// The run.
                ///
                /// # Errors
                /// If ID or prefix cannot be one.
                pub fn read(&self) -> Result<restore::RestoreRun, core::Error> {
                    let rename_prefix = self.rename_prefix.as_deref().map(core::IndexPrefix::parse).transpose()?;
                    Ok(restore::RestoreRun {
                        backup_id: core::BackupId::parse(&self.backup_id.to_string())?,
                        rename_prefix,
                        snapshots: self.snapshots.clone(),
                        indices: self.indices.iter().filter_map(wit::RunIndex::read).collect(),
                    })
                }
            }

            impl wit::RunIndex {
                /// `None`: there is no such part.
                fn read(&self) -> Option<restore::RunIndex> {
                    Some(restore::RunIndex {
                        part: core::Part::from_number(self.part)?,
                        index: self.index.clone(),
                        target: self.target.clone(),
                        size: self.size,
                        replaces: self.replaces.clone(),
                    })
                }
            }
        };
    };
}
