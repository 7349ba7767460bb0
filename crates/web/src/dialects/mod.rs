//! Translations for the clients of other systems: each has its own paths and names, asks the handlers of this server, and puts
//! their answers into its own form. A dialect decides nothing.

pub(crate) mod iroh;
