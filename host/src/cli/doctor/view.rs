//! The checks as text and as JSON.

use comfy_table::{ColumnConstraint, ContentArrangement, Table};
use serde_json::{Value, json};

use super::report::{Check, Outcome};
use crate::cli::client::one_line;
use crate::cli::output::{Format, PrintError, print, terminal_width};
use crate::settings::{Origin, Settings};

pub(super) fn print_report(checks: &[Check], settings: Option<&Settings>, format: Format) -> Result<(), PrintError> {
    match (format, terminal_width()) {
        (Format::Json, _) => {
            let settings: Vec<Value> =
                settings.into_iter().flat_map(|settings| &settings.origins).map(setting).collect();
            print(&json!({"checks": checks, "settings": settings}).to_string())
        }
        (Format::Text, None) => print(&checks.iter().map(|check| line(check) + "\n").collect::<String>()),
        (Format::Text, Some(width)) => print(&table(checks, width)),
    }
}

/// What is not by default.
fn setting((key, origin): (&String, &Origin)) -> Value {
    json!({"key": key, "value": origin.value, "file": origin.is_of_file, "variables": origin.variables})
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Warning => "WARNING",
        Outcome::Fault => "FAULT",
        Outcome::NotChecked => "-",
    }
}

/// For scripts: name, outcome, what was found and what to do, with tabs in between.
fn line(check: &Check) -> String {
    let found = one_line(&check.found.replace('\n', "; "));
    let advice = check.advice.as_deref().map_or_else(|| "-".to_owned(), one_line);
    format!("{}\t{}\t{found}\t{advice}", check.name, word(check.outcome))
}

/// For people: what to do stands below what was found.
pub(super) fn table(checks: &[Check], width: u16) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    for check in checks {
        let found = check.found.lines().map(one_line);
        let advice = check.advice.iter().map(|advice| format!("→ {}", one_line(advice)));
        let told: Vec<String> = found.chain(advice).collect();
        table.add_row([check.name, word(check.outcome), &told.join("\n")]);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == 2 { 0 } else { 2 }));
        if index < 2 {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.trim_fmt()
}
