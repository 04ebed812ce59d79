use std::collections::BTreeMap;
use std::time::Duration;

use backup_core::memory::{Dialect, StoredIndex};
use backup_core::operations::verification;
use backup_core::verification::scratch::{LOCK, is_scratch};
use backup_core::verification::{
    CheckName, CheckOutcome, VerificationHolder, VerificationRun, VerificationStep, VerificationTraces,
};
use backup_core::{Engine, Error, Method, Request};

use crate::fixture::{Fixture, IMPORT_INDICES, OTHER_INDICES};
use crate::restore::fixture::{ID, backed_up};

pub(crate) const MAX_STEPS: usize = 400;

/// An installation with documents, a neighbour with a nested prefix, and a backup. It has more documents than a clean-up
/// could explain.
pub(crate) fn verifiable(dialect: Dialect) -> Fixture {
    let fixture = backed_up(dialect);
    fixture.delete(ID, None).unwrap();
    for index in IMPORT_INDICES.iter().chain(&OTHER_INDICES) {
        fixture.engine.set_documents(index, 1_000);
    }
    fixture.create(ID, "run").unwrap();
    fixture.drive(ID);
    fixture
}

impl Fixture {
    pub(crate) fn begin(&self, run_id: &str) -> Result<VerificationRun, Error> {
        self.begin_over(&self.engine, run_id)
    }

    pub(crate) fn begin_over(&self, engine: &impl Engine, run_id: &str) -> Result<VerificationRun, Error> {
        verification::begin(engine, &self.context(run_id), &ID.to_string())
    }

    pub(crate) fn verification_step(&self, run: &VerificationRun) -> Result<VerificationStep, Error> {
        verification::advance(&self.engine, &self.context("unused"), run)
    }

    /// Takes steps until the run ends.
    pub(crate) fn go_on(&self, run: &VerificationRun) -> VerificationRun {
        self.go_on_until(run, |_| false)
    }

    /// Takes steps until the run ends, or until it looks so.
    pub(crate) fn go_on_until(
        &self,
        run: &VerificationRun,
        mut is_reached: impl FnMut(&VerificationRun) -> bool,
    ) -> VerificationRun {
        let mut run = run.clone();
        for _ in 0..MAX_STEPS {
            let step = self.verification_step(&run).unwrap();
            run = step.run;
            match step.again_in {
                Some(_) if is_reached(&run) => return run,
                Some(delay) => self.engine.pass(delay),
                None => return run,
            }
        }
        panic!("the verification does not end: {run:#?}");
    }

    /// Begins a verification and takes its steps, as a host does.
    pub(crate) fn verify(&self) -> VerificationRun {
        self.go_on(&self.begin("verifier").unwrap())
    }

    pub(crate) fn traces(&self) -> VerificationTraces {
        verification::traces(&self.engine, &self.context("unused")).unwrap()
    }

    pub(crate) fn clear(&self, holder: Option<&VerificationHolder>) -> Result<bool, Error> {
        verification::clear(&self.engine, &self.context("unused"), holder)
    }

    /// Clears what is there, as a host does that has seen it for long enough.
    pub(crate) fn clear_what_is_left(&self) {
        let traces = self.traces();
        if traces != VerificationTraces::default() {
            assert!(self.clear(traces.holder.as_ref()).unwrap());
        }
    }

    pub(crate) fn scratch(&self) -> Vec<String> {
        self.engine.indices().into_keys().filter(|name| is_scratch(name)).collect()
    }

    /// Everything that is no verification's.
    pub(crate) fn all_else(&self) -> BTreeMap<String, (String, StoredIndex)> {
        let mut indices = self.engine.indices();
        indices.retain(|name, _| !is_scratch(name));
        indices
    }
}

pub(crate) fn outcome(run: &VerificationRun, name: CheckName) -> CheckOutcome {
    run.checks.iter().find(|check| check.name == name.as_str()).unwrap().outcome
}

pub(crate) fn found(run: &VerificationRun, name: CheckName) -> String {
    run.checks.iter().find(|check| check.name == name.as_str()).unwrap().found.clone()
}

pub(crate) fn assert_passed(run: &VerificationRun) {
    assert!(run.checks.iter().all(|check| check.outcome == CheckOutcome::Passed), "{run:#?}");
    assert_eq!(run.checks.len(), CheckName::ALL.len());
}

/// This check has failed and no other.
pub(crate) fn assert_failed(run: &VerificationRun, name: CheckName) {
    for check in &run.checks {
        let expected = check.name == name.as_str();
        assert_eq!(check.outcome == CheckOutcome::Failed, expected, "{run:#?}");
    }
}

pub(crate) fn is_restore(request: &Request) -> bool {
    request.method == Method::Post
}

pub(crate) fn is_taking_lock(request: &Request) -> bool {
    request.method == Method::Put && request.path == [LOCK]
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
