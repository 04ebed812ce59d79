//! Whether a candidate is a step back from what serves.

use semver::Version;

use super::Incumbents;
use crate::policy::ComponentInfo;

/// Why a candidate is a step back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineageError {
    #[error(
        "its version is {found}, older than the {serving} that serves; allowed is that or a later one, or any if forced"
    )]
    Downgrade {
        found: Version,
        /// That of the serving policy.
        serving: Version,
    },
    #[error("it has served here and was withdrawn: {reason}; allowed is another one, or this if forced")]
    Withdrawn { reason: String },
}

/// Checks a candidate against those that serve and have served.
pub(super) fn check(info: &ComponentInfo, forced: bool, incumbents: &Incumbents) -> Result<(), LineageError> {
    if forced {
        return Ok(());
    }
    if let Some(known) = incumbents.withdrawals.iter().find(|known| known.digest == info.digest) {
        return Err(LineageError::Withdrawn { reason: known.reason.clone() });
    }
    incumbents.serving.as_ref().map_or(Ok(()), |serving| downgrade(info, serving))
}

/// Versions say something only about policies of one name.
fn downgrade(candidate: &ComponentInfo, serving: &ComponentInfo) -> Result<(), LineageError> {
    match (&candidate.version, &serving.version) {
        (Some(found), Some(serving_version)) if candidate.name == serving.name && found < serving_version => {
            Err(LineageError::Downgrade { found: found.clone(), serving: serving_version.clone() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::EMBEDDED;

    fn info(name: Option<&str>, version: Option<Version>) -> ComponentInfo {
        ComponentInfo { name: name.map(str::to_owned), version, ..ComponentInfo::examine(EMBEDDED).unwrap() }
    }

    #[test]
    fn an_older_version_of_the_same_policy_is_a_step_back() {
        let of = |name, minor| info(Some(name), Some(Version::new(1, minor, 0)));
        let expected = LineageError::Downgrade { found: Version::new(1, 1, 0), serving: Version::new(1, 2, 0) };
        assert_eq!(downgrade(&of("a", 1), &of("a", 2)), Err(expected));
        assert_eq!(downgrade(&of("a", 2), &of("a", 2)), Ok(()));
        assert_eq!(downgrade(&of("a", 3), &of("a", 2)), Ok(()));
        assert_eq!(downgrade(&of("b", 1), &of("a", 2)), Ok(()), "another policy");
        assert_eq!(downgrade(&info(Some("a"), None), &of("a", 2)), Ok(()), "nothing to compare");
    }
}
