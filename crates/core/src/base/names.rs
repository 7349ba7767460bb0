//! Enums whose values have names, as the configuration writes them.

/// Gives an enum the table of its names.
macro_rules! names {
    ($Type:ident { $( $Variant:ident = $name:literal ),+ $(,)? }) => {
        impl $Type {
            /// Every value, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$( Self::$Variant ),+];

            /// Its name in the configuration.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$Variant => $name, )+
                }
            }
        }
    };
}
pub(crate) use names;
