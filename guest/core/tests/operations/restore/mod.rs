//! Restores against an engine in memory.

pub(crate) mod fixture;

#[cfg(test)]
mod blocks;
#[cfg(test)]
mod ends;
mod faults;
#[cfg(test)]
mod findings;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod others;
#[cfg(test)]
mod renamed;
#[cfg(test)]
mod runs;
