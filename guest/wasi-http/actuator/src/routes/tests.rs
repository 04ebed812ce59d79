use super::*;

#[test]
fn a_path_and_a_verb_are_one_route_or_say_why_not() {
    for (method, path, route) in [
        (Method::GET, "/actuator", Route::Links),
        (Method::HEAD, "/actuator/backups", Route::List),
        (Method::POST, "/actuator/backups", Route::Create),
        (Method::GET, "/actuator/backups/%31", Route::Get("1".to_owned())),
        (Method::GET, "/actuator/backups/7/progress", Route::Progress("7".to_owned())),
        (Method::DELETE, "/actuator/backups/12a", Route::Delete("12a".to_owned())),
        (Method::GET, "/actuator/health/readiness", Route::Readiness),
        (Method::GET, "//actuator/backups", Route::List),
        (Method::GET, "/actuator//backups/7/", Route::Get("7".to_owned())),
        (Method::GET, "/actuator/backups/%2F", Route::Get("/".to_owned())),
    ] {
        assert_eq!(Route::find(&method, path), Ok(route), "{method} {path}");
    }
    for (method, path, allowed) in [
        (Method::PUT, "/actuator/backups", "GET,HEAD,POST"),
        (Method::POST, "/actuator/backups/1", "GET,HEAD,DELETE"),
        (Method::POST, "/actuator/backups/1/progress", "GET,HEAD"),
        (Method::DELETE, "/actuator/health", "GET,HEAD"),
        (Method::DELETE, "/actuator/backups/", "GET,HEAD,POST"),
    ] {
        let expected = NoRoute(RequestError::MethodNotAllowed(method.clone()), Some(allowed));
        assert_eq!(Route::find(&method, path), Err(expected), "{method} {path}");
    }
    for path in ["", "/", "/actuator/backups/1/2", "/actuator/policy", "/%61ctuator"] {
        let expected = NoRoute(RequestError::unknown_path(path), None);
        assert_eq!(Route::find(&Method::GET, path), Err(expected), "{path}");
    }
    let unreadable = Route::find(&Method::GET, "/actuator/backups/%ff");
    assert_eq!(unreadable, Err(NoRoute(RequestError::UnreadableId, None)));
}
