use anyhow::{Context, Result};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

const ENGINE: &str = "optimize:backup/elasticsearch@1.0.0";
const BACKUPS: &str = "optimize:backup/backups@1.0.0";
const HANDLER: &str = "wasi:http/incoming-handler@0.2.12";

/// Connects the three components: the engine to the policy and both to the actuator. What is left of
/// their imports are the composition's.
pub(crate) fn compose(engine: &[u8], policy: &[u8], actuator: &[u8]) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let engine = instantiate(&mut graph, "optimize:engine", engine)?;
    let policy = instantiate(&mut graph, "optimize:policy", policy)?;
    let actuator = instantiate(&mut graph, "optimize:actuator", actuator)?;

    let elasticsearch = graph.alias_instance_export(engine, ENGINE)?;
    graph.set_instantiation_argument(policy, ENGINE, elasticsearch)?;
    graph.set_instantiation_argument(actuator, ENGINE, elasticsearch)?;
    let backups = graph.alias_instance_export(policy, BACKUPS)?;
    graph.set_instantiation_argument(actuator, BACKUPS, backups)?;
    let handler = graph.alias_instance_export(actuator, HANDLER)?;
    graph.export(handler, HANDLER)?;
    graph.encode(EncodeOptions::default()).context("the components do not fit together")
}

fn instantiate(graph: &mut CompositionGraph, name: &str, component: &[u8]) -> Result<NodeId> {
    let package = Package::from_bytes(name, None, component, graph.types_mut());
    let package = graph.register_package(package.with_context(|| format!("{name} is not a component"))?)?;
    Ok(graph.instantiate(package))
}
