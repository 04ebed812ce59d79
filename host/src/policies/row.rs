use std::collections::BTreeMap;

/// How many calls of each operation have failed in a row by the policy's own fault.
///
/// By operation: whoever waits for a backup asks for it again and again, which must not hide that no step
/// of its run succeeds. Calls end in any order, so a row is that of the ends. That is exact enough: a
/// policy that fails always is found after as many calls as it may fail, one that fails seldom never.
#[derive(Clone, Debug, Default)]
pub(super) struct FailuresInARow(BTreeMap<&'static str, u32>);

impl FailuresInARow {
    /// Counts the end of a call; how many of its operation have now failed.
    pub(super) fn count(&mut self, operation: &'static str, is_failure: bool) -> u32 {
        let failures = self.0.entry(operation).or_default();
        *failures = if is_failure { failures.saturating_add(1) } else { 0 };
        *failures
    }
}
