//! `cargo xtask bench`: what an exchange of policies, the limits, the sandbox and another host cost.
//!
//! Everything that is compared is measured in turn, in one run: ratios mean something on a machine that has
//! other work too, times less so.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "of samples")]

mod exchange;
mod figures;
mod fixture;
mod hosts;
mod limits;
mod load;
mod native;

use std::fs;

use anyhow::Result;

#[tokio::main]
async fn main() -> Result<()> {
    println!("{}", machine());
    exchange::measure().await?;
    load::measure().await?;
    limits::measure().await?;
    native::measure().await?;
    hosts::measure().await
}

/// Where this was measured.
fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let checks = if cfg!(debug_assertions) { "with debug assertions" } else { "as for a release" };
    let load = load.split_whitespace().next().unwrap_or("unknown");
    format!("{processors} × {}; load before: {load}; built {checks}", model.unwrap_or("unknown processor"))
}
