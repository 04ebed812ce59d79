use std::time::Duration;

use super::*;
use crate::{EngineKind, IndexPrefix, Settings, Timestamp};

#[test]
fn stays_below_the_engines_limit() {
    for text in ["\"\\", "\"ä\\", "\u{1}"] {
        let context = Context {
            settings: Settings {
                repository: None,
                index_prefix: IndexPrefix::parse(&"x".repeat(200)).unwrap(),
                optimize_version: None,
                engine: EngineKind::Elasticsearch,
                resume_window: Duration::ZERO,
            },
            now: Timestamp::default(),
            engine_clock: crate::EngineClock::NotAsked,
            run_id: String::new(),
            host: text.repeat(10_000),
            notes: Vec::new(),
        };
        let origin = Origin::new(&text.repeat(10_000), Part::Two, &context);
        let origin = Origin { indices: Some(u64::MAX), documents: Some(u64::MAX), entities: Some(u64::MAX), ..origin };
        let bytes = serde_json::to_vec(&origin.into_metadata()).unwrap().len();
        assert!(bytes < 1024, "{bytes}");
    }
}

#[test]
fn others_metadata_is_not_ours() {
    for metadata in ["null", "{}", r#"{"policy":"daily"}"#, r#"{"optimizeBackup":1}"#, "[]", "\"x\""] {
        assert_eq!(Origin::read(metadata), None, "{metadata}");
    }
}

#[test]
fn what_is_counted_is_read_if_it_is_a_number() {
    let counted = |indices: &str| {
        let text =
            format!(r#"{{"optimizeBackup":{{"runId":"r","part":1,"parts":2,"indices":{indices},"documents":7}}}}"#);
        Origin::read(&text).map(|origin| (origin.indices, origin.documents))
    };
    assert_eq!(counted("3"), Some((Some(3), Some(7))));
    for other in ["null", "-1", "1.5", "\"3\"", "[]"] {
        assert_eq!(counted(other), Some((None, Some(7))), "{other}");
    }
}
