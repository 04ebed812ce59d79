//! Whether a candidate is a step back from what serves.

use semver::Version;

use crate::policies::{Anatomy, Policies};

/// Why a candidate is a step back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineageFault {
    /// It is older.
    #[error(
        "its version is {found}, older than the {serving} that serves; allowed is that or a later one, or any if forced"
    )]
    Downgrade {
        /// Its version.
        found: Version,
        /// That of the serving policy.
        serving: Version,
    },
    /// It is known to fail.
    #[error("it has served here and was withdrawn: {reason}; allowed is another one, or this if forced")]
    Withdrawn {
        /// How it failed.
        reason: String,
    },
}

/// Checks a candidate against those that serve and have served.
pub(super) fn check(anatomy: &Anatomy, forced: bool, incumbents: Option<&Policies>) -> Result<(), LineageFault> {
    let Some(policies) = incumbents.filter(|_| !forced) else { return Ok(()) };
    if let Some(known) = policies.withdrawals().into_iter().find(|known| known.digest == anatomy.digest) {
        return Err(LineageFault::Withdrawn { reason: known.reason });
    }
    let serving = policies.serving();
    downgrade(anatomy, &serving.admitted.anatomy)
}

/// Versions say something only about policies of one name.
fn downgrade(candidate: &Anatomy, serving: &Anatomy) -> Result<(), LineageFault> {
    match (&candidate.version, &serving.version) {
        (Some(found), Some(serving_version)) if candidate.name == serving.name && found < serving_version => {
            Err(LineageFault::Downgrade { found: found.clone(), serving: serving_version.clone() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::EMBEDDED;

    fn anatomy(name: Option<&str>, version: Option<Version>) -> Anatomy {
        Anatomy { name: name.map(str::to_owned), version, ..Anatomy::examine(EMBEDDED).unwrap() }
    }

    #[test]
    fn an_older_version_of_the_same_policy_is_a_step_back() {
        let of = |name, minor| anatomy(Some(name), Some(Version::new(1, minor, 0)));
        let expected = LineageFault::Downgrade { found: Version::new(1, 1, 0), serving: Version::new(1, 2, 0) };
        assert_eq!(downgrade(&of("a", 1), &of("a", 2)), Err(expected));
        assert_eq!(downgrade(&of("a", 2), &of("a", 2)), Ok(()));
        assert_eq!(downgrade(&of("a", 3), &of("a", 2)), Ok(()));
        assert_eq!(downgrade(&of("b", 1), &of("a", 2)), Ok(()), "another policy");
        assert_eq!(downgrade(&anatomy(Some("a"), None), &of("a", 2)), Ok(()), "nothing to compare");
    }
}
