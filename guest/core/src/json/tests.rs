use super::*;

#[test]
fn an_array_is_no_object() {
    #[derive(Debug, Deserialize)]
    struct Document {
        #[serde(default)]
        number: u8,
    }
    assert_eq!(object::<Document>(" {\"number\": 7}\n").unwrap().number, 7);
    assert_eq!(object::<Document>("{}").unwrap().number, 0);
    for text in ["[]", "[7]", " [7]", "7", "null", "{} {}", ""] {
        assert!(object::<Document>(text).is_err(), "{text}");
    }
}
