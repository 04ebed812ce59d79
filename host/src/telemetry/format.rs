use std::fmt;

use jiff::ZonedDateTime;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, JsonFields, Writer};
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::settings::LogFormat;

/// This server's time zone (`TZ`), with its offset.
pub(super) struct LocalTime;

impl FormatTime for LocalTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        writer.write_str(&now())
    }
}

fn now() -> String {
    ZonedDateTime::now().strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// Another format whose events stay on one line, whatever is in them.
pub(super) struct OneLine<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for OneLine<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        for c in line.trim_end_matches('\n').chars() {
            if c.is_control() { write!(writer, "{}", c.escape_default())? } else { writer.write_char(c)? }
        }
        writer.write_char('\n')
    }
}

/// One JSON object a line, with the fields of the event and of its spans beside each other.
pub(super) struct JsonLines;

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'a str,
    logger: &'a str,
    message: String,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

/// The names that every line has.
const RESERVED: [&str; 4] = ["timestamp", "level", "logger", "message"];

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let formatted = extensions.get::<FormattedFields<JsonFields>>();
            let own: Option<Map<String, Value>> = formatted.and_then(|own| serde_json::from_str(&own.fields).ok());
            own.into_iter().flatten().for_each(|(name, value)| fields.insert(&name, value));
        }
        event.record(&mut fields);
        let metadata = event.metadata();
        let line = Line {
            timestamp: now(),
            level: metadata.level().as_str(),
            logger: metadata.target(),
            message: fields.message,
            fields: fields.others,
        };
        writeln!(writer, "{}", serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

/// The fields of an event, as JSON.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn insert(&mut self, name: &str, value: Value) {
        let name = if RESERVED.contains(&name) { format!("field_{name}") } else { name.to_owned() };
        self.others.insert(name, value);
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field.name(), json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field.name(), json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field.name(), json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field.name(), json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            name => self.insert(name, json!(value)),
        }
    }

    /// What implements `Display` comes here, too.
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// The line in the place of lines that were not written.
pub(super) fn dropped(format: LogFormat, lines: u64) -> String {
    const MESSAGE: &str = "log lines are missing here: standard output did not take them in time";
    let logger = module_path!();
    match format {
        LogFormat::Text => format!("{}  WARN {logger}: {MESSAGE} lines={lines}\n", now()),
        LogFormat::Json => {
            let fields = Map::from_iter([("lines".to_owned(), json!(lines))]);
            let line = Line { timestamp: now(), level: "WARN", logger, message: MESSAGE.to_owned(), fields };
            serde_json::to_string(&line).unwrap_or_default() + "\n"
        }
    }
}

#[cfg(test)]
mod tests;
