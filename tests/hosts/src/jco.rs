//! What `jco serve` makes of the component: JavaScript and core modules. It has one instance, which answers
//! one request after the other.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use backup_test_support::host::Host;
use tokio::sync::OnceCell;

const JCO: &str = "@bytecodealliance/jco@1.35.0";
const BUN: &str = "bun@1.4.5";

/// A host that is being started.
pub type Serving = Pin<Box<dyn Future<Output = Result<Host>>>>;

/// Serves the actuator in a Node process that ends with the [`Host`].
#[must_use]
pub fn on_node(environment: Vec<(String, String)>) -> Serving {
    Box::pin(serve(Path::new("node"), environment))
}

/// The same in a Bun process, with another engine for JavaScript and WebAssembly.
#[must_use]
pub fn on_bun(environment: Vec<(String, String)>) -> Serving {
    static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();
    Box::pin(async {
        let bun = PROGRAM.get_or_try_init(async || tokio::task::spawn_blocking(|| program(BUN, "bun")).await?);
        serve(bun.await?, environment).await
    })
}

async fn serve(runtime: &Path, mut environment: Vec<(String, String)>) -> Result<Host> {
    let server = server().await?.to_str().context("the path of the server")?;
    // A handler that resumes a backup after its answer would keep all other requests waiting.
    environment.push(("CAMUNDA_OPTIMIZE_BACKUP_RESUME".to_owned(), "false".to_owned()));
    Host::of_program(runtime, &[server], environment).await
}

/// The program that `jco serve` writes and runs, written once a run.
async fn server() -> Result<&'static Path> {
    static SERVER: OnceCell<PathBuf> = OnceCell::const_new();
    let component = crate::actuator::file().await?;
    let written = SERVER.get_or_try_init(async || tokio::task::spawn_blocking(|| write_server(component)).await?);
    written.await.map(PathBuf::as_path)
}

fn write_server(component: &Path) -> Result<PathBuf> {
    // jco copies this into the program, which so takes the port from its command line.
    const PORT: &str = "Number(process.argv[2])";
    let folder = crate::folder("tmp")?.join("jco");
    let mut jco = Command::new(program(JCO, "jco")?);
    jco.arg("serve").arg(component).args(["--host", "127.0.0.1", "--port", PORT, "--jco-dir"]).arg(&folder);
    // In place of Node, so that nothing is served yet.
    let written = jco.env("JCO_RUN_PATH", "true").output().context("jco does not start")?;
    ensure!(written.status.success(), "jco: {}", String::from_utf8_lossy(&written.stderr));
    Ok(folder.join("_run.js"))
}

/// A program of an npm package, installed once below the target directory.
fn program(package: &str, name: &str) -> Result<PathBuf> {
    let folder = crate::folder("tmp")?.join("npm").join(package);
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
