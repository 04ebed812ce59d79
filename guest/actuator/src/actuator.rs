use std::collections::BTreeMap;

use serde::Serialize;

/// The body of `GET /actuator`, in the form of Spring Boot's.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Links {
    #[serde(rename = "_links")]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, Link>))]
    links: BTreeMap<&'static str, Link>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct Link {
    href: String,
    templated: bool,
}

impl Links {
    /// From the endpoints' names and paths below `/actuator`.
    #[must_use]
    pub fn new(host: Option<&str>, endpoints: &[(&'static str, &'static str)]) -> Self {
        let host = host.unwrap_or("localhost");
        let link = |&(name, path): &(&'static str, &'static str)| {
            (name, Link { href: format!("http://{host}/actuator{path}"), templated: path.contains('{') })
        };
        Self { links: endpoints.iter().map(link).collect() }
    }
}

/// The body of `GET /actuator/info`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Info {
    app: App,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct App {
    name: &'static str,
    description: &'static str,
    version: &'static str,
}

impl Info {
    /// Of the program with this description.
    #[must_use]
    pub fn new(description: &'static str) -> Self {
        Self { app: App { name: "optimize-backup", description, version: env!("CARGO_PKG_VERSION") } }
    }
}
