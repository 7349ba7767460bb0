# Every sentence of the pages, in English. Values in braces are filled in; keep them.

### Every page
brand = { $host } home
footer = Runs on Grantor
signed-in-as = Signed in as { $user }
sign-out = Sign out
sign-in = Sign in
connect-device = Connect a device
see-account = Your account
go-on = Continue
try-again-in = { $minutes ->
    [one] Wait a minute, then try again.
   *[other] Wait { $minutes } minutes, then try again.
}

### What a client may do; a scope of a resource has the words of the configuration.
scope = { $scope ->
    [openid] Know who you are
    [profile] See your name and profile
    [email] See your email address
    [phone] See your phone number
    [address] See your postal address
    [groups] See the groups you belong to
    [offline_access] Stay connected while you are not signed in
   *[other] { $scope }
}
scope-claims = See other details of your account:

### When, and by what software
ago = { $unit ->
    [minutes] { $count ->
        [one] { $count } minute ago
       *[other] { $count } minutes ago
    }
    [hours] { $count ->
        [one] { $count } hour ago
       *[other] { $count } hours ago
    }
    [days] { $count ->
        [one] { $count } day ago
       *[other] { $count } days ago
    }
   *[now] Less than a minute ago
}
at = { $time } UTC
says-it-runs = Says it runs
agent-on = { $product } on { $system }
agent-unknown = Not said

### Sign in
login-title = Sign in
login-heading = Sign in
login-heading-again = Sign in once more
login-lead = to go on to { $host }
login-lead-client = to go on to { $client }
login-again = You are signed in already. Your password shows that it is still you.
login-lead-device = Sign in first, then connect your device.
login-username = Username or e-mail
login-password = Password
login-stay = Stay signed in
login-stay-hint = Only in a browser of your own.
login-wrong = Wrong username or password.
login-limited = Too many tries.
login-stale = This page was no longer up to date, so you were not signed in. Please enter your password again.
login-no-cookies = Your browser did not send our cookies back, and without them no one can sign in. Allow cookies for this site, then sign in.

### Connect a device: the code
device-title = Connect a device
device-heading = Connect a device
device-lead = Type the code that your device shows.
device-lead-prefilled = Is this the code that your device shows? Go on only if both are the same.
device-code = Code
device-hint = Capitals, spaces and dashes make no difference.
device-hint-prefilled = No device beside you, or a different code? Then close this page.
device-not-valid = That code is not valid, or it has expired. Check it, or get a new one on your device.
device-limited = Too many wrong codes.

### Who asks, an app or a device
ask-heading = Allow { $client } to use your account?
ask-client-id = Client ID { $id }
ask-scopes = It will be able to
ask-no-scopes = It asks for no permissions
ask-approve = Approve
ask-deny = Deny

### An app asks
consent-title = Allow an app
consent-again = You allowed this app before. Now it asks for more.
consent-safety = Did you just choose to sign in to this app? If not, deny.
consent-safety-more = What you approve you can take back at any time, on the page of your account.
consent-goes-to = Whatever you choose, you go on to { $host }.

### On the way to an app
going-on-title = Going on
going-on-heading = One moment
going-on-lead = You are going on to { $host }. If nothing happens, continue by hand.

### Connect a device: who asks
confirm-title = Approve or deny
confirm-compare = Your device must show this code
confirm-retype = Type the code that your device shows
confirm-retype-wrong = That is not the code of this device. Look at its screen again.
confirm-details = Where the request comes from
confirm-address = Device address
confirm-browser-address = Your address
confirm-started = Started
confirm-network-heading = The device is on another network
confirm-network-warning = It is probably not beside you. Somebody far away may have sent you this code to get into your account. If you are not certain, deny.
confirm-network-refused = This app can be approved only from the network that the device is on. Join that network and open this page again, or deny.
confirm-safety = Did you start this yourself, on a device that you can see? If not, deny.
confirm-safety-more = Nobody who helps you ever needs you to approve a code that they sent.

### Connect a device: decided
done-title = { $outcome ->
    [denied] Denied
   *[approved] Approved
}
done-heading = { $outcome ->
    [denied] Request denied
   *[approved] Device connected
}
done-text = { $outcome ->
    [denied] { $client } did not get access to your account.
   *[approved] { $client } now has the access that you approved.
}
done-next = { $outcome ->
    [denied] If you did not start it, tell whoever runs this server. You can close this page.
   *[approved] Go back to your device. It goes on by itself in a few seconds. You can close this page.
}

### Sign out
logout-title = Sign out
logout-heading = Sign out?
logout-asked = { $client } asks you to sign out.
logout-refused = The request by which an app sent you here is not valid. You can sign out all the same, but you will not be sent back to the app.
logout-text = You are signed in as { $user }. This browser will be signed out, and with it the apps that you signed in to here, unless they may stay connected. Devices that you connected keep their access.
logout-stay = Stay signed in
signed-out-title = Signed out
signed-out-heading = You are signed out
signed-out-text = If others use this browser too, close its windows.
signed-out-client = You can go back to { $client }, or close this page.
signed-out-again = Sign in again

### The account
account-title = Your account
account-heading = Your account
account-lead = What may act for { $user }, and where. All of it you can end here.
account-notice = { $notice ->
    [session_ended] That browser is signed out.
    [app_removed] The app has lost its access. It has to ask you again.
    [device_removed] The device has lost its access. It has to ask you again.
    [password_changed] Your password is changed. All other browsers are signed out.
    [stale] That page was no longer up to date, so nothing was changed. Please try again here.
   *[gone] That had ended already.
}
account-sessions = Where you are signed in
account-here = This browser
account-address = Address
account-last-seen = Last seen
account-began = Signed in
account-apps = Connected apps
account-no-apps = No app has access to your account.
account-take-back = Take access back
account-client-id = Client ID
account-since = Allowed
account-devices = Connected devices
account-no-devices = No device has access to your account.
account-disconnect = Disconnect
account-approved = Approved
account-more = { $count ->
    [one] There is one more, older than these.
   *[other] There are { $count } more, older than these.
}
account-password = Password
account-password-current = Current password
account-password-new = New password, at least 8 characters
account-password-repeated = New password again
account-password-change = Change password
account-password-text = This signs out all other browsers and removes the access of every app and device.
account-password-elsewhere = Your administrator manages your password. Ask them to change it.
account-password-problem = { $problem ->
    [short] The new password is too short. Use at least 8 characters.
    [long] The new password is too long.
    [different] The two new passwords don’t match.
   *[wrong] The current password is wrong.
}
account-uncounted = There are more, older than these.
account-older = Show apps and devices with older access
account-everywhere = Sign out everywhere
account-everywhere-text = Something here that you do not know? Sign out of every browser, this one too, and take the access of every app and device back.

### What this server is
home-title = Home
home-heading = Your account at { $host }
home-text = Here you sign in, and here you decide which devices and apps may act for you. Each asks first, and gets only what you approve.

### Errors
error-title = { $fault ->
    [bad_request] Request not understood
    [unknown_client] App not known
    [redirect_uri] Address not registered
    [not_supported] Request not supported
    [bad_logout] Sign-out not understood
    [not_found] Page not found
    [method_not_allowed] Not possible here
    [too_large] Too much data
    [too_many_requests] Too many requests
    [unavailable] Not available right now
    [busy] Many people are signing in
   *[internal] Something went wrong
}
error-text = { $fault ->
    [bad_request] Your browser sent something that this server cannot read. Go back and try again.
    [unknown_client] The link that brought you here names no app that this server knows. Nothing was sent to anybody. Go back to where you came from, and tell whoever runs it.
    [redirect_uri] Whatever brought you here wants you sent on to an address that is not registered for the app it names. You are not sent there, and nothing was sent to anybody. Go back to where you came from, and tell whoever runs it.
    [not_supported] The app that brought you here asks in a way that this server does not support. Nothing was sent to anyone. Go back to where you came from, and contact the app's owner.
    [bad_logout] An app sent you here to sign you out, with a request that this server cannot accept. Nothing was changed. You can sign out from the start page.
    [not_found] There is nothing at this address. Check it for typing mistakes.
    [method_not_allowed] This address cannot be used in that way. Nothing was changed.
    [too_large] What your browser sent is larger than any form of this server.
    [too_many_requests] Wait a little, then try again.
    [unavailable] The server cannot reach its data at the moment. Nothing was changed. Try again in a minute.
    [busy] More people are signing in than this server can check at once. Nothing was changed. Try again in a few seconds.
   *[internal] The mistake is ours, and it has been written down. Try again. If it stays, tell whoever runs this server.
}
error-developers-heading = For the developers of the app
error-developers = { $fault ->
    [unknown_client] The parameter client_id is missing, given twice, or not the ID of a client of this issuer.
    [redirect_uri] The parameter redirect_uri must be exactly one of the client's redirect_uris in the configuration, character by character. Only the port of a loopback address may differ.
    [not_supported] The authorization request must hold its parameters itself, redirect_uri among them. This server's metadata lists what is supported.
   *[bad_logout] Compare with the client's configuration: id_token_hint must be an ID token that this issuer gave to the client, and post_logout_redirect_uri (or logout_uri) exactly one of its post_logout_redirect_uris.
}
error-status = Error { $status }
error-trace = Trace ID
error-home = Go to the start
