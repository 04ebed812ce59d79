//! How nodes that speak TLS prove who they are.

use std::path::PathBuf;

use crate::section::{Parsed, Section, settings};
use crate::values;

settings! {
    /// How nodes that speak TLS prove who they are.
    #[derive(Clone, Debug, Default)]
    pub struct Tls(connection: &Section<'_>, ssl: &Section<'_>) {
        /// PEM files of the authorities to trust. Without these and `certificate`: those that the system trusts.
        certificate_authorities: Vec<PathBuf> = ssl.list("certificate_authorities", values::readable_file),
        /// The PEM file of one server's own certificate, which may have signed itself.
        certificate: Option<PathBuf> = ssl.optional("certificate", values::readable_file),
        /// Whether a trusted certificate may be for any host.
        any_name: bool = connection.required("skipHostnameVerification", values::flag),
    }
}

impl Tls {
    /// `None` without TLS.
    pub(super) fn of(connection: &Section<'_>, ssl: &Section<'_>) -> Parsed<Option<Self>> {
        let enabled = ssl.required("enabled", values::flag);
        let self_signed = ssl.required("selfSigned", values::flag);
        let tls = Self::read(connection, ssl)?;
        let files = [
            ("certificate", tls.certificate.is_some()),
            ("certificate_authorities", !tls.certificate_authorities.is_empty()),
        ];
        let given = files.into_iter().find_map(|(key, is_given)| is_given.then_some(key));
        match (enabled?, self_signed?, given) {
            // Whoever names a certificate means https. Plain HTTP would send the password in the clear.
            (false, _, Some(key)) => Err(ssl.report(key, format!("needs {} to be true", ssl.key_of("enabled")))),
            (false, _, None) => Ok(None),
            // Optimize would trust no such certificate either.
            (true, true, None) => {
                Err(ssl
                    .report("selfSigned", format!("needs {}, the file of that certificate", ssl.key_of("certificate"))))
            }
            (true, ..) => Ok(Some(tls)),
        }
    }
}
