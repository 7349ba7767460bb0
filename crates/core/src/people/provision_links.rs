//! Writes the links of the configuration file to the store: which subjects of other issuers are our users.

use std::convert::Infallible;

use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::records::{self, Link};

/// Writes a link that the configuration file declares.
#[derive(Clone, Debug)]
pub struct ProvisionLink {
    pub link: Link,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvisionLinkReply {
    Done,
    /// The subject is linked to another user, and not by the file.
    Taken,
}

impl Task for ProvisionLink {
    type Reply = ProvisionLinkReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Self::Reply, Infallible>, Halt> {
        let (realm, link) = (&env.realm.name, &self.link);
        let key = Link::key(realm, &link.issuer, &link.sub);
        let write = match facts.record::<Link>(env, &key)?.live() {
            None => records::insert(realm, link)?,
            Some(stored) if stored.record == *link => {
                return Ok(Decision::reply(ProvisionLinkReply::Done));
            }
            Some(stored) if stored.record.from_file || stored.record.user == link.user => {
                records::replace(realm, link, &stored.row)?
            }
            Some(_) => return Ok(Decision::reply(ProvisionLinkReply::Taken)),
        };
        Ok(Decision::reply(ProvisionLinkReply::Done).write(write))
    }
}

/// Removes a link that the configuration file no longer declares.
#[derive(Clone, Debug)]
pub struct WithdrawLink {
    pub issuer: String,
    pub sub: String,
}

impl Task for WithdrawLink {
    type Reply = ();

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<(), Infallible>, Halt> {
        let key = Link::key(&env.realm.name, &self.issuer, &self.sub);
        let stored = facts.record::<Link>(env, &key)?.live();
        let stored = stored.filter(|stored| stored.record.from_file);
        let delete = stored.map(|stored| records::delete(&stored.row));
        Ok(Decision::reply(()).writes(delete.transpose()?))
    }
}
