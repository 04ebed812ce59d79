use std::fmt;

/// One of the two snapshots of a backup, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Import progress. Taken first: a restored Optimize then imports again whatever the data of part 2 may lack.
    One,
    /// Everything else.
    Two,
}

impl Part {
    /// How many parts a backup has.
    pub const COUNT: usize = Self::ALL.len();
    /// Both parts, in order.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// The part with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.number() == number)
    }

    /// 1 or 2, as in a snapshot's name.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// What a snapshot's name ends with.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::One => "_part_1_of_2",
            Self::Two => "_part_2_of_2",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "part {} of {}", self.number(), Self::COUNT)
    }
}

#[cfg(test)]
mod tests;
