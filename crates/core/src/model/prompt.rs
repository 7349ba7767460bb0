//! `prompt`: what the user must, or must not, be asked (OpenID Connect Core section 3.1.2.1).

use crate::base::error::{ErrorCode, Refusal};

/// What `prompt` may hold, by registered name: what metadata advertises.
pub const VALUES: [&str; 4] = ["none", "login", "consent", "select_account"];

/// What a client wants the user to be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prompt {
    /// What is needed.
    #[default]
    AsNeeded,
    /// Nothing at all: what cannot be answered at once is refused.
    Nothing,
    /// At least this.
    AtLeast {
        /// To sign in, again if need be. To select an account is that too: our sign-in form takes any account.
        login: bool,
        /// To agree, again if need be.
        consent: bool,
    },
}

impl Prompt {
    /// The prompt of a request.
    ///
    /// # Errors
    /// `invalid_request` for an unknown value, and where `none` comes with another: OpenID Connect Core section
    /// 3.1.2.1: "If this parameter contains none with any other value, an error is returned."
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

    /// Whether the user must sign in, even where somebody is signed in.
    #[must_use]
    pub const fn wants_login(self) -> bool {
        matches!(self, Self::AtLeast { login: true, .. })
    }

    /// Whether the user must agree, even where that happened before.
    #[must_use]
    pub const fn wants_consent(self) -> bool {
        matches!(self, Self::AtLeast { consent: true, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openid_core_3_1_2_1_none_stands_alone() {
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
    fn openid_core_3_1_2_1_values_in_any_order() {
        for text in ["login consent", "consent login", "consent select_account"] {
            let prompt = Prompt::parse(Some(text)).unwrap();
            assert!(prompt.wants_login() && prompt.wants_consent(), "{text}");
        }
        assert!(!Prompt::parse(None).unwrap().wants_login());
    }
}
