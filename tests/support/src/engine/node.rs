//! One engine process, its folder, its start and its end.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::distribution::{Distribution, Kind};
use super::user::User;
use super::{archive, config, java, security};
use crate::guardian::{Guardian, Signal};
use crate::target_folder;
use crate::wait::poll_until;

/// Ten seconds is usual; a busy machine with two cores can take several times that.
const START_TIMEOUT: Duration = Duration::from_secs(180);

/// How much of the log tells why a start failed.
const LAST_LINES: usize = 25;

/// An engine that is ours to start and to stop.
#[derive(Debug)]
pub(crate) struct Node {
    distribution: Distribution,
    guardian: Guardian,
    user: User,
    java: PathBuf,
    home: PathBuf,
    secured: bool,
    /// 0 until the first start has found a free one.
    port: u16,
}

impl Node {
    /// Prepares everything but starts nothing. `password`: of the only user; none: no security.
    pub(crate) fn prepare(distribution: Distribution, password: Option<&str>) -> Result<Self> {
        let java = java::home(&distribution.java()).with_context(|| distribution.to_string())?;
        let guardian = Guardian::new(&std::env::temp_dir(), distribution.kind.name())?;
        let folder = guardian.folder();
        let user = User::in_place_of_owner(folder)?;
        let home = match target_folder().filter(|target| user.reaches(target)) {
            Some(target) => archive::cached(distribution, &target.join("engines"))?,
            None => archive::unpack(distribution, folder)?,
        };
        for name in [config::FOLDER, config::REPOSITORIES, config::TEMPORARY, "data", "logs"] {
            fs::create_dir(folder.join(name))?;
        }
        user.give(folder).context("giving the engine its folder")?;
        let node = Self { distribution, guardian, user, java, home, secured: password.is_some(), port: 0 };
        if let Some(password) = password {
            node.set_password(password)?;
        }
        Ok(node)
    }

    /// The folder with the configuration.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.guardian.folder().join(config::FOLDER)
    }

    /// The folder that repositories' relative locations are in.
    pub(crate) fn repositories(&self) -> PathBuf {
        self.guardian.folder().join(config::REPOSITORIES)
    }

    /// Who owns the files of this engine.
    pub(crate) fn user(&self) -> User {
        self.user
    }

    /// Starts the process and waits for its port, the same at every start.
    pub(crate) async fn start(&mut self) -> Result<u16> {
        let folder = self.guardian.folder().to_owned();
        config::write(self.distribution, &folder, self.port, self.secured)?;
        let mut command = Guardian::command(&self.program(""));
        self.surround(&mut command);
        self.guardian.start(command)?;
        self.port = poll_until("the engine's port", START_TIMEOUT, async || {
            let (exited, output) = (self.guardian.exited()?, self.guardian.output()?);
            if let Some(status) = exited {
                bail!("the engine ended with {status}:\n{}\n{}", last_lines(&output), self.guardian.errors()?);
            }
            Ok(bound_port(&output))
        })
        .await?;
        Ok(self.port)
    }

    /// Sends the engine a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        self.guardian.signal(signal)
    }

    /// Sends a signal and waits for the end.
    pub(crate) async fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        self.guardian.end(signal).await
    }

    fn set_password(&self, password: &str) -> Result<()> {
        match self.distribution.kind {
            Kind::Elasticsearch => {
                let mut keystore = Command::new(self.program("-keystore"));
                keystore.args(["add", "--stdin", "--force", "bootstrap.password"]);
                self.run_tool(keystore, password).map(drop)
            }
            Kind::OpenSearch => {
                let mut hasher = Command::new(self.home.join(security::HASHER));
                hasher.args(["-env", "PASSWORD"]);
                let hash = self.run_tool(hasher, password)?;
                security::write_opensearch(&self.home, &self.guardian.folder().join(config::FOLDER), hash.trim())
            }
        }
    }

    /// Runs one of the engine's tools with a password, both ways that there are; what it prints.
    fn run_tool(&self, mut command: Command, password: &str) -> Result<String> {
        self.surround(&mut command);
        command.env("PASSWORD", password);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = command.get_program().to_string_lossy().into_owned();
        let mut tool = command.spawn().with_context(|| format!("starting {name}"))?;
        tool.stdin.take().with_context(|| format!("{name} has no input"))?.write_all(password.as_bytes())?;
        let output = tool.wait_with_output()?;
        let (status, errors) = (output.status, String::from_utf8_lossy(&output.stderr));
        ensure!(status.success(), "{name} ended with {status}: {errors}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// One of the engine's programs: `bin/elasticsearch` and what follows that name.
    fn program(&self, suffix: &str) -> PathBuf {
        self.home.join("bin").join(format!("{}{suffix}", self.distribution.kind.name()))
    }

    /// The user, the folder and the environment of the engine's programs, and nothing of ours.
    fn surround(&self, command: &mut Command) {
        let folder = self.guardian.folder();
        let prefix = self.distribution.kind.variable_prefix();
        self.user.run(command);
        command
            .current_dir(folder)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "LANG"))
            .env(format!("{prefix}_JAVA_HOME"), &self.java)
            .env(format!("{prefix}_PATH_CONF"), folder.join(config::FOLDER))
            .env(format!("{prefix}_TMPDIR"), folder.join(config::TEMPORARY))
            // For the launchers and the tools, which are Java as well. Performance data would be
            // files outside our folder.
            .env("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:-UsePerfData");
    }
}

/// The port in the log's line of the HTTP transport: `publish_address {127.0.0.1:38767}`.
fn bound_port(log: &str) -> Option<u16> {
    let line = log.lines().find(|line| line.contains("HttpServerTransport] publish_address"))?;
    let (_, address) = line.split_once("publish_address {")?;
    let (address, _) = address.split_once('}')?;
    address.rsplit(':').next()?.parse().ok()
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines.split_at(lines.len().saturating_sub(LAST_LINES)).1.join("\n")
}

#[cfg(test)]
mod tests {
    use super::bound_port;

    #[test]
    fn the_port_is_that_of_http() {
        let transport = "[o.e.t.TransportService] publish_address {127.0.0.1:36365}, bound_addresses {}";
        let http = "[o.e.h.AbstractHttpServerTransport] publish_address {127.0.0.1:35553}, bound";
        assert_eq!(bound_port(transport), None);
        assert_eq!(bound_port(&format!("{transport}\n{http}\n")), Some(35553));
    }

    #[test]
    fn a_line_that_is_half_written_has_no_port_yet() {
        assert_eq!(bound_port("[o.e.h.AbstractHttpServerTransport] publish_address {127.0.0.1:355"), None);
    }
}
