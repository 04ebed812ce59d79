use std::collections::BTreeMap;

/// Counts, for each operation, the consecutive calls that failed by the policy's own fault.
///
/// Each operation is counted by itself: a caller that polls a backup must not hide that every `advance` fails. Calls
/// are counted in the order in which they end.
#[derive(Clone, Debug, Default)]
pub(super) struct ConsecutiveFailures(BTreeMap<&'static str, u32>);

impl ConsecutiveFailures {
    /// Counts the end of a call, and returns the consecutive failures of its operation.
    pub(super) fn count(&mut self, operation: &'static str, is_failure: bool) -> u32 {
        let failures = self.0.entry(operation).or_default();
        *failures = if is_failure { failures.saturating_add(1) } else { 0 };
        *failures
    }
}
