//! What is in Optimize's indices: invented, but of the right shape.

use anyhow::Result;
use serde_json::{Value, json};
use uuid::Uuid;

use super::indices::Index;
use super::{FEW, Release};
use crate::client::Client;

/// The engine refuses larger requests than 100 MB, and digests smaller ones better.
const BULK_BYTES: usize = 4 << 20;

const RANDOM_DOCUMENT_BYTES: usize = 16 << 10;

const FLOW_NODES: [&str; 5] = ["StartEvent", "ReviewInvoice", "ApprovalGateway", "PayInvoice", "EndEvent"];

/// Collects documents and sends them in large requests.
pub(super) struct Writer<'a> {
    client: &'a Client,
    lines: String,
}

impl<'a> Writer<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client, lines: String::new() }
    }

    /// Writes a document, sooner or later.
    pub(super) async fn write(&mut self, index: &str, id: &str, document: &Value) -> Result<()> {
        let action = json!({ "index": { "_index": index, "_id": id } });
        self.lines.push_str(&format!("{action}\n{document}\n"));
        if self.lines.len() < BULK_BYTES {
            return Ok(());
        }
        self.client.bulk(std::mem::take(&mut self.lines)).await
    }

    /// Writes what is left.
    pub(super) async fn finish(self) -> Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        self.client.bulk(self.lines).await
    }
}

/// How many documents an index gets, if each process and decision has so many instances.
pub(super) fn count(index: &Index, instances: usize) -> usize {
    match index.kind.as_str() {
        "metadata" => 1,
        kind if kind.contains("-instance-") => instances,
        _ => FEW,
    }
}

/// The nth document of an index and its id.
pub(super) fn document(index: &Index, release: Release, n: usize) -> (String, Value) {
    let kind = index.kind.as_str();
    match kind {
        "metadata" => ("1".to_owned(), metadata(release)),
        "position-based-import-index" => import_position(n),
        "import-index" | "timestamp-based-import-index" => import_time(n),
        "process-definition" | "decision-definition" => definition(n),
        _ => match kind.split_once("-instance-") {
            Some(("process", key)) => process_instance(key, n),
            Some(("decision", key)) => decision_instance(key, n),
            _ => entity(kind, n),
        },
    }
}

/// Text that does not compress, and an id for it.
pub(super) fn random_documents(bytes: usize) -> impl Iterator<Item = (String, Value)> {
    let count = bytes.div_ceil(RANDOM_DOCUMENT_BYTES);
    (0..count).map(move |n| {
        let length = RANDOM_DOCUMENT_BYTES.min(bytes - n * RANDOM_DOCUMENT_BYTES);
        let mut text: String = (0..length.div_ceil(32)).map(|_| Uuid::new_v4().simple().to_string()).collect();
        text.truncate(length);
        (format!("random-{n}"), json!({ "text": text }))
    })
}

fn metadata(release: Release) -> Value {
    json!({ "schemaVersion": release.version(), "installationId": Uuid::new_v4().to_string() })
}

fn import_position(n: usize) -> (String, Value) {
    let partition = n % 3 + 1;
    let position = 2_251_799_813_685_248 + n * 1_733;
    let document = json!({
        "positionOfLastEntity": position,
        "sequenceOfLastEntity": position + n,
        "esTypeIndexRefersTo": format!("zeebe-process-instance-{n}"),
        "dataSource": { "type": "zeebe", "name": "zeebe-record", "partitionId": partition },
        "hasSeenSequenceField": true,
        "lastImportExecutionTimestamp": time(n),
    });
    (format!("zeebe-process-instance-{n}-{partition}"), document)
}

fn import_time(n: usize) -> (String, Value) {
    let document = json!({
        "esTypeIndexRefersTo": format!("activityImportIndex{n}"),
        "timestampOfLastEntity": time(n),
        "lastImportExecutionTimestamp": time(n + 1),
        "dataSource": { "type": "engine", "name": "camunda-bpm" },
    });
    (format!("activityImportIndex{n}-camunda-bpm"), document)
}

fn definition(n: usize) -> (String, Value) {
    let key = format!("definition-{n}");
    let xml = format!("<definitions id=\"{key}\"><process id=\"{key}\" isExecutable=\"true\"/></definitions>");
    let document = json!({
        "key": key, "version": "1", "versionTag": null, "name": format!("Definition {n}"), "tenantId": null,
        "deleted": false, "onboarded": true, "bpmn20Xml": xml,
        "dataSource": { "type": "zeebe", "name": "zeebe-record", "partitionId": 1 },
    });
    (key, document)
}

fn process_instance(key: &str, n: usize) -> (String, Value) {
    let id = (4_503_599_627_370_496 + n).to_string();
    let flow_nodes: Vec<Value> = FLOW_NODES
        .iter()
        .enumerate()
        .map(|(step, name)| {
            json!({
                "flowNodeInstanceId": format!("{id}-{step}"), "flowNodeId": name, "startDate": time(n + step),
                "endDate": time(n + step + 1), "totalDurationInMs": 60_000, "canceled": false,
            })
        })
        .collect();
    let document = json!({
        "processInstanceId": id, "processDefinitionKey": key, "processDefinitionVersion": "1",
        "startDate": time(n), "endDate": time(n + FLOW_NODES.len()), "duration": 300_000,
        "state": "COMPLETED", "tenantId": null, "flowNodeInstances": flow_nodes, "incidents": [],
        "variables": [
            { "id": format!("{id}-amount"), "name": "amount", "type": "Double", "value": [format!("{n}.95")] },
            { "id": format!("{id}-city"), "name": "city", "type": "String", "value": ["Berlin"] },
        ],
    });
    (id, document)
}

fn decision_instance(key: &str, n: usize) -> (String, Value) {
    let id = (6_755_399_441_055_744 + n).to_string();
    let document = json!({
        "decisionInstanceId": id, "decisionDefinitionKey": key, "decisionDefinitionVersion": "1",
        "evaluationDateTime": time(n), "inputs": [{ "id": "amount", "type": "Double", "value": n }],
        "outputs": [{ "id": "category", "type": "String", "value": "low" }], "matchedRules": [],
    });
    (id, document)
}

fn entity(kind: &str, n: usize) -> (String, Value) {
    let document = json!({
        "id": n.to_string(), "name": format!("{kind} {n}"), "owner": "demo", "created": time(n),
        "lastModified": time(n + 1), "lastModifier": "demo", "data": { "configuration": {}, "filter": [] },
    });
    (n.to_string(), document)
}

/// A minute for each number, from the first of June 2026 on.
fn time(n: usize) -> String {
    let (day, hour, minute) = (n / 1_440 % 30 + 1, n / 60 % 24, n % 60);
    format!("2026-06-{day:02}T{hour:02}:{minute:02}:00.000+0200")
}
