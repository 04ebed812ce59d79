//! How long it takes until another policy serves.

use anyhow::Result;
use backup_test_hosts::candidate;
use backup_test_hosts::policies::embedded_as;
use optimize_backup::policy::admission::Step;

use crate::figures::{Samples, show, table};
use crate::fixture;

const CANDIDATES: usize = 11;
const EXCHANGES: usize = 1_000;

pub(crate) async fn measure() -> Result<()> {
    let updates = fixture::host(0).updates;
    let mut steps: Vec<(Step, Samples)> = Vec::new();
    let mut whole = Samples::default();
    for version in 0..CANDIDATES {
        whole.time(updates.submit(candidate(&embedded_as(&fixture::version(version))))).await?;
        for report in updates.last_verdict().map(|verdict| verdict.steps).unwrap_or_default() {
            if !steps.iter().any(|(step, _)| *step == report.step) {
                steps.push((report.step, Samples::default()));
            }
            steps.iter_mut().filter(|(step, _)| *step == report.step).for_each(|(_, took)| took.add(report.took));
        }
    }
    let mut exchange = Samples::default();
    for _ in 0..EXCHANGES {
        exchange.time(async { updates.policies().roll_back(None) }).await?;
    }
    let row = |what: String, took: &Samples| vec![what, show(took.median()), show(took.quantile(1.0))];
    let mut rows: Vec<_> = steps.iter().map(|(step, took)| row(step.to_string(), took)).collect();
    rows.push(row("the exchange itself".to_owned(), &exchange));
    rows.push(row("all of it".to_owned(), &whole));
    table("An exchange", &["step", "median", "longest"], &rows);
    Ok(())
}
