use std::time::Duration;

use backup_core::restore::FindingCode;
use backup_elasticsearch::ConnectError;
use reqwest::redirect;

use crate::elasticsearch::of_connect;
use crate::sandbox::restores::{Finding, Severity};

/// Where Optimize answers, if it runs.
#[derive(Clone, Debug)]
pub struct OptimizeUrl(pub String);

/// How long an answer is waited for.
const TIMEOUT: Duration = Duration::from_secs(5);

impl OptimizeUrl {
    /// What speaks against a restore: something answers there, or it is not known whether something does.
    pub(super) async fn finding(&self, overridden: &[String]) -> Option<Finding> {
        match self.answer().await {
            // A proxy finds nobody behind it.
            Ok(502..=504) => None,
            Ok(status) => {
                let message = format!("{} answers with {status}: stop Optimize, all of its replicas", self.0);
                Some(finding(FindingCode::OptimizeIsRunning, Severity::Blocking, overridden, message))
            }
            Err(error) => {
                let reason = why_unknown(&error)?;
                let message = format!("whether Optimize runs at {} could not be checked ({reason})", self.0);
                Some(finding(FindingCode::NotChecked, Severity::Warning, overridden, message))
            }
        }
    }

    /// The status of its answer. Nothing secret is sent, so whatever the certificate says is good enough.
    async fn answer(&self) -> Result<u16, reqwest::Error> {
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).tls_danger_accept_invalid_certs(true);
        let client = client.redirect(redirect::Policy::none()).timeout(TIMEOUT).build()?;
        Ok(client.get(&self.0).send().await?.status().as_u16())
    }
}

/// `None`: the connection was refused, so that nothing runs there.
fn why_unknown(error: &reqwest::Error) -> Option<String> {
    match of_connect(error) {
        ConnectError::Refused => None,
        ConnectError::Timeout => Some(format!("no answer within {} seconds", TIMEOUT.as_secs())),
        cause => Some(cause.to_string()),
    }
}

fn finding(code: FindingCode, severity: Severity, overridden: &[String], message: String) -> Finding {
    let code = code.as_str();
    Finding { code: code.to_owned(), severity, overridden: overridden.iter().any(|asked| asked == code), message }
}

#[cfg(test)]
mod tests;
