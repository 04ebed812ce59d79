//! Kills of hosts at random moments, and the phase of the backup that each has hit.

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use backup_test_support::host::Host;

use crate::fixture::{Fixture, part};

/// How many hosts are started and killed at the same time.
pub(crate) const AT_ONCE: usize = 5;

const FEW: u64 = 5;

/// One of the kills of a test. Each has a share of the backup's time of its own, so that few of them hit different
/// phases, too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kill {
    number: u64,
    of: u64,
    seed: u64,
}

/// The phase of a backup, by its snapshots, when its host was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    BeforePartOne,
    PartOne,
    Gap,
    PartTwo,
    AfterTheEnd,
}

impl Kill {
    /// The kills of a test: as many as `KILLS` says, which the column `kills` of `cargo xtask matrix` sets, or a few.
    pub(crate) fn all() -> Result<Vec<Self>> {
        Ok(Self::some(wanted()?))
    }

    /// A tenth of that, but not less than a few, for kills each of which takes minutes.
    pub(crate) fn tenth() -> Result<Vec<Self>> {
        Ok(Self::some((wanted()? / 10).max(FEW)))
    }

    fn some(of: u64) -> Vec<Self> {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        (0..of).map(|number| Self { number, of, seed: seed.wrapping_add(number) }).collect()
    }

    /// A moment within this kill's share of `whole`, the time that the same has just taken.
    pub(crate) fn moment(self, whole: Duration) -> Duration {
        const STEPS: u64 = 1_000;
        let within_share = (scramble(self.seed) % STEPS) as f64 / STEPS as f64;
        whole.mul_f64((self.number as f64 + within_share) / self.of as f64)
    }

    /// Kills a host; the phase of its backup at that moment.
    pub(crate) async fn hit(self, host: Host, fixture: &Fixture, id: u64, moment: Duration) -> Result<Phase> {
        host.kill().await?;
        let phase = Phase::of(fixture, id).await?;
        println!("kill {} of {}, seed {}, after {moment:?}: {phase}", self.number + 1, self.of, self.seed);
        Ok(phase)
    }
}

fn wanted() -> Result<u64> {
    let kills = std::env::var("KILLS");
    kills.map_or(Ok(FEW), |kills| kills.parse().with_context(|| format!("KILLS={kills}")))
}

impl Phase {
    /// By the snapshots in the engine, which keeps writing a snapshot without the host.
    async fn of(fixture: &Fixture, id: u64) -> Result<Self> {
        let snapshots = fixture.repository.snapshots().await?;
        let is_there = |number| snapshots.contains(&part(id, number));
        Ok(match (is_there(1), is_there(2)) {
            (false, _) => Self::BeforePartOne,
            (true, false) if is_in_progress(fixture, id, 1).await? => Self::PartOne,
            (true, false) => Self::Gap,
            (true, true) if is_in_progress(fixture, id, 2).await? => Self::PartTwo,
            (true, true) => Self::AfterTheEnd,
        })
    }
}

async fn is_in_progress(fixture: &Fixture, id: u64, number: u8) -> Result<bool> {
    Ok(fixture.snapshot(&part(id, number)).await?["state"] == "IN_PROGRESS")
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforePartOne => "before part 1",
            Self::PartOne => "in part 1",
            Self::Gap => "in the gap",
            Self::PartTwo => "in part 2",
            Self::AfterTheEnd => "after the end",
        })
    }
}

/// If all kills came after the end, the test has shown nothing.
pub(crate) fn ensure_one_came_before_the_end(phases: impl IntoIterator<Item = Phase>) -> Result<()> {
    ensure!(phases.into_iter().any(|phase| phase != Phase::AfterTheEnd), "every kill came after the end");
    Ok(())
}

pub(crate) async fn time_of(what: impl Future<Output = Result<()>>) -> Result<Duration> {
    let begin = Instant::now();
    what.await?;
    Ok(begin.elapsed())
}

/// SplitMix64: neighbouring seeds give unrelated numbers.
fn scramble(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
