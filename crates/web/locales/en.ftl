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
details = Details
client-id = Client ID
try-again-in = { $minutes ->
    [one] Try again in a minute.
   *[other] Try again in { $minutes } minutes.
}

### What a client may do; a scope of a resource has the words of the configuration.
scope = { $scope ->
    [openid] Know who you are
    [profile] See your name and profile
    [email] See your email address
    [phone] See your phone number
    [address] See your postal address
    [groups] See the groups you belong to
    [offline_access] Keep access when you’re not signed in
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
   *[now] just now
}
at = { $time } UTC
reported-software = Reported software
agent-on = { $product } on { $system }
agent-unknown = Unknown

### Sign in
login-title = Sign in
login-heading = Sign in
login-heading-again = Confirm it’s you
login-lead = to continue to { $host }
login-lead-client = to continue to { $client }
login-again = You’re signed in as { $user }. Enter your password to continue.
login-other = You’re signed in as { $user }. To use another account, sign in to it here.
login-another = Use another account
login-lead-device = Sign in first, then connect your device.
login-username = Username or email
login-password = Password
login-stay = Stay signed in
login-stay-hint = Only in a browser of your own.
login-wrong = Wrong username or password.
login-limited = Too many attempts.
login-stale = This page was out of date, so you weren’t signed in. Please enter your password again.
login-no-cookies = Signing in needs cookies, but your browser didn’t send ours back. Allow cookies for this site, then sign in.

### Connect a device: the code
device-title = Connect a device
device-heading = Connect a device
device-lead = Enter the code shown on your device.
device-lead-prefilled = Check that this matches the code on your device.
device-code = Code
device-hint = You can leave out spaces and dashes. Upper or lower case is fine.
device-hint-prefilled = No device with you, or a different code? Close this page.
device-not-valid = That code isn’t valid, or it has expired. Check it, or get a new one on your device.
device-limited = Too many wrong codes.

### Who asks, an app or a device
ask-heading = Allow { $client } to use your account?
ask-scopes = This will allow it to
ask-no-scopes = It isn’t asking for any permissions
ask-account = Account: { $user }
ask-new = New
ask-approve = Approve
ask-deny = Deny

### An app asks
consent-title = Allow an app
consent-again = You’ve allowed this app before.
consent-again-more = You’ve allowed this app before. Now it’s asking for more.
consent-safety = Did you just choose to sign in to this app? If not, choose Deny.
consent-safety-more = You can remove access at any time on your account page.
consent-goes-to = Either way, you’ll be sent to { $host }.

### Nothing to allow
withheld-title = Not available
withheld-heading = { $client } isn’t available to you
withheld-text = { $why ->
    [scopes] Your account can’t be given any of the permissions it asks for.
   *[client] It’s only for certain accounts, and yours isn’t one of them.
}
withheld-next = If you think you should have access, contact your administrator. To use another account, sign out first.
withheld-back = Go back to the app

### On the way to an app
redirecting-title = Redirecting…
redirecting-heading = Redirecting…
redirecting-lead = You’re being sent to { $host }. If nothing happens, select Continue.

### Connect a device: who asks
confirm-title = Approve or deny
confirm-compare = Check that your device shows this code
confirm-retype = Enter the code shown on your device
confirm-retype-wrong = That isn’t this device’s code. Check its screen again.
confirm-details = Where the request comes from
confirm-address = Device’s IP
confirm-browser-address = Your IP
confirm-started = Requested
confirm-network-heading = The device is on another network
confirm-network-warning = It’s probably not near you. Someone far away may have sent you this code to get into your account. If you’re not sure, choose Deny.
confirm-network-refused = You can approve this app only from the device’s own network. Join that network and open this page again, or choose Deny.
confirm-safety = Did you start this yourself, on a device you can see? If not, choose Deny.
confirm-safety-more = No support agent will ever ask you to approve a code they sent you.

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
    [denied] { $client } didn’t get access to your account.
   *[approved] { $client } now has the access you approved.
}
done-next = { $outcome ->
    [denied] If you didn’t start this, contact your administrator. You can close this page.
   *[approved] Go back to your device. It continues by itself in a few seconds. You can close this page.
}

### Sign out
logout-title = Sign out
logout-heading = Sign out?
logout-asked = { $client } is asking you to sign out.
logout-refused = The app that sent you here made a request that isn’t valid. You can still sign out, but you won’t be sent back to the app.
logout-text = You’re signed in as { $user }. This signs out this browser and the apps you signed in to here, unless you let them keep access. Devices you connected stay connected.
logout-stay = Stay signed in
signed-out-title = Signed out
signed-out-heading = You’re signed out
signed-out-text = If other people use this browser, close all its windows.
signed-out-client = You can go back to { $client } or close this page.
signed-out-again = Sign in again

### The account
account-title = Your account
account-heading = Your account
account-lead = Devices, apps and sessions with access to your account. Remove any you don’t recognise.
account-notice = { $notice ->
    [session_ended] That browser has been signed out.
    [app_removed] The app no longer has access. It will have to ask you again.
    [device_removed] The device no longer has access. It will have to ask you again.
    [password_changed] Your password has been changed. All other browsers have been signed out.
    [stale] That page was out of date, so nothing was changed. Please try again.
   *[gone] That was already removed.
}
account-when = { $event ->
    [seen] Last seen { $ago }
    [allowed] Allowed { $ago }
   *[connected] Connected { $ago }
}
account-sessions = Where you’re signed in
account-here = This browser
account-address = IP address
account-last-seen = Last seen
account-began = Signed in
account-apps = Connected apps
account-no-apps = No apps have access to your account.
account-remove-access = Remove access
account-since = Allowed
account-devices = Connected devices
account-no-devices = No devices have access to your account.
account-disconnect = Disconnect
account-connected = Connected
account-more = { $count ->
    [one] One older entry isn’t shown.
   *[other] { $count } older entries aren’t shown.
}
account-uncounted = Older entries aren’t shown.
account-older = Show older apps and devices
account-password = Password
account-password-current = Current password
account-password-new = New password (at least 8 characters)
account-password-repeated = Repeat the new password
account-password-change = Change password
account-password-text = This signs out all other browsers and removes the access of all apps and devices.
account-password-elsewhere = Your administrator manages your password. Ask them to change it.
account-password-problem = { $problem ->
    [short] The new password is too short. Use at least 8 characters.
    [long] The new password is too long.
    [different] The two new passwords don’t match.
   *[wrong] The current password is wrong.
}
account-everywhere-heading = Don’t recognise something?
account-everywhere-text = Sign out of all browsers, including this one, and remove the access of all apps and devices.
account-everywhere = Sign out everywhere
account-everywhere-ask = You’ll have to sign in again in every browser, and allow your apps and devices again.
account-everywhere-confirm = Yes, sign out everywhere

### What this server is
home-title = Home
home-heading = Your account at { $host }
home-text = Decide which devices and apps can use your account. Each one asks first and gets only the access you approve.

### Errors
error-title = { $fault ->
    [bad_request] Invalid request
    [unknown_client] Unknown app
    [redirect_uri] Address not registered
    [not_supported] Request not supported
    [bad_logout] Invalid sign-out request
    [not_found] Page not found
    [method_not_allowed] Not allowed
    [too_large] Too much data
    [too_many_requests] Too many requests
    [unavailable] Temporarily unavailable
    [busy] Many people are signing in
   *[internal] Something went wrong
}
error-text = { $fault ->
    [bad_request] Your browser sent something that this server can’t read. Go back and try again.
    [unknown_client] The link you followed is for an app that isn’t registered here. Nothing was sent to anyone. Go back, and contact the app’s owner.
    [redirect_uri] The link you followed leads to an address that isn’t registered for its app. You haven’t been sent there, and nothing was sent to anyone. Go back, and contact the app’s owner.
    [not_supported] The app that brought you here sent a kind of request that this server doesn’t support. Nothing was sent to anyone. Go back, and contact the app’s owner.
    [bad_logout] An app sent you here to sign you out, but its request isn’t valid. Nothing was changed. You can sign out from the home page.
    [not_found] There’s nothing at this address. Check it for typing mistakes.
    [method_not_allowed] This address can’t be used that way. Nothing was changed.
    [too_large] Your browser sent more data than this server accepts.
    [too_many_requests] Wait a moment, then try again.
    [unavailable] This server can’t reach its data right now. Nothing was changed. Try again in a minute.
    [busy] More people are signing in than this server can handle at once. Nothing was changed. Try again in a few seconds.
   *[internal] Something went wrong on our side and has been logged. Try again. If it keeps happening, contact your administrator.
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
error-home = Go to home page

### The first administrator
admin-first-title = Create the first administrator
admin-first-lead = to manage { $host }
admin-first-done = { $user } is an administrator now.
admin-first-exists = There is an administrator already, who can add others.
admin-first-code = Code from the file
admin-first-username = Username
admin-first-create = Create administrator
admin-first-code-wrong = This code is wrong, too old, or was used already. The log of the server says in which file the code is.
admin-first-name-taken = Another user has this name.
admin-first-name-wrong = This cannot be a username.
admin-first-password-wrong = The password must have at least 8 characters.
