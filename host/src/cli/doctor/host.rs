//! What a server on this machine needs: a policy, files for TLS, and a port.

use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;

use super::report::Check;
use crate::http::PortTls;
use crate::policy::admission::Admission;
use crate::policy::{Admitted, PolicyFile, initial_policy, self_test};
use crate::sandbox::Sandbox;
use crate::settings::{ServerTls, Settings};

const POLICY: &str = "policy";
const TLS: &str = "tls";
const PORT: &str = "port";
const TIMEOUT: Duration = Duration::from_secs(3);

/// What the checks work with.
pub(super) struct Machine<'a> {
    pub(super) settings: &'a Settings,
}

impl Machine<'_> {
    pub(super) async fn policy(&self) -> Check {
        let admitted = match self.admitted().await {
            Ok(admitted) => admitted,
            Err(error) => {
                return Check::refused(POLICY, error).advise(
                    "`optimize-backup policy check` tells at which step; without policy.path the embedded one serves",
                );
            }
        };
        match self_test::run(&admitted).await {
            Err(error) => Check::fault(POLICY, format!("the self-test fails: {error}")),
            Ok(()) => {
                let version = admitted.info.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
                let told = format!("{}{version}, passes the self-test\n{}", admitted.source, admitted.info.digest);
                Check::ok(POLICY, told)
            }
        }
    }

    /// The one that a server would begin with, but for the last known good one.
    async fn admitted(&self) -> Result<Admitted, String> {
        let policy = &self.settings.policy;
        let sandbox = Sandbox::new(policy.call).map_err(|error| format!("the sandbox cannot be set up: {error:#}"))?;
        let admission =
            Admission::from_settings(Arc::clone(&sandbox), policy).map_err(|error| format!("policy.keys: {error}"))?;
        let file = policy.path.clone().map(PolicyFile::new);
        let initial = initial_policy(&sandbox, &admission, file.as_ref(), None).await;
        Ok(initial.map_err(|error| error.to_string())?.admitted)
    }

    /// What a server reads before it begins to listen.
    pub(super) fn tls(&self) -> Check {
        of_tls(self.settings.tls.as_ref())
    }

    pub(super) async fn port(&self) -> Check {
        let address = self.settings.host.with_port(self.settings.port);
        match TcpListener::bind((self.settings.host.as_str(), self.settings.port)).await {
            Ok(_) if self.settings.port == 0 => Check::ok(PORT, "any that is free"),
            Ok(_) => Check::ok(PORT, format!("{address} is free")),
            Err(error) if error.kind() == ErrorKind::AddrInUse => self.taken(&address).await,
            Err(error) => of_listening(&address, &error),
        }
    }

    async fn taken(&self, address: &str) -> Check {
        let host = self.settings.host.as_str();
        let is_any = host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified());
        let host = if is_any { "localhost" } else { host };
        let scheme = if self.settings.tls.is_some() { "https" } else { "http" };
        match who_serves(scheme, host, self.settings.port).await {
            Some(server) => Check::ok(PORT, format!("{address} is taken by {server}, which answers")),
            None => Check::fault(PORT, format!("{address} is taken by another program")).advise(format!(
                "end that program (`ss -ltnp 'sport = :{port}'` names it), or set container.ports.actuator \
                 (CAMUNDA_OPTIMIZE_CONTAINER_PORTS_ACTUATOR) to a port that is free",
                port = self.settings.port
            )),
        }
    }
}

pub(super) fn of_tls(tls: Option<&ServerTls>) -> Check {
    const ADVICE: &str =
        "correct these files or settings: no server starts with them; docs/security.md#tls says what they hold";
    let Some(tls) = tls else { return Check::ok(TLS, "off: the port speaks HTTP") };
    match PortTls::new(tls.clone()) {
        Err(error) => Check::refused(TLS, error.to_string()).advise(ADVICE),
        Ok(port) => {
            let certificate = tls.certificate.display();
            let until = port.expires().map_or_else(String::new, |expires| format!(" until {expires}"));
            let callers = tls.trust_certificate.as_ref().map_or_else(String::new, |trust| {
                format!("\nevery caller needs a certificate of an authority in {}", trust.display())
            });
            Check::ok(TLS, format!("the certificate in {certificate} can be used{until}{callers}"))
        }
    }
}

fn of_listening(address: &str, error: &io::Error) -> Check {
    let advice = match error.kind() {
        ErrorKind::PermissionDenied => "choose a port above 1023 (container.ports.actuator)",
        _ => "set container.host (CONTAINER_HOST) to an address of this machine; 0.0.0.0 is all of them",
    };
    Check::fault(PORT, format!("cannot listen on {address}: {error}")).advise(advice)
}

/// `optimize-backup 0.1.0`, if that is what answers there. Nothing secret is sent, so whatever the certificate says is good enough.
async fn who_serves(scheme: &str, host: &str, port: u16) -> Option<String> {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).tls_danger_accept_invalid_certs(true);
    let client = client.timeout(TIMEOUT).build().ok()?;
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let answer = client.get(format!("{scheme}://{host}:{port}/actuator/info")).send().await.ok()?;
    let status = answer.status();
    server_of(status, &serde_json::from_str(&answer.text().await.ok()?).ok()?)
}

/// One that asks for a token or a certificate does not tell its version.
pub(super) fn server_of(status: StatusCode, body: &Value) -> Option<String> {
    let name = body.pointer("/app/name").and_then(Value::as_str);
    match (name, body.get("errorCode").and_then(Value::as_str)) {
        (Some("optimize-backup"), _) => {
            let version = body.pointer("/app/version").and_then(Value::as_str).unwrap_or_default();
            Some(format!("optimize-backup {version}"))
        }
        (_, Some(_)) if status == StatusCode::UNAUTHORIZED => Some("optimize-backup".to_owned()),
        (_, Some("clientCertificateNeeded")) if status == StatusCode::FORBIDDEN => Some("optimize-backup".to_owned()),
        _ => None,
    }
}
