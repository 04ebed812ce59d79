//! The tables in the documents have exactly the tests that there are, with what they expect.

use super::Outcome;

/// A column of the table.
pub(super) struct Step {
    pub(super) name: &'static str,
    /// What each fault leads to.
    pub(super) cells: &'static [(&'static str, Outcome)],
    /// The faults that run on real engines, too.
    pub(super) decided_by_engine: &'static [&'static str],
}

const STEPS: [Step; 13] = [
    super::validate::STEP,
    super::look_for_duplicates::STEP,
    super::read_version::STEP,
    super::resolve_part_one::STEP,
    super::count_before_part_one::STEP,
    super::put_part_one::STEP,
    super::poll_part_one::STEP,
    super::read_clock::STEP,
    super::resolve_part_two::STEP,
    super::count_before_part_two::STEP,
    super::put_part_two::STEP,
    super::poll_part_two::STEP,
    super::delete_backup::STEP,
];

const STEPS_OF_A_RESTORE: [Step; 13] = [
    super::restores::plan::STEP,
    super::restores::plan_sizes::STEP,
    super::restores::look::STEP,
    super::restores::try_restore::STEP,
    super::restores::mark_planned::STEP,
    super::restores::read_shards::STEP,
    super::restores::delete_indices::STEP,
    super::restores::restore_part_one::STEP,
    super::restores::poll_part_one::STEP,
    super::restores::mark_restored::STEP,
    super::restores::restore_part_two::STEP,
    super::restores::check::STEP,
    super::restores::remove_marks::STEP,
];

const STEPS_OF_A_VERIFICATION: [Step; 19] = [
    super::verifications::find::STEP,
    super::verifications::list_indices::STEP,
    super::verifications::look_for_lock::STEP,
    super::verifications::look_for_restores::STEP,
    super::verifications::read_sizes::STEP,
    super::verifications::look_for_room::STEP,
    super::verifications::look_for_limits::STEP,
    super::verifications::take_lock::STEP,
    super::verifications::see_lock::STEP,
    super::verifications::look_at_copies::STEP,
    super::verifications::read_backup::STEP,
    super::verifications::copy_part_one::STEP,
    super::verifications::wait_for_copies::STEP,
    super::verifications::count_documents::STEP,
    super::verifications::delete_copies::STEP,
    super::verifications::copy_part_two::STEP,
    super::verifications::read_version::STEP,
    super::verifications::hold_lock::STEP,
    super::verifications::release_lock::STEP,
];

#[test]
fn the_table_in_the_docs_is_true() {
    expect_table("## Steps of a backup", &STEPS);
}

#[test]
fn the_table_of_restores_in_the_docs_is_true() {
    expect_table("## Steps of a restore", &STEPS_OF_A_RESTORE);
}

#[test]
fn the_table_of_verifications_in_the_docs_is_true() {
    expect_table("## Steps of a verification", &STEPS_OF_A_VERIFICATION);
}

/// The section under this heading has this table.
fn expect_table(heading: &str, steps: &[Step]) {
    let page = include_str!("../../../docs/faults.md");
    let section = page.split_once(heading).map(|(_, rest)| rest.split("\n## ").next().unwrap_or_default());
    let expected = table(steps);
    let is_in_table = |line: &&str| expected.first().is_some_and(|head| columns(line) == columns(head));
    let found: Vec<&str> = section.unwrap_or_default().lines().filter(is_in_table).collect();
    assert_eq!(found, expected, "docs/faults.md should have under '{heading}':\n{}", expected.join("\n"));
}

fn columns(line: &str) -> usize {
    line.matches(" | ").count()
}

fn table(steps: &[Step]) -> Vec<String> {
    let mut faults: Vec<&str> = Vec::new();
    for (fault, _) in steps.iter().flat_map(|step| step.cells) {
        if !faults.contains(fault) {
            faults.push(fault);
        }
    }
    let names: Vec<String> = steps.iter().map(|step| format!("`{}`", step.name)).collect();
    let head = [line("fault", &names), line("---", &vec!["---".to_owned(); names.len()])];
    let cells = |fault: &str| steps.iter().map(|step| step.cell(fault)).collect::<Vec<_>>();
    let rows = faults.into_iter().map(|fault| line(&format!("`{fault}`"), &cells(fault)));
    head.into_iter().chain(rows).collect()
}

fn line(first: &str, others: &[String]) -> String {
    format!("| {first} | {} |", others.join(" | "))
}

impl Step {
    fn cell(&self, fault: &str) -> String {
        let outcome = self.cells.iter().find(|(name, _)| *name == fault).map(|(_, outcome)| describe(*outcome));
        match outcome {
            Some(outcome) if self.decided_by_engine.contains(&fault) => format!("**{outcome}**"),
            outcome => outcome.unwrap_or_else(|| "–".to_owned()),
        }
    }
}

fn describe(outcome: Outcome) -> String {
    match outcome {
        Outcome::Complete => "COMPLETE".to_owned(),
        Outcome::Gone => "gone".to_owned(),
        Outcome::Passed => "PASSED".to_owned(),
        Outcome::Refused(status, code) => format!("{status} `{code}`"),
        Outcome::Incomplete(reason) => format!("INCOMPLETE, {reason}"),
    }
}
