use std::fs;

use tempfile::{TempDir, tempdir};

use super::*;

// By minisign 0.11: `minisign -G -W`, `minisign -S -m policy.wasm`, the latter with -l for the legacy one.
const COMPONENT: &[u8] = b"a policy\n";
const PUBLIC: &str = "untrusted comment: minisign public key 4F3BD55FD383AFAB
RWSrr4PTX9U7T/OPsoHx/1PdrWf6Rzq4RCsQApEkH48EDrAwUT5rwpEA
";
const SECRET: &str = "untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAq6+D01/VO09qqNS15lub80JfKSQVltbuVWr6Z5XAOinVcypwYLybifOPsoHx/1PdrWf6Rzq4RCsQApEkH48EDrAwUT5rwpEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
";
const SECRET_WITH_PASSWORD: &str = "untrusted comment: minisign encrypted secret key
RWRTY0Iy2G3c/kHvYz3MdPlBbJyWrZGb5r4uZSInIiu9JJ+xvPYAAAACAAAAAAAAAEAAAAAAG7rz6f8ZAgiK0BQzddTzf8PZ7YEl8M8QryOBeDw+z3z/H7sMUvCOkjl2+mV9eOtpTXDsKJthNw2+WnZrhARHWWdpchHDr5cO9smzP/lLNRhkKNgej1p5cTGb10Q4slHG3m6osO2cikU=
";
const SIGNATURE: &str = "untrusted comment: signature from minisign secret key
RUSrr4PTX9U7T1HtzZ9chP5bBNxQZHZlU8lDSYgSgRaKE6VB1gFxStI0qIPssXfab/x6L6ClUxFf9hEc18JCHGMCXm8/pnTI4AI=
trusted comment: timestamp:1795778596\tfile:policy.wasm\thashed
yhAlF38uJ9FqDEis59e5OQ7tHxmAreQY5D+SPRXWjsNcwzzsHEKiNcLQ/9ZEZ+736HOGGoK6rTHzePVtoV1WDg==
";
const LEGACY_SIGNATURE: &str = "untrusted comment: signature from minisign secret key
RWSrr4PTX9U7T3SpxgP7AoOxwdwaHdXGPPYwTxX3lFVwrlTnetRjZ2gVH6tPkV0WNlX5E7LX7BJiuTiRtFGBAotm0OGrmwmJLAY=
trusted comment: timestamp:1795778596\tfile:policy.wasm
RHJlkFtJro6OYcMV8TC+x5SjQgJ3dPl+gcTWi+VJtmZ9jGRXrNayT4FeDLQjGKR+sTNvHSTc5NWnIls2YA0GCQ==
";

fn write(directory: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn trusted(public: &str) -> TrustedKeys {
    TrustedKeys::read(&[write(&tempdir().unwrap(), "release.pub", public)]).unwrap()
}

#[test]
fn a_signature_by_minisign_counts() {
    let keys = trusted(PUBLIC);
    let signer = keys.check(COMPONENT, Some(SIGNATURE)).unwrap();
    assert_eq!(
        (&*signer.name, &*signer.trusted_comment),
        ("release", "timestamp:1795778596\tfile:policy.wasm\thashed")
    );
    let mismatch = SignatureError::Mismatch { key: "release (4F3BD55FD383AFAB)".to_owned() };
    assert_eq!(keys.check(b"another", Some(SIGNATURE)).unwrap_err(), mismatch);
    let other_comment = SIGNATURE.replace("file:policy.wasm", "file:other.wasm");
    assert_eq!(keys.check(COMPONENT, Some(&other_comment)).unwrap_err(), mismatch);
    for wrong in [LEGACY_SIGNATURE, PUBLIC, SECRET, "", "\n\n\n\n"] {
        assert_eq!(keys.check(COMPONENT, Some(wrong)).unwrap_err(), SignatureError::Malformed, "{wrong}");
    }
}

#[test]
fn the_errors_tell_the_ids_of_the_keys() {
    let allowed = || vec!["release (4F3BD55FD383AFAB)".to_owned()];
    let missing = trusted(PUBLIC).check(COMPONENT, None).unwrap_err();
    assert_eq!(missing, SignatureError::Missing { allowed: allowed() });
    let (secret, public) = generate_key_pair().unwrap();
    let id = public.split_whitespace().nth(5).unwrap().to_owned();
    let signature = sign(&secret).unwrap();
    let unknown = trusted(PUBLIC).check(COMPONENT, Some(&signature)).unwrap_err();
    assert_eq!(unknown, SignatureError::UnknownKey { id, allowed: allowed() });
    assert_eq!(trusted(&public).check(COMPONENT, Some(&signature)).unwrap().trusted_comment, "made here");
}

fn sign(secret: &str) -> Result<String, String> {
    let key = SigningKey::read(&write(&tempdir().unwrap(), "release.key", secret));
    key.map(|key| key.sign(COMPONENT, "made here")).map_err(|error| error.to_string())
}

#[test]
fn a_key_of_minisign_signs_unless_it_has_a_password() {
    let signature = sign(SECRET).unwrap();
    assert_eq!(trusted(PUBLIC).check(COMPONENT, Some(&signature)).unwrap().trusted_comment, "made here");
    for wrong in [SECRET_WITH_PASSWORD, PUBLIC, SIGNATURE, &SECRET.replace("8EDrAw", "8EDrAx"), "", "\n\n"] {
        assert!(sign(wrong).unwrap_err().contains("is not a secret key of minisign without a password"), "{wrong}");
    }
}
