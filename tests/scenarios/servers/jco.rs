//! `jco serve`: the component as JavaScript and core modules. It has one instance, which answers one request
//! after the other.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use backup_test_support::host::Host;
use tokio::sync::OnceCell;

const JCO: &str = "@bytecodealliance/jco@1.35.0";

type Serving = Pin<Box<dyn Future<Output = Result<Host>>>>;
type Environment = Vec<(String, String)>;

/// Serves the actuator in a Node process that ends with the [`Host`].
pub(super) fn on_node(environment: Environment) -> Serving {
    Box::pin(serve(environment))
}

async fn serve(mut environment: Environment) -> Result<Host> {
    static JCO_PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();
    let jco = program(&JCO_PROGRAM, JCO, "jco").await?;
    let component = super::actuator().await?.to_str().context("the path of the actuator")?;
    // A handler that goes on would keep all other requests waiting.
    environment.push(("CAMUNDA_OPTIMIZE_BACKUP_GO_ON".to_owned(), "false".to_owned()));
    Host::of_program(jco, &["serve", component, "--host", "127.0.0.1", "--port"], environment).await
}

/// A program of an npm package, installed once below the target directory.
async fn program(cell: &'static OnceCell<PathBuf>, package: &'static str, name: &'static str) -> Result<&'static Path> {
    let install = async || tokio::task::spawn_blocking(|| install(package, name)).await?;
    cell.get_or_try_init(install).await.map(PathBuf::as_path)
}

fn install(package: &str, name: &str) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("npm").join(package);
    let program = folder.join("node_modules/.bin").join(name);
    if !program.exists() {
        std::fs::create_dir_all(&folder)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"]).arg(&folder).arg(package);
        let installed = npm.output().context("npm does not start: install Node.js, version 20 or newer, with npm")?;
        ensure!(installed.status.success(), "npm: {}", String::from_utf8_lossy(&installed.stderr));
    }
    Ok(program)
}
