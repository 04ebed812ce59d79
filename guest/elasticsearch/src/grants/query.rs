use super::Grant;
use super::denial::{Denial, excerpt};

/// The name of a query parameter and the values that it may have.
type Parameter = (&'static str, Values);

/// The values that a query parameter may have.
#[derive(Clone, Copy)]
enum Values {
    /// Visible ASCII characters.
    Text,
    /// `true` or `false`.
    Boolean,
    /// `false`.
    False,
    /// This text, which must be there: without it, the engine would tell more.
    Only(&'static str),
    /// One of these texts, which must be there.
    OneOf(&'static [&'static str]),
}

/// The fields of the cluster's state that are granted.
const TASKS: &str = "restore,snapshots,snapshot_deletions,error,status";
/// The settings of the cluster that are granted: how many shards a node may have, and how full its disk may be.
const CLUSTER_SETTINGS: [&str; 2] =
    ["*.cluster.max_shards_per_node,error,status", "*.cluster.routing.allocation.disk,error,status"];

/// Checks that the parameters are among those of the grant, and each there once.
pub(super) fn check(grant: Grant, query: &[(String, String)]) -> Result<(), Denial> {
    let granted = parameters(grant);
    for (name, value) in query {
        let (name, values) = find(granted, name)?;
        values.check(name, value)?;
        if query.iter().filter(|(other, _)| other == name).count() > 1 {
            return Err(Denial::RepeatedParameter(name));
        }
    }
    let is_there = |name: &str| query.iter().any(|(found, _)| found == name);
    match granted.iter().find(|(name, values)| matches!(values, Values::Only(_) | Values::OneOf(_)) && !is_there(name))
    {
        Some((name, values)) => Err(Denial::MissingParameter { name, allowed: values.describe() }),
        None => Ok(()),
    }
}

fn parameters(grant: Grant) -> &'static [Parameter] {
    use Values::{Boolean, False, OneOf, Only, Text};
    match grant {
        // The host makes these without a query.
        Grant::ReadInfo | Grant::VerifyRepository | Grant::Operator => &[],
        Grant::ReadRepository => &[("filter_path", Text), ("master_timeout", Text)],
        Grant::ListSnapshots => &[
            ("after", Text),
            ("filter_path", Text),
            ("ignore_unavailable", Boolean),
            ("index_names", Boolean),
            ("master_timeout", Text),
            ("order", Text),
            ("size", Text),
            ("sort", Text),
            ("verbose", Boolean),
        ],
        // A snapshot can take hours: no connection waits for its end.
        Grant::CreateSnapshot => &[("master_timeout", Text), ("wait_for_completion", False)],
        Grant::DeleteSnapshots => &[("master_timeout", Text), ("wait_for_completion", Boolean)],
        Grant::SnapshotStatus => &[("filter_path", Text), ("ignore_unavailable", Boolean), ("master_timeout", Text)],
        Grant::ResolveIndices => &[("expand_wildcards", Text), ("filter_path", Text)],
        Grant::ReadMetadata => &[("_source", Text), ("filter_path", Text), ("size", Text)],
        Grant::ReadNodes | Grant::ReadRecoveries | Grant::ReadStatistics | Grant::CountDocuments => {
            &[("filter_path", Text)]
        }
        Grant::ReadClusterSize => &[("expand_wildcards", Text), ("filter_path", Text)],
        Grant::ReadSettings => &[("expand_wildcards", Text), ("filter_path", Text), ("flat_settings", Boolean)],
        Grant::ReadShards => &[("format", Only("json")), ("h", Text)],
        Grant::ReadAliases => &[("expand_wildcards", Text), ("filter_path", Text)],
        Grant::ReadTasks => &[("filter_path", Only(TASKS))],
        Grant::ReadClusterSettings => &[("filter_path", OneOf(&CLUSTER_SETTINGS)), ("include_defaults", Boolean)],
        Grant::RestoreSnapshot => &[("master_timeout", Text), ("wait_for_completion", False)],
        Grant::CreateIndex => &[("master_timeout", Text), ("wait_for_active_shards", Text)],
        Grant::DeleteIndices | Grant::MarkIndices | Grant::AddAliases => &[("master_timeout", Text)],
    }
}

fn find(granted: &'static [Parameter], found: &str) -> Result<Parameter, Denial> {
    granted.iter().copied().find(|(name, _)| *name == found).ok_or_else(|| Denial::Parameter {
        found: excerpt(found),
        allowed: granted.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
    })
}

impl Values {
    fn check(self, name: &'static str, value: &str) -> Result<(), Denial> {
        if self.contain(value) {
            return Ok(());
        }
        Err(Denial::ParameterValue { name, found: excerpt(value), allowed: self.describe() })
    }

    fn contain(self, value: &str) -> bool {
        match self {
            Self::Text => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()),
            Self::Boolean => matches!(value, "true" | "false"),
            Self::False => value == "false",
            Self::Only(text) => value == text,
            Self::OneOf(texts) => texts.contains(&value),
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Self::Text => "visible ASCII characters",
            Self::Boolean => "`true` and `false`",
            Self::False => "`false`",
            Self::Only(text) => text,
            Self::OneOf(_) => "the limit of shards and the watermarks of disks",
        }
    }
}
