use super::*;

#[test]
fn no_copy_has_a_longer_name_than_an_index_can_have() {
    for id in [1, i64::MAX as u64] {
        let id = BackupId::new(id).unwrap();
        let mut names = std::collections::BTreeSet::new();
        for length in 0..=244 {
            let index = format!("optimize-{}", "x".repeat(length));
            let name = copy_name(id, &index);
            assert!(name.len() <= 255 && is_scratch(&name), "{name}");
            assert_eq!(name.ends_with(&index), SCRATCH.len() + id.to_string().len() + 1 + index.len() <= 255);
            assert!(names.insert(name));
        }
    }
}
