//! Where to continue after sign-in: only pages of this server, so that it is not an open redirector.

use grantor_core::base::params::Params;
use grantor_core::model::endpoint::Endpoint;

use super::authorize;

/// Longer ones are no codes, however they are spelled.
const MAX_USER_CODE_BYTES: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReturnTo {
    /// `/`.
    Home,
    /// `/device`, with the code from the link.
    Device(Option<String>),
    /// `/oauth2/authorize`, with the query of the request.
    Authorize(String),
    /// `/account`.
    Account,
}

impl ReturnTo {
    /// Anything that is not a page of this server becomes the home page.
    pub(super) fn parse(text: Option<&str>, site_path: &str) -> Self {
        let own = text.and_then(|text| text.strip_prefix(site_path));
        if let Some(query) = own
            .and_then(|path| path.strip_prefix(Endpoint::Authorize.path()))
            .and_then(|rest| rest.strip_prefix('?'))
        {
            let request = authorize::parse(query);
            return request.map_or(Self::Home, |params| {
                Self::Authorize(authorize::to_query(&params))
            });
        }
        if own == Some("/account") {
            return Self::Account;
        }
        let Some(rest) = own.and_then(|path| path.strip_prefix("/device")) else {
            return Self::Home;
        };
        match rest
            .strip_prefix('?')
            .map(|query| Params::parse(query.as_bytes()))
        {
            None if rest.is_empty() => Self::Device(None),
            Some(Ok(params)) => {
                let code = params.opt("user_code");
                let code = code.filter(|code| code.len() <= MAX_USER_CODE_BYTES);
                Self::Device(code.map(ToOwned::to_owned))
            }
            _ => Self::Home,
        }
    }

    /// Re-encoded from the parsed value.
    pub(super) fn path(&self, site_path: &str) -> String {
        match self {
            Self::Home => format!("{site_path}/"),
            Self::Account => format!("{site_path}/account"),
            Self::Authorize(query) => format!("{site_path}{}?{query}", Endpoint::Authorize.path()),
            Self::Device(None) => format!("{site_path}/device"),
            Self::Device(Some(code)) => {
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("user_code", code)
                    .finish();
                format!("{site_path}/device?{query}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn return_to_leads_to_pages_of_this_server_only() {
        for elsewhere in [
            "https://evil.example/device",
            "//evil.example/device",
            "/\\evil.example",
            "/device/../..//evil.example",
            "/deviceevil",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(
                ReturnTo::parse(Some(elsewhere), ""),
                ReturnTo::Home,
                "{elsewhere}"
            );
        }
        assert_eq!(ReturnTo::parse(Some("/device"), ""), ReturnTo::Device(None));
        assert_eq!(ReturnTo::parse(Some("/account"), ""), ReturnTo::Account);
        let long = format!("/device?user_code={}", "A".repeat(65));
        assert_eq!(ReturnTo::parse(Some(&long), ""), ReturnTo::Device(None));
        assert_eq!(
            ReturnTo::parse(Some("/device?user_code=AB-C%0Ax"), ""),
            ReturnTo::Home,
            "control characters are refused"
        );
        assert_eq!(
            ReturnTo::parse(Some("/oauth2/authorize?client_id=a&state=x y"), ""),
            ReturnTo::Authorize("client_id=a&state=x+y".to_owned())
        );
        for elsewhere in [
            "/oauth2/authorize",
            "/oauth2/authorize.evil?client_id=a",
            "/oauth2/authorize?client_id=a&client_id=b",
            "/oauth2/authorize?a=%0d%0aLocation:x",
        ] {
            assert_eq!(ReturnTo::parse(Some(elsewhere), ""), ReturnTo::Home);
        }
        assert_eq!(
            ReturnTo::parse(Some("/p/device?user_code=AB-C&x=1"), "/p"),
            ReturnTo::Device(Some("AB-C".to_owned()))
        );
    }
}
