//! Restores: what a host does around the policy's interface `restores`.

use std::thread;
use std::time::Duration;

use backup_core::IndexPrefix;
use backup_elasticsearch::Scope;
use wasmtime::{Result, bail};

use crate::bindings::exports::optimize::backup::restores::{RestoreAction, RestoreOptions, RestorePlan, RestoreState};
use crate::{Host, context, explain, setting};

impl Host {
    /// Tells what a restore would do, and what speaks against it.
    pub(crate) fn plan(&mut self, id: &str) -> Result<()> {
        print(&self.planned(id)?);
        Ok(())
    }

    /// Restores a backup in place of the indices that are there. A restore that was cut off is taken up.
    pub(crate) fn restore(&mut self, id: &str) -> Result<()> {
        let plan = self.planned(id)?;
        print(&plan);
        let Some(run) = plan.run else { bail!("the restore was not begun: see what was found") };
        let Ok(restored) = run.read() else { bail!("the policy's run has an ID or a prefix that cannot be one") };
        // The plan is what the calls may write: they delete no other index, and restore none that is not in it.
        let own = IndexPrefix::parse(&setting("INDEX_PREFIX", "optimize"))?;
        self.enter(Scope::of_restore(&restored, &own));
        loop {
            let step = self.restores.call_advance(&mut self.store, &context()?, &run)?.map_err(explain)?;
            if let Some(refusal) = &step.refusal {
                println!("{refusal}");
            }
            let Some(again_in) = step.again_in else {
                let restore = step.restore;
                return match restore.state {
                    RestoreState::Complete => {
                        println!("restored {id}: {}", restore.next_step.unwrap_or_default());
                        Ok(())
                    }
                    _ => bail!("not restored: {}", restore.failure_reason.unwrap_or_default()),
                };
            };
            thread::sleep(Duration::from_millis(again_in));
        }
    }

    /// The second look tells whether something writes to the indices.
    fn planned(&mut self, id: &str) -> Result<RestorePlan> {
        self.enter(Scope::of_restore_read(None));
        let options = RestoreOptions { rename_prefix: None, overridden: Vec::new() };
        let mut look = |writes: Option<&[_]>| {
            self.restores.call_plan(&mut self.store, &context()?, id, &options, writes)?.map_err(explain)
        };
        let first = look(None)?;
        let Some(again_in) = first.again_in else { return Ok(first) };
        thread::sleep(Duration::from_millis(again_in));
        look(Some(&first.writes))
    }
}

fn print(plan: &RestorePlan) {
    for index in &plan.indices {
        let action = match index.action {
            RestoreAction::Restored => "restored",
            RestoreAction::Replaced => "replaced",
            RestoreAction::Kept => "kept",
            RestoreAction::LeftAlone => "left-alone",
        };
        println!("{action} {}", index.target);
    }
    for finding in &plan.findings {
        println!("{}: {}", finding.code, finding.message);
    }
}
