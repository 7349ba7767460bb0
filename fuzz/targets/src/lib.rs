//! Properties that must hold for any input, one function for each parser of untrusted bytes. They are called by the driver
//! of this crate, which needs only a stable compiler, and by libFuzzer with a nightly one.
//!
//! A target panics if its property does not hold. Its input need not be UTF-8.

mod targets;

pub use targets::{
    basic, config, jwk, jwt, params, redirect_uri, scope, sealed, tampered, user_code,
};

/// One property.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of the function, of the corpus folder, and of libFuzzer's binary.
    pub name: &'static str,
    /// Panics if the property does not hold for this input.
    pub run: fn(&[u8]),
    /// Fragments that typical inputs contain.
    pub dictionary: &'static [&'static str],
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target {
        name: "params",
        run: params,
        dictionary: &[
            "&",
            "=",
            "+",
            "%",
            "%00",
            "%20",
            "%C3%A9",
            "scope=",
            "resource=",
            "audience=a&",
        ],
    },
    Target {
        name: "basic",
        run: basic,
        dictionary: &[
            "Basic ", "basic ", "Og==", "YTpi", "JTNB", "=", "==", "+", "/",
        ],
    },
    Target {
        name: "redirect_uri",
        run: redirect_uri,
        dictionary: &[
            "\n",
            "http://",
            "https://",
            "127.0.0.1",
            "[::1]",
            "localhost",
            ":80",
            "@",
            "//",
            "..",
            "%2F",
            "#",
            "?",
            "\\",
            "com.example:/",
        ],
    },
    Target {
        name: "scope",
        run: scope,
        dictionary: &[" ", "openid", "offline_access", "a/b", "!", "~", "\\", "\""],
    },
    Target {
        name: "user_code",
        run: user_code,
        dictionary: &["BCDF-GHJK", "-", " ", "\u{131}", "\u{ff22}", "0", "%", "z"],
    },
    Target {
        name: "sealed",
        run: sealed,
        dictionary: &[
            "grantor_dc_",
            "grantor_rt_",
            "grantor_at_",
            "grantor_se_",
            "grantor_kb_",
            "AAAA",
        ],
    },
    Target {
        name: "tampered",
        run: tampered,
        dictionary: &["\0", "\u{1}", "\u{2}", "\u{3}", "\u{4}"],
    },
    Target {
        name: "jwt",
        run: jwt,
        dictionary: &[
            ".",
            "eyJhbGciOiJFUzI1NiJ9",
            "eyJhbGciOiJub25lIn0",
            "e30",
            "AA",
            "_w",
            "=",
        ],
    },
    Target {
        name: "jwk",
        run: jwk,
        dictionary: &[
            "{\"keys\":[",
            "]}",
            "\"kty\":\"EC\",",
            "\"crv\":\"P-256\",",
            "\"kty\":\"OKP\",",
            "\"crv\":\"Ed25519\",",
            "\"kty\":\"RSA\",",
            "\"x\":",
            "\"y\":",
            "\"n\":",
            "\"e\":\"AQAB\",",
            "\"d\":\"\"",
            "\"alg\":\"ES256\",",
            "\"use\":\"sig\",",
            "\"key_ops\":[\"verify\"],",
            "{",
            "}",
            ",",
        ],
    },
    Target {
        name: "config",
        run: config,
        dictionary: &[
            "issuer = ",
            "\"https://id.example.com\"\n",
            "[[client]]\n",
            "[[resource]]\n",
            "[[user]]\n",
            "[[exchange]]\n",
            "[device]\n",
            "[lifetimes]\n",
            "id = ",
            "scopes = ",
            "grants = [",
            "]",
            "\"10m\"",
            "\"\"\"",
            "'",
            "{",
            "}",
            "=",
            ".",
            "\n",
            "nodes = 0",
            "tls = {",
            "# ",
        ],
    },
];
