//! What ties log lines and requests to the search engine to the request, or to the run, that they are for.
//!
//! It belongs to the task: whoever spawns another one for the same purpose hands it on with [`inherit`].

use http::{HeaderMap, HeaderValue};
use tracing::Instrument;
use uuid::Uuid;

tokio::task_local! {
    static CURRENT: Correlation;
}

/// The headers that a caller sends and gets back, and those that the search engine gets.
pub const REQUEST_ID: &str = "x-request-id";
pub const OPAQUE_ID: &str = "x-opaque-id";
pub const TRACEPARENT: &str = "traceparent";

/// An ID for people to search logs for, and the caller's trace, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correlation {
    id: String,
    traceparent: Option<String>,
}

impl Correlation {
    /// Takes the caller's ID and trace, if they are valid, and makes an ID otherwise.
    pub fn of_request(headers: &HeaderMap) -> Self {
        let id = single(headers, REQUEST_ID).filter(|id| is_request_id(id)).map(str::to_owned);
        let traceparent = single(headers, TRACEPARENT).filter(|text| is_traceparent(text)).map(str::to_owned);
        Self { id: id.unwrap_or_else(|| Uuid::new_v4().to_string()), traceparent }
    }

    /// That of what no request of this server has begun: a run, a slot of the schedule, a deletion by retention.
    pub fn of_work(id: &str) -> Self {
        Self { id: id.to_owned(), traceparent: None }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// The headers for the search engine.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, HeaderValue)> {
        let headers = [(OPAQUE_ID, Some(&self.id)), (TRACEPARENT, self.traceparent.as_ref())];
        headers.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value?).ok()?)))
    }

    /// Runs a future that, with what it calls, is for this.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }
}

/// That of the current task.
pub fn current() -> Option<Correlation> {
    CURRENT.try_with(Clone::clone).ok()
}

/// The same future, for another task: with the correlation and the fields of log lines of the current one.
pub fn inherit<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let current = current();
    let inherited = async move {
        match current {
            Some(current) => current.scope(future).await,
            None => future.await,
        }
    };
    inherited.in_current_span()
}

/// The value of a header that is there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// It goes into log lines and headers as it is.
fn is_request_id(text: &str) -> bool {
    const MAX_LENGTH: usize = 128;
    (1..=MAX_LENGTH).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic())
}

/// W3C Trace Context, level 1: `version-trace-parent-flags`, in lower-case hexadecimal digits.
fn is_traceparent(text: &str) -> bool {
    let fields: Vec<&str> = text.split('-').collect();
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_set = |text: &str| text.bytes().any(|b| b != b'0');
    let [version, trace, parent, flags] = fields.as_slice() else { return false };
    [version.len(), trace.len(), parent.len(), flags.len()] == [2, 32, 16, 2]
        && fields.iter().all(|field| is_hex(field))
        && *version != "ff"
        && is_set(trace)
        && is_set(parent)
}

#[cfg(test)]
mod tests;
