//! Cases of AWS's own test suite for Signature Version 4, with the signatures that it publishes: the folder
//! `tests/aws-signing-test-suite/v4` of `awslabs/aws-c-auth`, also in the package `aws-sigv4`.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
const NO_HASH: PayloadChecksumKind = PayloadChecksumKind::NoHeader;

/// 2015-08-30T12:36:00Z
fn scope() -> Scope<'static> {
    Scope { region: "us-east-1", service: "service", time: UNIX_EPOCH + Duration::from_secs(1_440_938_160) }
}

fn of_suite(token: Option<&str>) -> Identity {
    Credentials::new("AKIDEXAMPLE", SECRET, token.map(str::to_owned), None, "the suite").into()
}

fn authorization(request: &Unsigned<'_>, identity: &Identity, body_hash: PayloadChecksumKind) -> String {
    let headers = of(request, &scope(), identity, body_hash).unwrap();
    headers.into_iter().find_map(|(name, value)| (name == "authorization").then_some(value)).unwrap()
}

/// `authorization` of a request whose headers and scope are those of the suite.
fn expected(key: &str, headers: &str, signature: &str) -> String {
    let scope = "20150830/us-east-1/service/aws4_request";
    format!("AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={headers}, Signature={signature}")
}

#[test]
fn requests_without_a_body() {
    let cases = [
        ("get-vanilla", "GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "get-unreserved",
            "GET",
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "get-vanilla-query-order-key-case",
            "GET",
            "/?Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-utf8-query",
            "GET",
            "/?%E1%88%B4=bar",
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "post-vanilla-query",
            "POST",
            "/?Param1=value1",
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
    ];
    for (name, method, path, signature) in cases {
        let url = format!("https://example.amazonaws.com{path}");
        let request = Unsigned { method, url: &url, headers: Vec::new(), body: b"" };
        let expected = expected("AKIDEXAMPLE", "host;x-amz-date", signature);
        assert_eq!(authorization(&request, &of_suite(None), NO_HASH), expected, "{name}");
    }
}

#[test]
fn get_vanilla_with_session_token() {
    let request = Unsigned { method: "GET", url: "https://example.amazonaws.com/", headers: Vec::new(), body: b"" };
    let signature = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8";
    let expected = expected("AKIDEXAMPLE", "host;x-amz-date;x-amz-security-token", signature);
    assert_eq!(authorization(&request, &of_suite(Some(TOKEN)), NO_HASH), expected);
    let headers = of(&request, &scope(), &of_suite(Some(TOKEN)), NO_HASH).unwrap();
    assert!(headers.contains(&("x-amz-security-token".to_owned(), TOKEN.to_owned())), "{headers:?}");
}

#[test]
fn requests_with_a_body() {
    let cases = [
        (
            "post-x-www-form-urlencoded",
            "application/x-www-form-urlencoded",
            "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        ),
        (
            "post-x-www-form-urlencoded-parameters",
            "application/x-www-form-urlencoded; charset=utf-8",
            "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
        ),
    ];
    for (name, content_type, signature) in cases {
        let request = Unsigned {
            method: "POST",
            url: "https://example.amazonaws.com/",
            headers: vec![("content-type", content_type), ("content-length", "13")],
            body: b"Param1=value1",
        };
        let headers = "content-length;content-type;host;x-amz-content-sha256;x-amz-date";
        let expected = expected("AKIDEXAMPLE", headers, signature);
        assert_eq!(authorization(&request, &of_suite(None), BODY_HASH), expected, "{name}");
    }
}
