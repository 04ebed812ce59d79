//! The search engine: whether it answers, which it is, who we are for it, and its clock.

use backup_actuator::Probe;
use backup_core::{EngineInfo, Refusal, Request, Response, TransportError};
use backup_elasticsearch::{OperatorRequest, OwnRequest};
use serde_json::Value;

use super::report::Check;
use super::settings::setting_named;
use super::{Doctor, FIRST_ANSWER_TIMEOUT};
use crate::settings::Authentication;

const NAME: &str = "engine";
const USER: &str = "user";
const CLOCK: &str = "clock";

/// Whether there is anybody to ask for more.
pub(super) enum Reached {
    Yes,
    No,
    /// It asks who we are.
    NotLetIn(Refusal),
}

/// Whether the engine knows users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    On,
    Off,
}

impl Doctor<'_> {
    pub(super) async fn reach(&self) -> (Check, Reached) {
        let advice = format!(
            "check {block}.connection.nodes (host, httpPort) and {block}.security.ssl, and that the search engine runs",
            block = self.block()
        );
        match self.access.capability.own(OwnRequest::EngineInfo, FIRST_ANSWER_TIMEOUT).await {
            Err(error) => (Check::fault(NAME, unreachable(&error)).advise(advice), Reached::No),
            Ok(response) if response.status == 401 => {
                let refusal = Refusal::of(&response);
                (Check::ok(NAME, "it answers, and asks who this is"), Reached::NotLetIn(refusal))
            }
            Ok(response) => match EngineInfo::read(&response) {
                Some(info) => (self.of_info(&info, &response), Reached::Yes),
                None => self.reach_nodes(advice).await,
            },
        }
    }

    /// A proxy, or the privileges of the user, may hide which engine it is.
    async fn reach_nodes(&self, advice: String) -> (Check, Reached) {
        let (kind, nodes) = (self.settings.engine, Request::node_versions());
        match self.access.capability.read_once(nodes, FIRST_ANSWER_TIMEOUT).await {
            Err(error) => (Check::fault(NAME, unreachable(&error)).advise(advice), Reached::No),
            Ok(response) if response.status == 403 => {
                (Check::ok(NAME, "it answers, and does not tell this user its version"), Reached::Yes)
            }
            Ok(response) => match version_of_a_node(&response) {
                Some(version) => (self.of_info(&EngineInfo { kind, version }, &response), Reached::Yes),
                None => {
                    let found = format!("this is not what a search engine answers: {}", beginning(&response));
                    (Check::fault(NAME, found).advise(advice), Reached::No)
                }
            },
        }
    }

    /// Whether it is the one that is configured, in health's words.
    fn of_info(&self, info: &EngineInfo, response: &Response) -> Check {
        let kind = self.settings.engine;
        let mut probe = Probe::read(kind, None, &self.settings.index_prefix, Ok(response));
        probe.add_info(kind, info);
        let nodes: Vec<String> = self.settings.connection.nodes.iter().map(ToString::to_string).collect();
        let found = format!("{} {} at {}", info.kind, info.version, nodes.join(", "));
        match (probe.engine.error, probe.engine.warning) {
            (Some(error), _) => Check::refused(NAME, error),
            (None, Some(warning)) => Check::warning(NAME, format!("{found}\n{warning}")),
            (None, None) => Check::ok(NAME, found),
        }
    }

    pub(super) fn not_let_in(&self, refusal: &Refusal) -> Check {
        let given = ["security.username", "security.apiKey", "security.apiKeyFile", "connection.awsEnabled"];
        let given = given.iter().find_map(|key| setting_named(&self.settings.origins, key));
        let password = ["security.password", "security.passwordFile"];
        let password = password.iter().find_map(|key| setting_named(&self.settings.origins, key));
        let advice = match (&self.settings.connection.authentication, given, password) {
            (Authentication::None, ..) => format!("set {0}.security.username and {0}.security.password", self.block()),
            (_, Some(user), Some(password)) => format!("correct {user} or {password}"),
            (_, user, _) => format!("correct {}", user.unwrap_or_else(|| self.block().to_owned() + ".security")),
        };
        let found = match &self.settings.connection.authentication {
            Authentication::None => format!("none is set, and the search engine asks for one ({refusal})"),
            Authentication::Basic { username, .. } => {
                format!("the search engine does not let '{}' in ({refusal})", username.as_str())
            }
            _ => format!("the search engine does not let this server in ({refusal})"),
        };
        Check::refused(USER, found).advise(advice)
    }

    pub(super) async fn user(&self) -> (Check, Security) {
        let response = self.access.operate(OperatorRequest::User(self.settings.engine)).await;
        match response.ok().and_then(|response| user_of(&response)) {
            Some(user) => (Check::ok(USER, user), Security::On),
            None => {
                let told = match &self.settings.connection.authentication {
                    Authentication::None => "none: whoever reaches the search engine may do everything",
                    Authentication::Aws => "whoever the AWS credentials are of",
                    _ => "the search engine lets it in; it does not tell who that is",
                };
                (Check::ok(USER, told), Security::Off)
            }
        }
    }

    pub(super) async fn clock(&self) -> Check {
        match self.access.capability.clock_difference(FIRST_ANSWER_TIMEOUT).await {
            Ok(difference) if difference.is_large() => {
                let advice = "correct the clock that is wrong, such as with NTP; backups can be made, but logs mislead";
                Check::warning(CLOCK, difference.to_string()).advise(advice)
            }
            Ok(_) => Check::ok(CLOCK, "it agrees with the search engine's"),
            Err(error) => Check::warning(CLOCK, format!("the search engine does not tell its time: {error}"))
                .advise("give the search engine's user the privilege monitor, and make sure that both clocks agree"),
        }
    }
}

pub(super) fn unreachable(error: &TransportError) -> String {
    format!("it cannot be reached: {error}")
}

fn version_of_a_node(response: &Response) -> Option<String> {
    let body: Value = serde_json::from_str(&response.body).ok().filter(|_| response.status == 200)?;
    let node = body.get("nodes")?.as_object()?.values().next()?;
    Some(node.get("version")?.as_str()?.to_owned())
}

fn beginning(response: &Response) -> String {
    let text: String = response.body.split_whitespace().take(12).collect::<Vec<_>>().join(" ");
    format!("{} {}", response.status, text.chars().take(120).collect::<String>())
}

/// `elastic, roles: superuser`, as each engine tells it.
fn user_of(response: &Response) -> Option<String> {
    let body: Value = serde_json::from_str(&response.body).ok().filter(|_| response.status == 200)?;
    let name = body.get("username").or_else(|| body.get("user_name"))?.as_str()?;
    let roles = body.get("roles")?.as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
    Some(format!("{name}, roles: {roles}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_told_as_either_engine_names_it() {
        let read = |status, body: &str| user_of(&Response { status, retry_after: None, body: body.to_owned() });
        let elasticsearch = r#"{"username":"elastic","roles":["superuser"]}"#;
        assert_eq!(read(200, elasticsearch).as_deref(), Some("elastic, roles: superuser"));
        let opensearch = r#"{"user_name":"admin","roles":["all_access","own_index"]}"#;
        assert_eq!(read(200, opensearch).as_deref(), Some("admin, roles: all_access, own_index"));
        assert_eq!(read(400, r#"{"error":"no handler found for uri [/_security/_authenticate]"}"#), None);
    }
}
