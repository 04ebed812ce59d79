//! Optimize's placeholders: `${VARIABLE:default}` and `${VARIABLE}` anywhere in a value.

use super::error::Problem;
use super::yaml::is_null;

/// The environment: the value of a variable, by its name.
pub(super) type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A value whose placeholders are resolved.
#[derive(Default)]
pub(super) struct Value {
    /// The text.
    pub(super) text: String,
    /// The variables that parts of the text came from.
    pub(super) variables: Vec<String>,
}

/// Resolves the placeholders of a text. A default may hold placeholders, a variable's value may not:
/// a password with `${` in it stays what it is. An empty variable counts as not set.
///
/// # Errors
/// [`Problem::Unset`] if a variable is not set and has no default.
pub(super) fn resolve(text: &str, environment: &Environment<'_>) -> Result<Value, Problem> {
    let mut value = Value::default();
    let mut unread = vec![text];
    while let Some(text) = unread.pop() {
        let Some(found) = Placeholder::first_in(text) else {
            value.text.push_str(text);
            continue;
        };
        value.text.push_str(found.before);
        unread.push(found.after);
        let set = environment(found.variable).filter(|set| !set.is_empty());
        match (set, found.default) {
            (Some(set), _) => {
                value.text.push_str(&set);
                value.variables.push(found.variable.to_owned());
            }
            (None, Some(default)) if is_null(default) => {}
            (None, Some(default)) => unread.push(default),
            (None, None) => return Err(Problem::Unset(found.variable.to_owned())),
        }
    }
    Ok(value)
}

/// A placeholder and what stands around it.
struct Placeholder<'a> {
    before: &'a str,
    variable: &'a str,
    default: Option<&'a str>,
    after: &'a str,
}

impl<'a> Placeholder<'a> {
    const OPENING: &'static str = "${";

    /// What only resembles a placeholder, such as `$name` or `${two words}`, is plain text, as in Optimize.
    fn first_in(text: &'a str) -> Option<Self> {
        text.match_indices(Self::OPENING).find_map(|(start, opening)| {
            let (before, rest) = text.split_at_checked(start)?;
            Self::read(before, rest.strip_prefix(opening)?)
        })
    }

    fn read(before: &'a str, rest: &'a str) -> Option<Self> {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let (variable, rest) = rest.split_at_checked(end)?;
        if variable.is_empty() || variable.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if let Some(after) = rest.strip_prefix('}') {
            return Some(Self { before, variable, default: None, after });
        }
        let (default, after) = until_closing_brace(rest.strip_prefix(':')?)?;
        Some(Self { before, variable, default: Some(default), after })
    }
}

/// Splits at the first closing brace that no brace before it opened.
fn until_closing_brace(text: &str) -> Option<(&str, &str)> {
    let mut open = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 0 => {
                let (default, rest) = text.split_at_checked(at)?;
                return Some((default, rest.strip_prefix('}')?));
            }
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}
