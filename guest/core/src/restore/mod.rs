//! What a restore consists of: which indices it is about, where each of them stands, and what comes next.
//!
//! The engine keeps no trace of a finished restore that lasts: `_recovery` tells what a shard was restored from only until
//! the shard moves or its node starts again. So each index carries a mark while its restore is not finished.

mod finding;
mod found;
mod indices;
mod mark;
mod plan;
mod rename;
mod report;
mod state;
mod target;

pub use finding::{Finding, FindingCode, Severity};
pub use indices::ExactIndices;
pub use mark::{MARK, WRITE_BLOCK};
pub use plan::{IndexWrites, PlannedIndex, RestoreAction, RestoreOptions, RestorePlan, RestoreRun, RunIndex};
pub use rename::{NewAlias, RenamePattern};
pub use report::{Restore, RestoreState, RestoreStep, RestoredIndex, RestoredIndexState};

pub(crate) use found::{Found, Primary, Recovery, ShardState};
pub(crate) use indices::is_expression;
pub(crate) use mark::Mark;
pub(crate) use rename::aliases;
pub(crate) use state::{IndexState, NextStep, Standing, at_once, failure, marked};
pub(crate) use target::{Part as TargetPart, Target, own_indices};
