//! Verifications against an engine in memory.

mod fixture;

#[cfg(test)]
mod begin;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod lock;
#[cfg(test)]
mod records;
#[cfg(test)]
mod runs;
