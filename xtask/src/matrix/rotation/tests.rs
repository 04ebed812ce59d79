use super::{Rotation, columns};

#[test]
fn the_first_eight_digits_choose() {
    let columns = columns();
    for (number, expected) in columns.iter().enumerate() {
        let commit = format!("{number:08x}aa77bb");
        assert_eq!(Rotation::of(&commit).unwrap().column().name, expected.name);
    }
    let all = format!("{:08x}", columns.len());
    assert_eq!(Rotation::of(&all).unwrap().column().name, columns.first().unwrap().name);
}

#[test]
fn what_is_told_names_the_column_and_all_that_are_left_out() {
    let rotation = Rotation::of("00000000aa").unwrap();
    let text = rotation.to_string();
    assert!(text.contains(&format!("--column {}", rotation.column().name)), "{text}");
    for column in columns() {
        assert!(text.contains(column.name), "{text}");
    }
}

#[test]
fn what_is_no_commit_chooses_nothing() {
    for text in ["", "1234567", "not a commit"] {
        assert!(Rotation::of(text).is_err(), "{text}");
    }
}
