//! The `prompt` parameter (OpenID Connect Core section 3.1.2.1).

use crate::base::error::{ErrorCode, Refusal};

/// The supported values.
pub const VALUES: [&str; 4] = ["none", "login", "consent", "select_account"];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prompt {
    #[default]
    AsNeeded,
    /// `none`: refuse anything that needs interaction.
    Nothing,
    AtLeast {
        /// `login` or `select_account`: our sign-in form accepts any account.
        login: bool,
        consent: bool,
    },
}

impl Prompt {
    /// # Errors
    /// `invalid_request` for an unknown value, or `none` with others: OpenID Connect Core section 3.1.2.1: "If this
    /// parameter contains none with any other value, an error is returned."
    pub fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        const UNKNOWN: Refusal = Refusal::new(
            ErrorCode::InvalidRequest,
            "The prompt holds a value that is not known here.",
        );
        const NOT_ALONE: Refusal =
            Refusal::new(ErrorCode::InvalidRequest, "The prompt none stands alone.");
        let Some(text) = text else {
            return Ok(Self::AsNeeded);
        };
        let values: Vec<&str> = text.split(' ').filter(|value| !value.is_empty()).collect();
        if !values.iter().all(|value| VALUES.contains(value)) {
            return Err(UNKNOWN);
        }
        if values.contains(&"none") {
            return if values.len() == 1 {
                Ok(Self::Nothing)
            } else {
                Err(NOT_ALONE)
            };
        }
        Ok(Self::AtLeast {
            login: values.contains(&"login") || values.contains(&"select_account"),
            consent: values.contains(&"consent"),
        })
    }

    /// Whether the user must sign in even if already signed in.
    #[must_use]
    pub const fn wants_login(self) -> bool {
        matches!(self, Self::AtLeast { login: true, .. })
    }

    /// Whether the user must consent even if already given.
    #[must_use]
    pub const fn wants_consent(self) -> bool {
        matches!(self, Self::AtLeast { consent: true, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openid_core_3_1_2_1_none_must_be_the_only_value() {
        assert_eq!(Prompt::parse(Some("none")), Ok(Prompt::Nothing));
        for wrong in [
            "none login",
            "login none",
            "none none",
            "None",
            "create",
            "login;consent",
        ] {
            let refused = Prompt::parse(Some(wrong)).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidRequest, "{wrong}");
        }
    }

    #[test]
    fn openid_core_3_1_2_1_values_may_be_in_any_order() {
        for text in ["login consent", "consent login", "consent select_account"] {
            let prompt = Prompt::parse(Some(text)).unwrap();
            assert!(prompt.wants_login() && prompt.wants_consent(), "{text}");
        }
        assert!(!Prompt::parse(None).unwrap().wants_login());
    }
}
