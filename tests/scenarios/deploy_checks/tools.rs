//! The tools that check something: of the system, or installed from package registries into cargo's target folder.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use backup_test_support::programs::{call, python_environment, workshop};

use super::root;

const HELM: &str = "helm.sh/helm/v3/cmd/helm@v3.19.2";
const NO_ADVICE: &str = "see its output";

/// One of the programs that requirements.txt brings.
pub(super) fn python_tool(name: &str) -> Result<PathBuf> {
    let requirements = root("tests/scenarios/deploy_checks/requirements.txt").canonicalize()?;
    Ok(python_environment(&requirements, "deploy-checks")?.join(name))
}

/// Helm of this version, built from its sources.
pub(super) fn helm() -> Result<PathBuf> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let (_, version) = HELM.split_once('@').unwrap_or_default();
    let folder = workshop("helm")?.join(version);
    let program = folder.join("helm");
    if !program.is_file() {
        let gobin = format!("GOBIN={}", folder.display());
        let advice = "install Go 1.24 or newer (package golang-go, or from go.dev)";
        call("env", &[&gobin, "go", "install", HELM], &root(""), advice)?;
    }
    Ok(program)
}

/// Runs one of them in the root folder; what it prints.
pub(super) fn run(program: PathBuf, arguments: &[&str]) -> Result<String> {
    run_in(&root(""), program, arguments)
}

/// The same in another folder.
pub(super) fn run_in(folder: &Path, program: PathBuf, arguments: &[&str]) -> Result<String> {
    call(program, arguments, folder, NO_ADVICE)
}

/// Runs a program of the system in the root folder; what it prints.
pub(super) fn run_installed(program: &str, arguments: &[&str], package: &str) -> Result<String> {
    call(program, arguments, &root(""), &format!("install the package {package}"))
}
