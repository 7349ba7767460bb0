# Every sentence of the pages, in English. Values in braces are filled in; keep them.

### Every page
brand = { $host } home
footer = Runs on Grantor
signed-in-as = Signed in as { $user }
sign-out = Sign out
sign-in = Sign in
connect-device = Connect a device
try-again-in = { $minutes ->
    [one] Wait a minute, then try again.
   *[other] Wait { $minutes } minutes, then try again.
}

### Sign in
login-title = Sign in
login-heading = Sign in
login-lead = to go on to { $host }
login-lead-device = Sign in first, then connect your device.
login-username = Username
login-password = Password
login-wrong = Wrong username or password.
login-limited = Too many tries.

### Connect a device: the code
device-title = Connect a device
device-heading = Connect a device
device-lead = Type the code that your device shows.
device-lead-prefilled = Is this the code that your device shows? Go on only if both are the same.
device-code = Code
device-hint = Capitals, spaces and dashes make no difference.
device-hint-prefilled = No device beside you, or a different code? Then close this page.
device-continue = Continue
device-not-valid = That code is not valid, or it has expired. Check it, or get a new one on your device.
device-limited = Too many wrong codes.

### Connect a device: who asks
confirm-title = Approve or deny
confirm-heading = Allow { $client } to use your account?
confirm-client-id = Client ID { $id }
confirm-compare = Your device must show this code
confirm-retype = Type the code that your device shows
confirm-retype-wrong = That is not the code of this device. Look at its screen again.
confirm-scopes = It will be able to
confirm-no-scopes = It asks for no permissions
confirm-scope = { $scope ->
    [openid] Know who you are
    [profile] See your name and profile
    [email] See your email address
    [phone] See your phone number
    [address] See your postal address
    [offline_access] Keep its access while you are away
   *[other] { $scope }
}
confirm-details = Where the request comes from
confirm-address = Device address
confirm-browser-address = Your address
confirm-agent = Says it runs
confirm-agent-on = { $product } on { $system }
confirm-agent-unknown = Not said
confirm-started = Started
confirm-ago = { $unit ->
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
confirm-at = { $time } UTC
confirm-network-heading = The device is on another network
confirm-network-warning = It is probably not beside you. Somebody far away may have sent you this code to get into your account. If you are not certain, deny.
confirm-network-refused = This app can be approved only from the network that the device is on. Join that network and open this page again, or deny.
confirm-safety = Did you start this yourself, on a device that you can see? If not, deny.
confirm-safety-more = Nobody who helps you ever needs you to approve a code that they sent.
confirm-approve = Approve
confirm-deny = Deny

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
logout-text = You are signed in as { $user }. Signing out affects this browser only. Devices that you connected keep their access.
logout-stay = Stay signed in
signed-out-title = Signed out
signed-out-heading = You are signed out
signed-out-text = If others use this browser too, close its windows.
signed-out-again = Sign in again

### What this server is
home-title = Home
home-heading = Your account at { $host }
home-text = Here you sign in, and here you decide which devices and apps may act for you. Each asks first, and gets only what you approve.

### Errors
error-title = { $fault ->
    [bad_request] Request not understood
    [expired_form] Page expired
    [not_found] Page not found
    [method_not_allowed] Not possible here
    [too_large] Too much data
    [too_many_requests] Too many requests
    [unavailable] Not available right now
   *[internal] Something went wrong
}
error-text = { $fault ->
    [bad_request] Your browser sent something that this server cannot read. Go back and try again.
    [expired_form] This page was open for too long, or you signed in or out in another window. Nothing was changed. Start again.
    [not_found] There is nothing at this address. Check it for typing mistakes.
    [method_not_allowed] This address cannot be used in that way. Nothing was changed.
    [too_large] What your browser sent is larger than any form of this server.
    [too_many_requests] Wait a little, then try again.
    [unavailable] The server cannot reach its data at the moment. Nothing was changed. Try again in a minute.
   *[internal] The mistake is ours, and it has been written down. Try again. If it stays, tell whoever runs this server.
}
error-status = Error { $status }
error-trace = Trace ID
error-home = Go to the start
