use super::*;

#[test]
fn what_is_written_is_read() {
    for run_id in ["4b0a-9f", "a.b", "7.8"] {
        let holder =
            VerificationHolder { backup_id: BackupId::new(7).unwrap(), run_id: run_id.to_owned(), beat: u64::MAX };
        assert_eq!(VerificationHolder::parse(&holder.to_setting()), Some(holder));
    }
}

#[test]
fn what_nobody_has_written_tells_no_holder() {
    for text in ["", "7", "7.", "7..1", "7.run", "7.run.", "7.run.x", "0.run.1", "x.run.1", "-7.run.1", ".run.1"] {
        assert_eq!(VerificationHolder::parse(text), None, "{text}");
    }
}
