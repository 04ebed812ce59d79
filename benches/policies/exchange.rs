//! How long it takes until another policy serves.

use anyhow::Result;
use backup_test_hosts::policies::embedded_as;
use backup_test_hosts::{Options, TestHost, candidate};
use optimize_backup::policy::admission::Step;

use crate::figures::Samples;
use crate::report::{Figure, Report, Row};
use crate::sides::BINARY;

const PART: &str = "exchange";
const CANDIDATES: usize = 11;
const EXCHANGES: usize = 1_000;

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let updates = TestHost::new(Options { max_failures: u32::MAX, ..Options::new(BINARY) }).updates;
    let mut steps: Vec<(Step, Samples)> = Vec::new();
    let mut whole = Samples::default();
    for number in 0..CANDIDATES {
        whole.time(updates.submit(candidate(&embedded_as(&version(number))))).await?;
        for step in updates.last_verdict().map(|verdict| verdict.steps).unwrap_or_default() {
            if !steps.iter().any(|(known, _)| *known == step.step) {
                steps.push((step.step, Samples::default()));
            }
            steps.iter_mut().filter(|(known, _)| *known == step.step).for_each(|(_, took)| took.add(step.took));
        }
    }
    let mut exchange = Samples::default();
    for _ in 0..EXCHANGES {
        exchange.time(async { updates.policies().roll_back(None) }).await?;
    }
    let mut add = |what: String, took: &Samples| report.add(Row::new(PART, what, Figure::time(took.median())));
    steps.iter().for_each(|(step, took)| add(format!("admission of a candidate: {step}"), took));
    add("admission of a candidate, all of it".to_owned(), &whole);
    add("the exchange itself".to_owned(), &exchange);
    Ok(())
}

/// A version of the embedded policy.
pub(crate) fn version(number: usize) -> String {
    format!("7.0.{number}")
}
