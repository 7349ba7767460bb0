//! Enums whose values have names in the configuration.

macro_rules! config_names {
    ($Type:ident { $( $Variant:ident = $name:literal ),+ $(,)? }) => {
        impl $Type {
            /// In declaration order.
            pub const ALL: &'static [Self] = &[$( Self::$Variant ),+];

            /// The name in the configuration.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$Variant => $name, )+
                }
            }
        }
    };
}
pub(crate) use config_names;
