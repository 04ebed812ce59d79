use std::io;
use std::sync::{Arc, Mutex};

use tracing::info_span;
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(format: LogFormat, log: impl FnOnce()) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Json => {
            Box::new(layer().fmt_fields(JsonFields::new()).event_format(JsonLines).with_writer(move || writer.clone()))
        }
        LogFormat::Text => {
            let format = OneLine(tracing_subscriber::fmt::format().with_ansi(false).with_timer(LocalTime));
            Box::new(layer().with_ansi(false).event_format(format).with_writer(move || writer.clone()))
        }
    };
    tracing::subscriber::with_default(Registry::default().with(layer), log);
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

fn of_a_request() {
    info_span!("request", requestId = "r-1").in_scope(|| {
        info_span!("policy", operation = "get", generation = 3_u64).in_scope(|| {
            let reason: Option<&str> = None;
            tracing::warn!(backupId = 7_u64, reason, level = "a field", error = %"two\nlines", "it\nfailed");
        });
    });
}

#[test]
fn the_fields_of_spans_and_event_stand_beside_each_other() {
    let text = logged(LogFormat::Json, of_a_request);
    let line: Value = serde_json::from_str(text.strip_suffix('\n').unwrap()).unwrap();
    assert!(!text.trim_end().contains('\n'));
    let time = line["timestamp"].as_str().unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok() && !time.ends_with('Z'), "{time}");
    let mut rest = line.clone();
    rest.as_object_mut().unwrap().remove("timestamp");
    assert_eq!(
        rest,
        json!({"level": "WARN", "logger": module_path!(), "message": "it\nfailed", "requestId": "r-1", "operation": "get",
               "generation": 3, "backupId": 7, "field_level": "a field", "error": "two\nlines"})
    );
}

#[test]
fn a_text_is_one_line() {
    let text = logged(LogFormat::Text, of_a_request);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("requestId=\"r-1\"") && text.contains("backupId=7"), "{text}");
    assert!(text.contains("it\\nfailed"), "{text}");
}

#[test]
fn what_is_missing_is_told_in_the_same_form() {
    let json: Value = serde_json::from_str(&dropped(LogFormat::Json, 3)).unwrap();
    assert_eq!((&json["lines"], &json["level"]), (&json!(3), &json!("WARN")));
    assert!(dropped(LogFormat::Text, 3).ends_with("lines=3\n"));
}
