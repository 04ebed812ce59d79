use std::borrow::Cow;

/// A path as the routes have it: without empty segments. `//actuator/backups/` is `/actuator/backups`.
///
/// What is percent-encoded stays so.
#[must_use]
pub fn normalized(path: &str) -> Cow<'_, str> {
    let is_normal = path.starts_with('/') && !path.contains("//") && (path == "/" || !path.ends_with('/'));
    if is_normal || !path.starts_with('/') {
        return Cow::Borrowed(path);
    }
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let joined: String = segments.flat_map(|segment| ["/", segment]).collect();
    Cow::Owned(if joined.is_empty() { "/".to_owned() } else { joined })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_are_counted_once_and_nothing_else_is_changed() {
        for (path, expected) in [
            ("/actuator/backups", "/actuator/backups"),
            ("//actuator/backups", "/actuator/backups"),
            ("/actuator/backups/", "/actuator/backups"),
            ("/actuator//backups///7//", "/actuator/backups/7"),
            ("/actuator/backups/%2F%2f", "/actuator/backups/%2F%2f"),
            ("/actuator/./backups", "/actuator/./backups"),
            ("/", "/"),
            ("///", "/"),
            ("", ""),
            ("*", "*"),
        ] {
            assert_eq!(normalized(path), expected, "{path}");
        }
    }
}
