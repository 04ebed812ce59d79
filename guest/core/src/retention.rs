//! Which backups expire: the rules of Elasticsearch's snapshot lifecycle management (SLM), with safeguards.
//!
//! | backup | expires |
//! |---|---|
//! | `COMPLETE` | if at least `max_count` newer ones are `COMPLETE`; or by age, unless it is one of the newest `min_count` |
//! | `FAILED`, `INCOMPLETE` | once a newer one is `COMPLETE`; or by age |
//! | `INCOMPATIBLE` | by age, if newer ones are `COMPLETE`, `min_count` of them at least: nodes of a newer version may come back |
//! | the newest `COMPLETE` one, in progress, in use, without a policy's metadata, with an unreadable part | never |
//!
//! A backup is as old as its first snapshot. Whether one expires depends only on itself and on newer backups that stay, so
//! that deleting one after the other, and deciding again in between, deletes the same ones.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::time::long_span;
use crate::{BackupId, BackupState, Timestamp};

/// When backups expire. The default: never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionRules {
    expire_after: Option<Duration>,
    min_count: Option<NonZeroU32>,
    max_count: Option<NonZeroU32>,
}

/// Why rules contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at least {min} backups are to stay, but at most {max}: the former must not be larger")]
pub struct ContradictoryRules {
    min: NonZeroU32,
    max: NonZeroU32,
}

impl RetentionRules {
    /// Rules of which each may be left out.
    ///
    /// # Errors
    /// If more backups must stay than may.
    pub fn new(
        expire_after: Option<Duration>,
        min_count: Option<NonZeroU32>,
        max_count: Option<NonZeroU32>,
    ) -> Result<Self, ContradictoryRules> {
        match (min_count, max_count) {
            (Some(min), Some(max)) if min > max => Err(ContradictoryRules { min, max }),
            _ => Ok(Self { expire_after, min_count, max_count }),
        }
    }

    /// Whether there is none, so that nothing ever expires.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The age at which a backup expires.
    #[must_use]
    pub fn expire_after(&self) -> Option<Duration> {
        self.expire_after
    }

    /// How many of the newest that are `COMPLETE` stay, whatever their age.
    #[must_use]
    pub fn min_count(&self) -> Option<NonZeroU32> {
        self.min_count
    }

    /// How many that are `COMPLETE` stay at most.
    #[must_use]
    pub fn max_count(&self) -> Option<NonZeroU32> {
        self.max_count
    }
}

/// What matters of a backup. One that is being deleted already is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its number.
    pub id: BackupId,
    /// Its state.
    pub state: BackupState,
    /// When its first snapshot was started. `None`: not known, and it never expires.
    pub started: Option<Timestamp>,
    /// A policy wrote it, for this installation.
    pub is_ours: bool,
    /// The metadata of one of its snapshots cannot be read.
    pub is_unreadable: bool,
    /// It is being restored or verified.
    pub in_use: bool,
}

impl Candidate {
    /// Whether it can be restored, as far as a list tells. One whose age is not known does not count.
    fn is_good(&self) -> bool {
        self.state == BackupState::Complete && self.is_ours && !self.is_unreadable && self.started.is_some()
    }

    /// Oldest first; where a start is the same, or not known, the number decides.
    fn age_order(&self) -> (Option<Timestamp>, BackupId) {
        (self.started, self.id)
    }

    /// Whether it is newer than one that is good. A backup without a readable snapshot has no start: its number tells.
    fn is_newer_than(&self, good: &Self) -> bool {
        match self.started {
            Some(_) => self.age_order() > good.age_order(),
            None => self.id > good.id,
        }
    }
}

/// A backup that expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Its number.
    pub id: BackupId,
    /// Why.
    pub reason: ExpiryReason,
}

/// Why a backup expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryReason {
    /// There are so many newer ones that are `COMPLETE`.
    TooMany(usize),
    /// It is so old.
    Age(Duration),
    /// It cannot be restored, and this newer one can.
    Superseded(BackupState, BackupId),
}

impl fmt::Display for ExpiryReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(newer) => write!(f, "{newer} newer backups are COMPLETE, as many as are to be kept"),
            Self::Age(age) => write!(f, "it is {} old", long_span(*age)),
            Self::Superseded(state, id) => write!(f, "it is {state}, and the newer backup {id} is COMPLETE"),
        }
    }
}

/// Why a backup must not be deleted by retention, whatever a policy decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Safeguard {
    /// Nobody lists it.
    #[error("is not among those that could expire")]
    NotListed,
    /// Other software, or the server of another installation, wrote it.
    #[error("is not known to be of this installation")]
    NotOurs,
    /// It is being made.
    #[error("is in progress")]
    InProgress,
    /// It is being restored or verified.
    #[error("is being restored or verified")]
    InUse,
    /// Its storage may be away for a while.
    #[error("has a snapshot that cannot be read")]
    Unreadable,
    /// No newer one can be restored.
    #[error("is the newest that is COMPLETE")]
    LastComplete,
    /// Another cluster may restore it, and no newer one can be restored here.
    #[error("is INCOMPATIBLE, so that another cluster may restore it, and no newer one is COMPLETE")]
    NoneInItsPlace,
}

/// The newest backup that can be restored.
#[must_use]
pub fn newest_good(candidates: &[Candidate]) -> Option<&Candidate> {
    candidates.iter().filter(|candidate| candidate.is_good()).max_by_key(|candidate| candidate.age_order())
}

/// A backup that is newer than every one that can be restored and cannot be read: perhaps the repository's storage is
/// away, and nothing may be deleted until it is back.
#[must_use]
pub fn in_doubt(candidates: &[Candidate]) -> Option<BackupId> {
    let newest = newest_good(candidates);
    let is_newer = |candidate: &&Candidate| newest.is_none_or(|newest| candidate.is_newer_than(newest));
    candidates.iter().filter(|candidate| candidate.is_unreadable).find(is_newer).map(|candidate| candidate.id)
}

/// Checks a choice against the safeguards, which hold for every policy.
///
/// # Errors
/// The first backup that must stay, and why.
pub fn check(candidates: &[Candidate], chosen: &[BackupId]) -> Result<(), (BackupId, Safeguard)> {
    let newest = newest_good(candidates);
    chosen.iter().try_for_each(|&id| {
        let candidate = candidates.iter().find(|candidate| candidate.id == id);
        let safeguard = candidate.map_or(Some(Safeguard::NotListed), |candidate| safeguard(candidate, newest));
        safeguard.map_or(Ok(()), |safeguard| Err((id, safeguard)))
    })
}

fn safeguard(candidate: &Candidate, newest_good: Option<&Candidate>) -> Option<Safeguard> {
    let is_newer_than_good = newest_good.is_none_or(|good| candidate.is_newer_than(good));
    [
        (!candidate.is_ours, Safeguard::NotOurs),
        (candidate.state == BackupState::InProgress, Safeguard::InProgress),
        (candidate.in_use, Safeguard::InUse),
        (candidate.is_unreadable, Safeguard::Unreadable),
        (newest_good.is_some_and(|good| good.id == candidate.id), Safeguard::LastComplete),
        (candidate.state == BackupState::Incompatible && is_newer_than_good, Safeguard::NoneInItsPlace),
    ]
    .into_iter()
    .find_map(|(holds, safeguard)| holds.then_some(safeguard))
}

/// What expires now, oldest first.
#[must_use]
pub fn expired(candidates: &[Candidate], rules: &RetentionRules, now: Timestamp) -> Vec<Expired> {
    if rules.is_empty() || in_doubt(candidates).is_some() {
        return Vec::new();
    }
    let mut newest_first: Vec<&Candidate> = candidates.iter().collect();
    newest_first.sort_unstable_by_key(|candidate| std::cmp::Reverse(candidate.age_order()));
    let newest = newest_good(candidates);
    let mut newer = 0;
    let mut expired = Vec::new();
    for candidate in newest_first {
        if let (Some(started), None) = (candidate.started, safeguard(candidate, newest)) {
            let reason = reason(
                candidate,
                newest.map(|newest| newest.id).filter(|_| newer > 0),
                newer,
                rules,
                now.since(started),
            );
            expired.extend(reason.map(|reason| Expired { id: candidate.id, reason }));
        }
        newer += usize::from(candidate.is_good());
    }
    expired.reverse();
    expired
}

/// Why a backup expires of which so many newer ones are good, this one the newest of them.
fn reason(
    candidate: &Candidate,
    newest: Option<BackupId>,
    newer: usize,
    rules: &RetentionRules,
    age: Duration,
) -> Option<ExpiryReason> {
    let allows = |count: Option<NonZeroU32>| count.and_then(|count| usize::try_from(count.get()).ok());
    let by_age = rules.expire_after.filter(|&limit| age > limit).map(|_| ExpiryReason::Age(age));
    let are_enough = newer >= allows(rules.min_count).unwrap_or(0);
    match candidate.state {
        BackupState::Complete if allows(rules.max_count).is_some_and(|max| newer >= max) => {
            Some(ExpiryReason::TooMany(newer))
        }
        BackupState::Complete => by_age.filter(|_| are_enough),
        BackupState::Failed | BackupState::Incomplete => {
            newest.map(|newest| ExpiryReason::Superseded(candidate.state, newest)).or(by_age)
        }
        BackupState::Incompatible => by_age.filter(|_| newer > 0 && are_enough),
        BackupState::InProgress => None,
    }
}

#[cfg(test)]
mod tests;
