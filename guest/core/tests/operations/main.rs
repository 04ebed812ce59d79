//! The operations against an engine in memory, in the dialects of all engines.

#[cfg(test)]
mod advance;
#[cfg(test)]
mod clocks;
#[cfg(test)]
mod create;
#[cfg(test)]
mod delete;
#[cfg(test)]
mod dropped;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod inspect;
#[cfg(test)]
mod installations;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod lost_answers;
#[cfg(test)]
mod part_two;
#[cfg(test)]
mod progress;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod verification;
#[cfg(test)]
mod version;
