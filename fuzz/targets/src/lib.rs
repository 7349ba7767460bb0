//! What must hold for any input, one function for each reader of foreign bytes. They are called by the driver of this
//! crate, which runs on a stable compiler, and by libFuzzer, where there is a nightly one.
//!
//! A target panics where its property does not hold. What it is given need not be text.

mod targets;

pub use targets::{
    basic, config, jwk, jwt, params, redirect_uri, scope, sealed, tampered, user_code,
};

/// One property over any input.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: of the function, of the folder of its corpus, and of libFuzzer's binary.
    pub name: &'static str,
    /// The property.
    pub run: fn(&[u8]),
    /// What its inputs are made of.
    pub words: &'static [&'static str],
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "params",
        run: params,
        words: &[
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
        words: &[
            "Basic ", "basic ", "Og==", "YTpi", "JTNB", "=", "==", "+", "/",
        ],
    },
    Target {
        name: "redirect_uri",
        run: redirect_uri,
        words: &[
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
        words: &[" ", "openid", "offline_access", "a/b", "!", "~", "\\", "\""],
    },
    Target {
        name: "user_code",
        run: user_code,
        words: &["BCDF-GHJK", "-", " ", "\u{131}", "\u{ff22}", "0", "%", "z"],
    },
    Target {
        name: "sealed",
        run: sealed,
        words: &[
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
        words: &["\0", "\u{1}", "\u{2}", "\u{3}", "\u{4}"],
    },
    Target {
        name: "jwt",
        run: jwt,
        words: &[
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
        words: &[
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
        words: &[
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
