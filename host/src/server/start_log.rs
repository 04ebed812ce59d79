//! What the log says at the start: what this server works with, and where that was set.

use std::env;

use jiff::tz::TimeZone;

use crate::policy::Admitted;
use crate::settings::{Authentication, CompleteState, Settings, UnknownVariable, unknown_variables};

/// The settings, never a secret.
pub(super) fn settings(settings: &Settings) {
    let origins: Vec<String> = settings.origins.iter().map(|(key, origin)| format!("{key} from {origin}")).collect();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        engine = %settings.engine,
        url = urls(settings),
        repository = settings.repository.as_ref().map(ToString::to_string),
        prefix = %settings.index_prefix,
        timeZone = TimeZone::system().iana_name(),
        settings = origins.join("; "),
        "starting; what is not listed in settings has its default"
    );
    misspelt(settings);
    surprises(settings);
}

/// The policy that serves.
pub(super) fn policy(admitted: &Admitted) {
    tracing::info!(
        source = %admitted.source,
        version = admitted.info.version.as_ref().map(ToString::to_string),
        digest = %admitted.info.digest,
        signer = admitted.signer,
        "the policy serves"
    );
}

fn urls(settings: &Settings) -> String {
    let connection = &settings.connection;
    let scheme = if connection.tls.is_some() { "https" } else { "http" };
    let urls: Vec<String> =
        connection.nodes.iter().map(|node| format!("{scheme}://{node}{}", connection.path_prefix)).collect();
    urls.join(", ")
}

fn misspelt(settings: &Settings) {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let is_read = |name: &str| settings.origins.values().any(|origin| origin.variables.iter().any(|read| read == name));
    for UnknownVariable { name, suggestion } in unknown_variables(names, is_read) {
        match suggestion {
            Some(suggestion) => {
                tracing::warn!(
                    variable = name,
                    suggestion,
                    "nobody reads the environment variable {name}: is {suggestion} meant?"
                );
            }
            None => tracing::warn!(variable = name, "nobody reads the environment variable {name}"),
        }
    }
}

/// What an operator might not expect.
fn surprises(settings: &Settings) {
    let (state, change) = match settings.complete_state {
        CompleteState::Complete => {
            ("COMPLETE", "Camunda's procedure and most scripts wait for COMPLETED; to serve that,")
        }
        CompleteState::Completed => ("COMPLETED", "to serve COMPLETE,"),
    };
    tracing::info!(
        state,
        "a backup that can be restored has the state {state}; {change} set backup.completeState \
         (CAMUNDA_OPTIMIZE_BACKUP_COMPLETE_STATE)"
    );
    if settings.callers.is_empty() {
        tracing::info!(
            "whoever reaches this port can make and delete backups: no token is set (security.operatorTokenFile, \
             CAMUNDA_OPTIMIZE_BACKUP_OPERATOR_TOKEN_FILE)"
        );
    }
    if let Some(proxy) = &settings.connection.proxy {
        tracing::info!(%proxy, "all requests to the search engine go through this proxy");
    }
    if settings.connection.tls.as_ref().is_some_and(|tls| tls.any_name) {
        tracing::warn!(
            "a trusted certificate is accepted whatever host it is for (connection.skipHostnameVerification)"
        );
    }
    if matches!(settings.connection.authentication, Authentication::Aws) && settings.connection.tls.is_none() {
        tracing::warn!(
            "AWS's session token goes over the network as plain text: set opensearch.security.ssl.enabled to true \
             (opensearch.connection.awsEnabled)"
        );
    }
}
