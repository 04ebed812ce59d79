//! Optimize's placeholders: `${VARIABLE:default}` and `${VARIABLE}` anywhere in a value.

use super::yaml::is_null;

/// The environment: the value of a variable, by its name.
pub(super) type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A value whose placeholders are resolved.
#[derive(Clone, Default)]
pub(super) struct Value {
    pub(super) text: String,
    /// The variables that parts of the text came from.
    pub(super) variables: Vec<String>,
}

/// Resolves the placeholders of a text. A default may hold placeholders, a variable's value may not:
/// a password with `${` in it stays what it is. An empty variable counts as not set.
///
/// # Errors
/// If a variable is not set and has no default.
pub(super) fn resolve(text: &str, environment: &Environment<'_>) -> Result<Value, String> {
    let mut value = Value::default();
    let mut unread = vec![text];
    while let Some(text) = unread.pop() {
        let Some(Placeholder { before, variable, default, after }) = Placeholder::first_in(text) else {
            value.text.push_str(text);
            continue;
        };
        value.text.push_str(before);
        unread.push(after);
        match (environment(variable).filter(|set| !set.is_empty()), default) {
            (Some(set), _) => {
                value.text.push_str(&set);
                value.variables.push(variable.to_owned());
            }
            (None, Some(default)) if is_null(default) => {}
            (None, Some(default)) => unread.push(default),
            (None, None) => {
                return Err(format!(
                    "the environment variable {variable} is not set: set it, or write ${{{variable}:default}}"
                ));
            }
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
    /// What only resembles a placeholder, such as `$name` or `${two words}`, is plain text, as in Optimize.
    fn first_in(text: &'a str) -> Option<Self> {
        text.match_indices("${").find_map(|(start, opening)| {
            let (before, rest) = text.split_at_checked(start)?;
            let (content, after) = split_at_closing_brace(rest.strip_prefix(opening)?)?;
            let (variable, default) =
                content.split_once(':').map_or((content, None), |(variable, default)| (variable, Some(default)));
            let is_name = variable.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            is_name.then_some(Self { before, variable, default, after })
        })
    }
}

/// Splits at the first closing brace that no brace before it opened.
fn split_at_closing_brace(text: &str) -> Option<(&str, &str)> {
    let mut open = 1_usize;
    let closing = text.find(|c| {
        open = open + usize::from(c == '{') - usize::from(c == '}');
        open == 0
    })?;
    let (inside, rest) = text.split_at_checked(closing)?;
    Some((inside, rest.strip_prefix('}')?))
}
