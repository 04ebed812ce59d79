//! The real host process.

mod options;

use std::any::Any;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Url};
use serde_json::Value;

use self::options::Program;
pub use self::options::{HostOptions, Serve};
use crate::client::http;
use crate::guardian::{Guardian, Signal};
use crate::journal::{Journal, SentRequest, Subject};
use crate::wait::poll_until;

/// A policy that brings an interpreter takes its time to compile, beside other tests even more.
const START_TIMEOUT: Duration = Duration::from_secs(600);
/// Much longer than the 30 s after which a neighbour looks for backups that nobody drives: engines that many tests share
/// on a busy machine take their time.
const BACKUP_TIMEOUT: Duration = Duration::from_secs(600);

/// A running host, which ends with this value.
#[derive(Debug)]
pub struct Host {
    server: Server,
    url: Url,
    /// Goes with all requests, if there is one.
    token: Option<String>,
    /// Records the requests to it.
    journal: Option<(Journal, Subject)>,
}

/// What ends together with a [`Host`].
#[derive(Debug)]
enum Server {
    Process(Guardian),
    Other(Box<dyn Any + Send + Sync>),
}

/// A host that did not start.
#[derive(Debug)]
pub struct Failure {
    /// Its exit status.
    pub code: Option<i32>,
    /// What it said.
    pub stderr: String,
}

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, by lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub text: String,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.text).with_context(|| format!("not JSON: {} {}", self.status, self.text))
    }

    /// A header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

impl Host {
    /// Starts a host and waits until it listens.
    pub async fn start(options: HostOptions) -> Result<Self> {
        let binary = match options.program.clone() {
            Program::Binary(binary) => binary,
            Program::Other(serve, journal) => {
                let host = serve(options.last_values()).await?;
                return Ok(Self { journal: journal.map(|journal| (journal, options.subject())), ..host });
            }
        };
        let mut guardian = launch(&binary, &options)?;
        let port = poll_until("the host's port", START_TIMEOUT, async || {
            let (exited, output) = (guardian.exited()?, guardian.output()?);
            if let Some(status) = exited {
                bail!("the host ended with {status}:\n{}{output}", guardian.errors()?);
            }
            Ok(listening_port(&output))
        })
        .await?;
        Ok(Self { token: options.token, ..Self::new(Server::Process(guardian), port)? })
    }

    fn new(server: Server, port: u16) -> Result<Self> {
        Ok(Self { server, url: Url::parse(&format!("http://127.0.0.1:{port}"))?, token: None, journal: None })
    }

    /// A host within this process, which ends when `server` is dropped.
    pub fn within(port: u16, server: impl Any + Send + Sync) -> Result<Self> {
        Self::new(Server::Other(Box::new(server)), port)
    }

    /// Runs another program, with the port that it is to serve on as its last argument, and waits until it
    /// does.
    pub async fn of_program(program: &Path, arguments: &[&str], environment: Vec<(String, String)>) -> Result<Self> {
        // It is free until somebody else takes it, and then the program does not start.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut guardian = Guardian::new(&std::env::temp_dir(), "host")?;
        let mut command = Guardian::command(program);
        command.args(arguments).arg(port.to_string()).current_dir(guardian.folder()).envs(environment);
        guardian.start(command)?;
        let mut host = Self::new(Server::Process(guardian), port)?;
        poll_until("the host to serve", START_TIMEOUT, async || host.serves().await.map(|serves| serves.then_some(())))
            .await?;
        Ok(host)
    }

    /// Whether it answers; an error if it has ended.
    async fn serves(&mut self) -> Result<bool> {
        if let Server::Process(guardian) = &mut self.server
            && let Some(status) = guardian.exited()?
        {
            bail!("the host ended with {status}:\n{}", guardian.errors()?);
        }
        Ok(self.get("/actuator/health/liveness").await.is_ok())
    }

    /// Starts a host that is expected to end by itself.
    pub async fn start_failing(options: HostOptions) -> Result<Failure> {
        let Program::Binary(binary) = &options.program else { bail!("only the host of this project") };
        let mut guardian = launch(binary, &options)?;
        let status = poll_until("the host to give up", START_TIMEOUT, async || {
            ensure!(listening_port(&guardian.output()?).is_none(), "the host started after all");
            guardian.exited()
        })
        .await?;
        Ok(Failure { code: status.code(), stderr: guardian.errors()? })
    }

    /// Where it serves.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// `POST /actuator/backups`.
    pub async fn create(&self, id: u64) -> Result<Reply> {
        let body = format!("{{\"backupId\":{id}}}");
        self.request("POST", "/actuator/backups", &[(CONTENT_TYPE.as_str(), "application/json")], body).await
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Result<Reply> {
        self.request("GET", path, &[], String::new()).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Result<Reply> {
        self.request("DELETE", path, &[], String::new()).await
    }

    /// Any request.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Result<Reply> {
        let body = body.into();
        let sent = SentRequest::new(method, path, headers, &body);
        let method = Method::from_bytes(method.as_bytes())?;
        let url = format!("{}{path}", self.url.as_str().trim_end_matches('/'));
        let mut request = http()?.request(method, url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.context("asking the host")?;
        let status = response.status().as_u16();
        let text_of = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers =
            response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text_of(value))).collect();
        let text = response.text().await?;
        if let (Some((journal, subject)), Some(sent)) = (&self.journal, sent) {
            journal.record(subject, sent, status);
        }
        Ok(Reply { status, headers, text })
    }

    /// Waits until a backup has a state.
    pub async fn wait_for_state(&self, id: u64, state: &str) -> Result<()> {
        let mut last = None;
        let outcome = poll_until(state, BACKUP_TIMEOUT, async || {
            let reply = self.get(&format!("/actuator/backups/{id}")).await?;
            let found = reply.status == 200 && reply.json()?.get("state").and_then(Value::as_str) == Some(state);
            last = Some(reply.text);
            Ok(found.then_some(()))
        })
        .await;
        outcome.with_context(|| format!("backup {id} is {}", last.unwrap_or_default()))
    }

    /// What it has logged so far, a JSON object a line; without the last line while that is written.
    pub fn log(&self) -> Result<Vec<Value>> {
        Ok(self.process()?.output()?.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Everything that it has printed so far.
    pub fn output(&self) -> Result<String> {
        Ok(self.process()?.output()? + &self.process()?.errors()?)
    }

    /// Sends SIGHUP.
    pub fn hang_up(&self) -> Result<()> {
        self.process()?.signal(Signal::HangUp)
    }

    /// The most memory that it has had resident so far, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        self.process()?.peak_memory()
    }

    /// The memory that it has resident at the moment, in bytes.
    pub fn resident_memory(&self) -> Result<u64> {
        self.process()?.resident_memory()
    }

    /// How many descriptors it has open.
    pub fn open_files(&self) -> Result<usize> {
        self.process()?.open_files()
    }

    /// Sends SIGTERM.
    pub fn ask_to_end(&self) -> Result<()> {
        self.process()?.signal(Signal::Terminate)
    }

    /// Sends SIGTERM and waits for the end.
    pub async fn terminate(mut self) -> Result<ExitStatus> {
        self.process_mut()?.end(Signal::Terminate).await
    }

    /// Sends SIGINT and waits for the end.
    pub async fn interrupt(mut self) -> Result<ExitStatus> {
        self.process_mut()?.end(Signal::Interrupt).await
    }

    /// Sends SIGKILL and waits for the end; drops a host within this process.
    pub async fn kill(self) -> Result<()> {
        match self.server {
            Server::Process(mut guardian) => guardian.end(Signal::Kill).await.map(drop),
            Server::Other(server) => {
                drop(server);
                Ok(())
            }
        }
    }

    fn process(&self) -> Result<&Guardian> {
        match &self.server {
            Server::Process(guardian) => Ok(guardian),
            Server::Other(_) => bail!("this host is not a process of its own"),
        }
    }

    fn process_mut(&mut self) -> Result<&mut Guardian> {
        match &mut self.server {
            Server::Process(guardian) => Ok(guardian),
            Server::Other(_) => bail!("this host is not a process of its own"),
        }
    }
}

fn launch(binary: &Path, options: &HostOptions) -> Result<Guardian> {
    ensure!(binary.exists(), "{} does not exist; build it first", binary.display());
    let mut guardian = Guardian::new(&std::env::temp_dir(), "host")?;
    let mut command = Guardian::command(binary);
    command.arg("serve").current_dir(guardian.folder()).env_clear().envs(options.environment.iter().cloned());
    if let Some(token) = &options.token {
        let file = guardian.folder().join("token");
        fs::write(&file, token)?;
        command.env("CAMUNDA_OPTIMIZE_BACKUP_ADMIN_TOKEN_FILE", file);
    }
    if let Some(config) = &options.config {
        fs::write(guardian.folder().join("config.yaml"), config)?;
        command.args(["--config", "config.yaml"]);
    }
    if let Some(log) = &options.log {
        guardian.keep_output(log);
    }
    guardian.start(command)?;
    Ok(guardian)
}

/// The port in the event `listening`, in a log of either format.
fn listening_port(log: &str) -> Option<u16> {
    // The last line may still be being written.
    let mut whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.find_map(listening_address)?.rsplit_once(':')?.1.parse().ok()
}

fn listening_address(line: &str) -> Option<String> {
    let Ok(event) = serde_json::from_str::<Value>(line) else {
        let (_, fields) = line.split_once("listening address=")?;
        return fields.split_whitespace().next().map(str::to_owned);
    };
    let address = event.get("address")?.as_str()?;
    (event.get("message")? == "listening").then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::listening_port;

    #[test]
    fn the_port_is_found_in_both_formats() {
        let json = r#"{"level":"INFO","message":"listening","address":"0.0.0.0:40123","afterMilliseconds":9}"#;
        let text =
            "2026-06-01T00:00:00Z  INFO optimize_backup::server: listening address=0.0.0.0:40123 afterMilliseconds=9";
        for line in [json, text] {
            assert_eq!(listening_port(&format!("2026-06-01 INFO first\n{line}\n")), Some(40123));
            assert_eq!(listening_port(line), None, "half a line");
        }
        assert_eq!(listening_port("{\"message\":\"stopped\"}\n"), None);
    }
}
