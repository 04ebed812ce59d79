//! The block `backup.retention`: which backups are deleted without a request.

use std::num::NonZeroU32;

use backup_core::RetentionRules;

use super::section::{Parsed, Section};
use super::values;

pub(super) fn read(block: &Section<'_>) -> Parsed<RetentionRules> {
    block.refuse_unknown();
    let count = |name| block.optional(name, values::number(NonZeroU32::MIN..=NonZeroU32::MAX));
    let expire_after = block.optional("expireAfter", values::age);
    let (min_count, max_count) = (count("minCount"), count("maxCount"));
    let rules = RetentionRules::new(expire_after?, min_count?, max_count?);
    rules.map_err(|contradictory| block.report("minCount", contradictory))
}
