//! What the proxy does, by the names in the table.

use std::time::Duration;

use backup_test_support::fault::Fault;

pub(super) fn reset() -> Fault {
    Fault::reset()
}

pub(super) fn reset_after_forwarding() -> Fault {
    Fault::reset().after_forwarding()
}

pub(super) fn closed() -> Fault {
    Fault::close()
}

pub(super) fn refused() -> Fault {
    // Well below the time in which a host asks again.
    Fault::outage(Duration::from_millis(500))
}

pub(super) fn silent() -> Fault {
    Fault::silence()
}

pub(super) fn silent_after_forwarding() -> Fault {
    Fault::silence().after_forwarding()
}

pub(super) fn delayed() -> Fault {
    Fault::delay(Duration::from_millis(2500))
}

pub(super) fn dripping() -> Fault {
    Fault::drip(10, Duration::from_millis(250))
}

pub(super) fn dripping_for_too_long() -> Fault {
    Fault::drip(3, super::BUDGET + Duration::from_secs(1))
}

pub(super) fn cut_short() -> Fault {
    Fault::cut_after(5)
}

pub(super) fn too_many_requests() -> Fault {
    Fault::engine_error(429, "circuit_breaking_exception").header("retry-after", "1")
}

pub(super) fn unavailable() -> Fault {
    Fault::engine_error(503, "cluster_block_exception")
}

pub(super) fn unavailable_in_html() -> Fault {
    Fault::text(503, "text/html", "<html><body>Service Unavailable</body></html>")
}

pub(super) fn timeout_in_html_after_forwarding() -> Fault {
    Fault::text(504, "text/html", "<html><body>Gateway Timeout</body></html>").after_forwarding()
}

pub(super) fn fine_in_html() -> Fault {
    Fault::text(200, "text/html", "<html><body>Welcome</body></html>")
}

pub(super) fn unauthorized() -> Fault {
    Fault::engine_error(401, "security_exception")
}

pub(super) fn forbidden() -> Fault {
    Fault::engine_error(403, "security_exception")
}

pub(super) fn internal_error() -> Fault {
    Fault::engine_error(500, "illegal_state_exception")
}
