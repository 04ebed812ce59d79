use anyhow::{Context, Result, ensure};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

const ACTUATOR: &str = "optimize:actuator";
const ENGINE: &str = "optimize:backup/elasticsearch@1.0.0";
const BACKUPS: &str = "optimize:backup/backups@1.0.0";
/// Between the two adapters: it is not the policy's to say what a call may write.
const SCOPES: &str = "optimize:wasi-http/scopes@1.0.0";
const HANDLER: &str = "wasi:http/incoming-handler@0.2.12";

/// Connects the three components: the engine to the policy and both to the actuator. What is left of
/// their imports are the composition's.
pub(crate) fn compose(engine: &[u8], policy: &[u8], actuator: &[u8]) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let engine = instantiate(&mut graph, "optimize:engine", engine)?;
    let policy = instantiate(&mut graph, "optimize:policy", policy)?;
    let actuator = instantiate(&mut graph, ACTUATOR, actuator)?;

    let elasticsearch = graph.alias_instance_export(engine, ENGINE)?;
    graph.set_instantiation_argument(policy, ENGINE, elasticsearch)?;
    graph.set_instantiation_argument(actuator, ENGINE, elasticsearch)?;
    let scopes = graph.alias_instance_export(engine, SCOPES)?;
    graph.set_instantiation_argument(actuator, SCOPES, scopes)?;
    let backups = graph.alias_instance_export(policy, BACKUPS)?;
    graph.set_instantiation_argument(actuator, BACKUPS, backups)?;
    let handler = graph.alias_instance_export(actuator, HANDLER)?;
    graph.export(handler, HANDLER)?;
    graph.encode(EncodeOptions::default()).context("the components do not fit together")
}

fn instantiate(graph: &mut CompositionGraph, name: &str, component: &[u8]) -> Result<NodeId> {
    let package = Package::from_bytes(name, None, component, graph.types_mut());
    let package = package.with_context(|| format!("{name} is not a component"))?;
    let may_enter_scopes = graph.types()[package.ty()].imports.contains_key(SCOPES);
    // Whoever could enter a scope could delete while it is asked for a list.
    ensure!(!may_enter_scopes || name == ACTUATOR, "{name} imports {SCOPES}, which only the actuator may");
    let package = graph.register_package(package)?;
    Ok(graph.instantiate(package))
}

#[cfg(test)]
mod tests {
    use wac_graph::CompositionGraph;

    use super::*;

    #[test]
    fn only_the_actuator_can_enter_scopes() {
        let component = wat::parse_str(format!(r#"(component (import "{SCOPES}" (instance)))"#)).unwrap();
        let outcome = |name| instantiate(&mut CompositionGraph::new(), name, &component).map(|_| ());
        assert!(outcome(ACTUATOR).is_ok());
        let refusal = outcome("optimize:policy").unwrap_err().to_string();
        assert_eq!(refusal, format!("optimize:policy imports {SCOPES}, which only the actuator may"));
    }
}
