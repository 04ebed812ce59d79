use std::time::Duration;

use backup_core::restore::FindingCode;
use reqwest::redirect;

use crate::sandbox::restores::{Finding, Severity};

/// Where Optimize answers, if it runs.
#[derive(Clone, Debug)]
pub struct OptimizeUrl(pub String);

impl OptimizeUrl {
    /// What speaks against a restore: something answers there.
    pub(super) async fn finding(&self, overridden: &[String]) -> Option<Finding> {
        let status = self.answer().await?;
        let code = FindingCode::OptimizeIsRunning.as_str();
        Some(Finding {
            code: code.to_owned(),
            severity: Severity::Blocking,
            overridden: overridden.iter().any(|asked| asked == code),
            message: format!("{} answers with {status}: stop Optimize, all of its replicas", self.0),
        })
    }

    /// The status of its answer. `None`: there is none, or only of a proxy that finds nobody behind it. Nothing secret is
    /// sent, so whatever the certificate says is good enough.
    async fn answer(&self) -> Option<u16> {
        const TIMEOUT: Duration = Duration::from_secs(5);
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).tls_danger_accept_invalid_certs(true);
        let client = client.redirect(redirect::Policy::none()).timeout(TIMEOUT).build().ok()?;
        let status = client.get(&self.0).send().await.ok()?.status().as_u16();
        (!matches!(status, 502..=504)).then_some(status)
    }
}

#[cfg(test)]
mod tests;
