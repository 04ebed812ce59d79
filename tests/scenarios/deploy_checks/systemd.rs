//! `deploy/systemd`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use backup_test_support::host::{Host, HostOptions};
use backup_test_support::programs::workshop;
use tempfile::TempDir;

use super::root;
use super::tools::run_installed;

const BINARY: &str = env!("CARGO_BIN_EXE_optimize-backup");
const SERVER: &str = "optimize-backup.service";
const UNITS: [&str; 3] = [SERVER, "optimize-backup-create.service", "optimize-backup-create.timer"];
/// The largest exposure of `systemd-analyze security`, times ten: 0 is the best, 100 the worst.
const MAX_EXPOSURE: &str = "15";

/// A copy of the folder in which the units start the program that is tested.
fn copy() -> Result<TempDir> {
    let copy = tempfile::tempdir_in(workshop("systemd")?)?;
    copy_units(&root("deploy/systemd"), copy.path())?;
    Ok(copy)
}

fn copy_units(from: &Path, to: &Path) -> Result<()> {
    for entry in from.read_dir()? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&to)?;
            copy_units(&entry.path(), &to)?;
        } else {
            fs::write(to, fs::read_to_string(entry.path())?.replace("/usr/local/bin/optimize-backup", BINARY))?;
        }
    }
    Ok(())
}

fn paths(folder: &TempDir, units: &[&str]) -> Vec<String> {
    units.iter().map(|unit| folder.path().join(unit).display().to_string()).collect()
}

#[test]
#[ignore = "cargo xtask matrix"]
fn the_units_and_what_is_added_to_them_are_right() -> Result<()> {
    let folder = copy()?;
    let units = paths(&folder, &UNITS);
    let mut arguments = vec!["verify", "--man=no"];
    arguments.extend(units.iter().map(String::as_str));
    run_installed("systemd-analyze", &arguments, "systemd").map(drop)
}

#[test]
#[ignore = "cargo xtask matrix"]
fn the_services_may_do_little() -> Result<()> {
    let folder = copy()?;
    for unit in paths(&folder, &UNITS[..2]) {
        let threshold = format!("--threshold={MAX_EXPOSURE}");
        run_installed("systemd-analyze", &["security", "--no-pager", "--offline=true", &threshold, &unit], "systemd")?;
    }
    Ok(())
}

/// What the unit asks for and a test can have without systemd: another user, no capability, and the limits.
#[tokio::test]
#[ignore = "cargo xtask matrix"]
async fn the_service_runs_as_a_user_without_capabilities() -> Result<()> {
    let unit = fs::read_to_string(root("deploy/systemd").join(SERVER))?;
    let value = |key: &str| {
        unit.lines().find_map(|line| line.strip_prefix(key)).with_context(|| format!("{SERVER} has no {key}"))
    };
    ensure!(value("ExecStart=/usr/local/bin/optimize-backup ")?.starts_with("serve"), "it does not serve");
    let state = value("Environment=CAMUNDA_OPTIMIZE_BACKUP_COMPLETE_STATE=")?;
    let limits = [
        format!("--nofile={}", value("LimitNOFILE=")?),
        format!("--core={}", value("LimitCORE=")?),
        format!("--nproc={}", value("TasksMax=")?),
    ];
    let script = format!(
        "#!/bin/sh\nexec prlimit {} setpriv --reuid 61184 --regid 61184 --clear-groups --no-new-privs \
         --bounding-set=-all --inh-caps=-all {BINARY} \"$@\"\n",
        limits.join(" ")
    );
    let folder = copy()?;
    let options = HostOptions::new(program(&folder, &script)?).env("CAMUNDA_OPTIMIZE_BACKUP_COMPLETE_STATE", state);
    let host = Host::start(options.env("PATH", "/usr/bin:/bin")).await?;
    ensure!(host.get("/actuator/health/liveness").await?.status == 200, "{}", host.output()?);
    ensure!(host.output()?.contains("has the state COMPLETED"), "{}", host.output()?);
    ensure!(host.terminate().await?.success(), "it did not end well");
    Ok(())
}

fn program(folder: &TempDir, script: &str) -> Result<PathBuf> {
    let path = folder.path().join("optimize-backup");
    fs::write(&path, script)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}
