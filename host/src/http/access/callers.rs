//! The callers that the settings name, and by which token each of them is known.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum_extra::headers::authorization::Bearer;
use axum_extra::headers::{Authorization, HeaderMapExt};
use tokio::time::Instant;

use super::AccessError;
use crate::http::connections::Peer;
use crate::policy::Digest;
use crate::rotation::Rotating;
use crate::settings::{Caller, InvalidValue, Role, Secret};

/// How long the token that another one has replaced is still known: callers get the new one sooner or later than this server.
const OVERLAP: Duration = Duration::from_secs(5 * 60);

/// All callers that have a token, and whether a client certificate is needed.
pub struct Callers {
    /// Those with lesser roles first: where two have the same token, it gives the lesser role.
    callers: Vec<TokenHolder>,
    needs_certificate: bool,
    /// There is no port: whoever runs this process may do everything.
    is_local: bool,
}

struct TokenHolder {
    name: String,
    role: Role,
    token: Arc<Rotating<Token>>,
}

/// A token, and those that it has replaced lately, each with the end of its time.
struct Token {
    current: Digest,
    replaced: Vec<(Digest, Instant)>,
}

/// Who sends a request, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct Identity {
    /// For logs.
    pub(in crate::http) name: String,
    pub(in crate::http) known_by: KnownBy,
}

/// What tells who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum KnownBy {
    Token(Role),
    /// It is sent in this process.
    Process,
    /// Nobody has a token: everybody may come.
    Openness,
    Nothing(Missing),
}

/// What would tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Missing {
    Certificate,
    AnyToken,
    KnownToken,
}

impl Missing {
    pub(super) fn error(self) -> AccessError {
        match self {
            Self::Certificate => AccessError::CertificateMissing,
            Self::AnyToken => AccessError::TokenMissing,
            Self::KnownToken => AccessError::TokenUnknown,
        }
    }
}

impl Callers {
    /// Reads their tokens.
    ///
    /// # Errors
    /// A token that cannot be read any more: the settings have read it before.
    pub fn new(callers: Vec<Caller>, needs_certificate: bool) -> Result<Self, InvalidValue> {
        let mut callers = callers.into_iter().map(TokenHolder::new).collect::<Result<Vec<_>, _>>()?;
        callers.sort_by_key(|caller| caller.role);
        Ok(Self { callers, needs_certificate, is_local: false })
    }

    /// For requests that are sent in this process, without a port.
    pub fn this_process() -> Self {
        Self { callers: Vec::new(), needs_certificate: false, is_local: true }
    }

    /// Looks for other tokens in their files, in the background.
    pub fn keep_looking(&self) {
        self.callers.iter().for_each(|caller| caller.token.keep_looking());
    }

    /// Looks for other tokens once.
    #[cfg(test)]
    pub(in crate::http) fn look(&self) {
        self.callers.iter().for_each(|caller| caller.token.look());
    }

    /// Who sends a request with these headers over the connection of this peer.
    pub(in crate::http) fn identify(&self, headers: &HeaderMap, peer: Option<&Peer>) -> Identity {
        if self.is_local {
            return Identity { name: "this process".to_owned(), known_by: KnownBy::Process };
        }
        let certified = peer.and_then(|peer| peer.certified.as_deref());
        if self.needs_certificate && certified.is_none() {
            return Identity::nobody(Missing::Certificate);
        }
        if self.callers.is_empty() {
            return Identity { name: certified.unwrap_or("anybody").to_owned(), known_by: KnownBy::Openness };
        }
        let Some(Authorization(bearer)) = headers.typed_get::<Authorization<Bearer>>() else {
            return Identity::nobody(Missing::AnyToken);
        };
        match self.caller_with(bearer.token()) {
            Some(caller) => Identity { name: caller.name.clone(), known_by: KnownBy::Token(caller.role) },
            None => Identity::nobody(Missing::KnownToken),
        }
    }

    /// Compares with all tokens, whichever it is.
    fn caller_with(&self, token: &str) -> Option<&TokenHolder> {
        let (given, now) = (Digest::of(token.as_bytes()), Instant::now());
        let found = |found: Option<_>, caller| found.or(Some(caller));
        self.callers.iter().filter(|caller| caller.token.current().is(&given, now)).fold(None, found)
    }
}

impl Identity {
    fn nobody(missing: Missing) -> Self {
        Self { name: "nobody".to_owned(), known_by: KnownBy::Nothing(missing) }
    }

    /// Whether nothing is missing that would tell who this is.
    pub(in crate::http) fn is_known(&self) -> bool {
        !matches!(self.known_by, KnownBy::Nothing(_))
    }

    pub(in crate::http) fn role(&self) -> Option<Role> {
        match self.known_by {
            KnownBy::Token(role) => Some(role),
            KnownBy::Process => Some(Role::Admin),
            KnownBy::Openness | KnownBy::Nothing(_) => None,
        }
    }
}

impl TokenHolder {
    fn new(caller: Caller) -> Result<Self, InvalidValue> {
        let (name, role, file) = (caller.name.clone(), caller.role, caller.token_file.clone());
        let token = Rotating::new(format!("the token of '{name}'"), vec![file], move |replaced| {
            caller.token().map(|token| Token::new(&token, replaced))
        })?;
        Ok(Self { name, role, token: Arc::new(token) })
    }
}

impl Token {
    fn new(secret: &Secret, replaced: Option<&Self>) -> Self {
        let (current, now) = (Digest::of(secret.expose().as_bytes()), Instant::now());
        let earlier = replaced.into_iter().flat_map(|token| {
            let last = (token.current, now + OVERLAP);
            token.replaced.iter().copied().chain([last])
        });
        Self { current, replaced: earlier.filter(|(_, until)| *until > now).collect() }
    }

    /// In constant time, and of digests, so that not even the length shows.
    fn is(&self, given: &Digest, now: Instant) -> bool {
        let replaced = self.replaced.iter().filter(|(_, until)| *until > now).map(|(digest, _)| digest);
        let same = |known: &Digest| {
            aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), known.as_bytes()).is_ok()
        };
        replaced.fold(same(&self.current), |found, known| found | same(known))
    }
}
