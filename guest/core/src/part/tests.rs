use super::*;

#[test]
fn the_suffix_tells_the_number() {
    for part in Part::ALL {
        assert_eq!(part.suffix(), format!("_part_{}_of_{}", part.number(), Part::COUNT));
    }
}
