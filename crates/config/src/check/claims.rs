//! Checks of the claims that are mapped into tokens.

use std::collections::BTreeMap;

use grantor_core::model::claim_mapping::{Carrier, ClaimMapping, InvalidMapping, Source};

use crate::place::Place;
use crate::read::Reader;

pub(super) fn check(
    carrier: Carrier,
    claims: &BTreeMap<String, Source>,
    place: &Place,
    reader: &mut Reader<'_>,
) {
    match ClaimMapping::new(carrier, claims.clone()) {
        Ok(_) => {}
        Err(why @ InvalidMapping::TooLong) => reader.refuse(place, why.to_string()),
        Err(_) => {
            for name in claims.keys() {
                if let Err(why) = ClaimMapping::check(carrier, name) {
                    reader.refuse(&place.key(name), why.to_string());
                }
            }
        }
    }
}
