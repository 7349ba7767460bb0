//! Checks of `[[exchange]]`.

use super::known_name;
use super::resource::Scopes;
use crate::config::place::Place;
use crate::config::read::Reader;
use crate::config::settings::Settings;

pub(super) fn check(settings: &Settings, scopes: &Scopes<'_>, reader: &mut Reader<'_>) {
    for (index, rule) in settings.exchanges.iter().enumerate() {
        let place = Place::root().key("exchange").row(index);
        let clients = settings.clients.iter().map(|client| &*client.id);
        known_name(
            reader,
            &place.key("client"),
            "client",
            &rule.client,
            clients,
        );

        let audience = settings.resources.iter().find(|resource| {
            resource.audience() == rule.audience || *resource.identifier == rule.audience
        });
        let audiences = settings
            .resources
            .iter()
            .map(|resource| resource.audience());
        if audience.is_none() {
            known_name(
                reader,
                &place.key("audience"),
                "audience",
                &rule.audience,
                audiences,
            );
        }

        for (subject, targets) in &rule.scopes {
            let place = place.key("scopes").key(subject);
            scopes.check(reader, &place, subject);
            for (index, target) in targets.iter().enumerate() {
                let place = place.item(index);
                scopes.check(reader, &place, target);
                let of = scopes.resource(target);
                if let Some(audience) = audience
                    && of != Some(&*audience.identifier)
                {
                    reader.refuse(
                        &place,
                        format!(
                            "scope {target:?} is not of {:?}, the audience",
                            audience.identifier
                        ),
                    );
                }
            }
        }
    }
}
