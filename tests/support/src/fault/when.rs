//! Which requests a rule is for.

use std::ops::RangeInclusive;

use hyper::Method;

use super::request::Request;

/// Requests of one verb or of any, whose path and query contain some texts; all of them, or the
/// first few, or one.
#[derive(Debug, Clone)]
pub struct When {
    method: Option<Method>,
    texts: Vec<String>,
    turns: RangeInclusive<usize>,
    matched: usize,
}

impl When {
    /// Requests of any verb.
    #[must_use]
    pub fn any(text: &str) -> Self {
        Self { method: None, texts: vec![text.to_owned()], turns: 1..=usize::MAX, matched: 0 }
    }

    /// `GET` requests.
    #[must_use]
    pub fn get(text: &str) -> Self {
        Self::of(Method::GET, text)
    }

    /// `PUT` requests.
    #[must_use]
    pub fn put(text: &str) -> Self {
        Self::of(Method::PUT, text)
    }

    /// `POST` requests.
    #[must_use]
    pub fn post(text: &str) -> Self {
        Self::of(Method::POST, text)
    }

    /// `DELETE` requests.
    #[must_use]
    pub fn delete(text: &str) -> Self {
        Self::of(Method::DELETE, text)
    }

    /// Only those that contain this text too.
    #[must_use]
    pub fn and(mut self, text: &str) -> Self {
        self.texts.push(text.to_owned());
        self
    }

    /// Only the nth of them, from 1.
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        self.turns = n..=n;
        self
    }

    /// Only the first of them, so many.
    #[must_use]
    pub fn first(mut self, count: usize) -> Self {
        self.turns = 1..=count;
        self
    }

    /// Counts the request if it matches, and tells whether it is this one's turn. A rule that counts leaves health checks
    /// alone, which come when they will.
    pub(super) fn is_due(&mut self, request: &Request) -> bool {
        let counts = self.turns != (1..=usize::MAX);
        if !self.matches(request) || (counts && request.checks_health()) {
            return false;
        }
        self.matched += 1;
        self.turns.contains(&self.matched)
    }

    fn of(method: Method, text: &str) -> Self {
        Self { method: Some(method), ..Self::any(text) }
    }

    fn matches(&self, request: &Request) -> bool {
        self.method.as_ref().is_none_or(|method| *method == request.method)
            && self.texts.iter().all(|text| request.path.contains(text))
    }
}

#[cfg(test)]
mod tests {
    use hyper::Method;
    use hyper::header::HeaderMap;

    use super::When;
    use crate::fault::Request;

    fn turns(mut when: When) -> Vec<bool> {
        let request = |method: Method, path: &str| Request {
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: String::new(),
        };
        let requests = [
            request(Method::GET, "/_snapshot/a"),
            request(Method::PUT, "/_snapshot/a"),
            request(Method::GET, "/_snapshot/b?verbose=false"),
            request(Method::GET, "/_snapshot/a?verbose=false"),
        ];
        requests.iter().map(|request| when.is_due(request)).collect()
    }

    #[test]
    fn verb_and_texts_have_to_match() {
        assert_eq!(turns(When::any("/_snapshot/a")), [true, true, false, true]);
        assert_eq!(turns(When::get("/_snapshot")), [true, false, true, true]);
        assert_eq!(turns(When::get("/a").and("verbose")), [false, false, false, true]);
    }

    #[test]
    fn only_matching_requests_count() {
        assert_eq!(turns(When::get("").nth(2)), [false, false, true, false]);
        assert_eq!(turns(When::get("").first(2)), [true, false, true, false]);
        assert_eq!(turns(When::delete("").first(2)), [false; 4]);
    }
}
