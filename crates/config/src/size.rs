//! The size of a file.

use super::read::Context;
use super::table::Value;

/// In bytes; at least 1 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSize(u64);

impl FileSize {
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl Value for FileSize {
    const EXPECTED: &'static str = r#"a whole number of MiB or GiB, such as "256MiB""#;

    fn parse(text: &str, _context: &Context<'_>) -> Result<Self, String> {
        let units = [("MiB", 20), ("GiB", 30)];
        let number = |(unit, bits): (&str, u32)| {
            let digits = text.strip_suffix(unit)?;
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number: u32 = is_number.then(|| digits.parse().ok()).flatten()?;
            (number > 0).then(|| Self(u64::from(number) << bits))
        };
        units
            .into_iter()
            .find_map(number)
            .ok_or_else(|| format!("{text:?} is not {}", Self::EXPECTED))
    }

    fn stand_in() -> Self {
        Self(1 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Environment;

    #[test]
    fn a_size_is_a_number_and_a_unit_and_nothing_else() {
        let environment = Environment::default();
        let context = Context {
            folder: std::path::Path::new(""),
            environment: &environment,
        };
        let parse = |text: &str| FileSize::parse(text, &context).ok().map(FileSize::bytes);
        assert_eq!(parse("256MiB"), Some(256 << 20));
        assert_eq!(parse("2GiB"), Some(2 << 30));
        assert_eq!(parse("4294967295GiB"), Some(4_294_967_295 << 30));
        for wrong in [
            "",
            "MiB",
            "0MiB",
            "1",
            "1MB",
            "+1MiB",
            "-1MiB",
            " 1MiB",
            "1.5GiB",
            "4294967296MiB",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
