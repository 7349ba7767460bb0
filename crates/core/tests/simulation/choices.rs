//! The next request: mostly a sensible one, and at times not.

use crate::life::Life;
use crate::model::USERS;
use crate::requests::{Request, Typed};
use crate::things::{ADDRESSES, APPS, CLIENTS, SCOPES};
use grantor_testkit::Spans as _;

impl Life {
    /// A random request; `None` where there is nothing yet to ask about.
    pub(crate) fn request(&mut self) -> Option<Request> {
        let (kind, device) = self.kind();
        let seat = self.chance.index(self.things.seats.len());
        let by = device.map_or(CLIENTS[0], |device| match self.chance.below(16) {
            0 => self
                .chance
                .pick(if self.things.devices[device].by_redirect {
                    &APPS
                } else {
                    &CLIENTS
                }),
            _ => self.things.devices[device].client,
        });
        Some(match kind {
            0 => Request::Codes {
                client: self.chance.pick(&CLIENTS),
                scope: self.chance.weighted(&[32, 16, 8, 2, 3, 1]),
                address: self.chance.pick(&ADDRESSES),
            },
            1 => Request::Poll {
                device: self.holder(device?, false)?,
                by,
            },
            2 => Request::Refresh {
                device: device?,
                generation: self.generation(device?)?,
                by,
                from: match self.chance.below(8) {
                    0 => self.chance.pick(&ADDRESSES),
                    _ => self.things.devices[device?].address,
                },
                scope: self
                    .chance
                    .one_in(8)
                    .then(|| self.chance.index(SCOPES.len())),
            },
            3 => Request::RevokeGrant {
                device: device?,
                generation: self.generation(device?)?,
                by,
            },
            4 => Request::RevokeAccess {
                device: device?,
                token: self.access(device?)?,
                by,
            },
            5 => Request::Introspect {
                device: device?,
                token: self.access(device?)?,
                by: self.chance.pick(&["console", "console", by, "orders"]),
            },
            6 => Request::Userinfo {
                device: device?,
                token: self.access(device?)?,
            },
            7 => Request::Machine {
                right: !self.chance.one_in(self.manner.care),
                // Mostly one, or its limit is never reached.
                address: ADDRESSES[usize::from(self.chance.one_in(8))],
            },
            8 => {
                let user = self.chance.pick(&USERS);
                let right = self.model.users[user].password;
                let wrong = self.chance.one_in(self.manner.care);
                let cookie = self.things.seats[seat].cookie;
                Request::SignIn {
                    seat,
                    cookie: match self.chance.below(8) {
                        0 => self.cookie(),
                        1 => None,
                        _ => cookie.filter(|cookie| !self.things.cookies[*cookie].text.is_empty()),
                    },
                    user,
                    password: if wrong { right.wrapping_add(1) } else { right },
                }
            }
            9 => Request::SignOut {
                cookie: self.cookie()?,
            },
            10 => Request::Visit {
                cookie: self.cookie()?,
            },
            // A user without a session mostly signs in first.
            11 | 12 | 14 | 17 if !self.is_signed_in(seat) && !self.chance.one_in(8) => {
                let user = self.chance.pick(&USERS);
                Request::SignIn {
                    seat,
                    cookie: self.things.seats[seat].cookie,
                    user,
                    password: self.model.users[user].password,
                }
            }
            11 => Request::Type {
                seat,
                cookie: self.cookie_of(seat)?,
                typed: self.typed(device),
            },
            12 => Request::Decide {
                seat,
                cookie: self.cookie_of(seat)?,
                device: self.holder(device?, false)?,
                approve: !self.chance.one_in(6),
                typed: self.typed(device),
            },
            14 => Request::Authorize {
                seat,
                cookie: self.cookie_of(seat)?,
                client: self.chance.pick(&APPS),
                scope: self.chance.weighted(&[24, 2, 2, 1, 2, 1, 24]),
                agrees: self.chance.one_in(3),
            },
            15 => Request::Redeem {
                device: self.holder(device?, true)?,
                by,
                right: !self.chance.one_in(self.manner.care * 2),
            },
            16 => Request::EndSession {
                seat,
                cookie: self.cookie_of(seat)?,
                of: self.cookie()?,
            },
            17 => Request::TakeBack {
                seat,
                cookie: self.cookie_of(seat)?,
                device: device?,
            },
            18 => Request::Disconnect {
                seat,
                cookie: self.cookie_of(seat)?,
                client: match self.chance.below(8) {
                    0 => self.chance.pick(&CLIENTS),
                    _ => self.chance.pick(&APPS),
                },
            },
            19 => Request::Everywhere {
                seat,
                cookie: self.cookie_of(seat)?,
            },
            _ => {
                let user = self.chance.pick(&USERS);
                let is = self.model.users[user];
                Request::Declare {
                    user,
                    enabled: is.enabled != self.chance.one_in(if is.enabled { 4 } else { 2 }),
                    password: is.password ^ u8::from(self.chance.one_in(5)),
                    group: self.chance.below(4) as u8,
                }
            }
        })
    }

    /// A kind of request, and a device about which it makes sense, mostly: where there is none, what would lead to one.
    fn kind(&mut self) -> (usize, Option<usize>) {
        let mut kind = self.chance.weighted(&self.manner.weights);
        let mut device = self.chance.recent(self.things.devices.len());
        for _ in 0..8 {
            if device.is_some_and(|device| self.fits(kind, device)) || self.chance.one_in(12) {
                break;
            }
            kind = match kind {
                1 | 11 | 12 if self.chance.one_in(3) => 0,
                15 if self.chance.one_in(3) => 14,
                2..7 if self.chance.one_in(3) => self.chance.pick(&[1, 12, 14, 15]),
                kind => kind,
            };
            device = self.chance.recent(self.things.devices.len());
        }
        (kind, device)
    }

    fn fits(&self, kind: usize, device: usize) -> bool {
        let now = self.world.now;
        match kind {
            1 | 15 if self.things.devices[device].by_redirect != (kind == 15) => false,
            1 => self.model.redeems(device, now) || self.model.is_pending(device, now),
            // Sometimes again.
            15 => self.model.redeems(device, now) || self.step.is_multiple_of(8),
            17 => self.model.is_live(device, now) || self.model.redeems(device, now),
            2..7 => self.model.is_live(device, now),
            11 | 12 => self.model.is_pending(device, now),
            _ => true,
        }
    }

    fn is_signed_in(&self, seat: usize) -> bool {
        let cookie = self.things.seats[seat].cookie;
        cookie.is_some_and(|cookie| {
            let session = self.model.signed_in(cookie, self.world.now);
            session.is_some_and(|session| self.world.now.since(session.signed_in) < 12.h())
        })
    }

    /// A device, or an app that received its code.
    fn holder(&self, device: usize, by_redirect: bool) -> Option<usize> {
        let holder = &self.things.devices[device];
        let fits = holder.by_redirect == by_redirect && !holder.codes.device.is_empty();
        fits.then_some(device)
    }

    fn generation(&mut self, device: usize) -> Option<u32> {
        let held = &self.things.devices[device].refresh;
        let place = self.chance.recent(held.len())?;
        Some(held[place].0)
    }

    fn access(&mut self, device: usize) -> Option<usize> {
        let held = &self.things.devices[device].access;
        let place = self.chance.recent(held.len())?;
        (!held[place].forgotten).then_some(place)
    }

    /// A cookie that was set at some time.
    fn cookie(&mut self) -> Option<usize> {
        let place = self.chance.recent(self.things.cookies.len())?;
        (!self.things.cookies[place].text.is_empty()).then_some(place)
    }

    /// The cookie of this browser, or a stolen one.
    fn cookie_of(&mut self, seat: usize) -> Option<usize> {
        match self.chance.below(8) {
            0 => self.cookie(),
            _ => self.things.seats[seat].cookie,
        }
    }

    fn typed(&mut self, device: Option<usize>) -> Typed {
        match device {
            Some(device)
                if !self.things.devices[device].by_redirect
                    && !self.chance.one_in(self.manner.care) =>
            {
                Typed::Of(device)
            }
            _ => Typed::Guess(self.chance.number()),
        }
    }
}
