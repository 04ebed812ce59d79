use serde_json::{Map, Value, json};

/// The body of `GET /actuator` in the form of Spring Boot's, from names and paths below `/actuator`.
#[must_use]
pub fn links(host: Option<&str>, endpoints: &[(&str, &str)]) -> Value {
    let host = host.unwrap_or("localhost");
    let link = |&(name, path): &(&str, &str)| {
        let href = format!("http://{host}/actuator{path}");
        (name.to_owned(), json!({"href": href, "templated": path.contains('{')}))
    };
    json!({"_links": endpoints.iter().map(link).collect::<Map<_, _>>()})
}

/// The body of `GET /actuator/info`.
#[must_use]
pub fn info(description: &str) -> Value {
    json!({"app": {
        "name": "optimize-backup",
        "description": description,
        "version": env!("CARGO_PKG_VERSION"),
    }})
}
