//! What a call of the policy costs, against the same rules called directly.

use anyhow::Result;
use backup_core::{ListQuery, operations};
use optimize_backup::sandbox::types;

use crate::figures::{Samples, ratio, show, table};
use crate::fixture;

/// How many snapshots there are, and how often they are listed.
const LISTS: [(usize, usize); 2] = [(1, 2_000), (1_000, 200)];

pub(crate) async fn measure() -> Result<()> {
    let context = fixture::context()?;
    let mut rows = Vec::new();
    for (snapshots, rounds) in LISTS {
        let host = fixture::host(snapshots);
        let policy = host.policies().calls();
        let (mut direct, mut sandboxed) = (Samples::default(), Samples::default());
        for _ in 0..rounds {
            let list = direct.time(async { operations::list(&*host.engine, &context, &ListQuery::default()) }).await?;
            let page = sandboxed.time(policy.list(&types::ListQuery::default(), Vec::new())).await?;
            anyhow::ensure!(list.backups.len() == page.backups.len(), "both should find the same");
        }
        let (direct, sandboxed) = (direct.median(), sandboxed.median());
        rows.push(vec![snapshots.to_string(), show(direct), show(sandboxed), ratio(sandboxed, direct)]);
    }
    table("A call of the policy", &["snapshots in the list", "rules, called directly", "policy", "ratio"], &rows);
    Ok(())
}
