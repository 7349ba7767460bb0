# Every sentence of the pages, in German. Values in braces are filled in; keep them.

### Every page
brand = Startseite von { $host }
footer = Läuft mit Grantor
signed-in-as = Angemeldet als { $user }
sign-out = Abmelden
sign-in = Anmelden
connect-device = Gerät verbinden
see-account = Ihr Konto
go-on = Weiter
details = Details
client-id = Client-ID
try-again-in = { $minutes ->
    [one] Versuchen Sie es in einer Minute noch einmal.
   *[other] Versuchen Sie es in { $minutes } Minuten noch einmal.
}

### What a client may do; a scope of a resource has the words of the configuration.
scope = { $scope ->
    [openid] Wissen, wer Sie sind
    [profile] Ihren Namen und Ihr Profil sehen
    [email] Ihre E-Mail-Adresse sehen
    [phone] Ihre Telefonnummer sehen
    [address] Ihre Postanschrift sehen
    [groups] Sehen, zu welchen Gruppen Sie gehören
    [offline_access] Zugriff behalten, auch wenn Sie nicht angemeldet sind
   *[other] { $scope }
}
scope-claims = Weitere Angaben zu Ihrem Konto sehen:

### When, and by what software
ago = { $unit ->
    [minutes] { $count ->
        [one] vor { $count } Minute
       *[other] vor { $count } Minuten
    }
    [hours] { $count ->
        [one] vor { $count } Stunde
       *[other] vor { $count } Stunden
    }
    [days] { $count ->
        [one] vor { $count } Tag
       *[other] vor { $count } Tagen
    }
   *[now] gerade eben
}
at = { $time } UTC
reported-software = Angegebene Software
agent-on = { $product } unter { $system }
agent-unknown = Unbekannt

### Sign in
login-title = Anmelden
login-heading = Anmelden
login-heading-again = Bestätigen Sie, dass Sie es sind
login-lead = um mit { $host } fortzufahren
login-lead-client = um mit { $client } fortzufahren
login-again = Sie sind als { $user } angemeldet. Geben Sie Ihr Passwort ein, um fortzufahren.
login-other = Sie sind als { $user } angemeldet. Um ein anderes Konto zu verwenden, melden Sie sich hier damit an.
login-another = Anderes Konto verwenden
login-lead-device = Melden Sie sich zuerst an und verbinden Sie dann Ihr Gerät.
login-username = Benutzername oder E-Mail-Adresse
login-password = Passwort
login-stay = Angemeldet bleiben
login-stay-hint = Nur in einem Browser, der Ihnen gehört.
login-wrong = Benutzername oder Passwort ist falsch.
login-limited = Zu viele Versuche.
login-stale = Diese Seite war nicht mehr aktuell, deshalb wurden Sie nicht angemeldet. Bitte geben Sie Ihr Passwort noch einmal ein.
login-no-cookies = Für die Anmeldung sind Cookies nötig, aber Ihr Browser hat unsere nicht zurückgeschickt. Erlauben Sie Cookies für diese Website und melden Sie sich dann an.

### Connect a device: the code
device-title = Gerät verbinden
device-heading = Gerät verbinden
device-lead = Geben Sie den Code ein, den Ihr Gerät anzeigt.
device-lead-prefilled = Prüfen Sie, ob dies der Code auf Ihrem Gerät ist.
device-code = Code
device-hint = Leerzeichen und Bindestriche können Sie weglassen. Groß- und Kleinschreibung ist egal.
device-hint-prefilled = Sie haben kein Gerät bei sich, oder es zeigt einen anderen Code? Schließen Sie diese Seite.
device-not-valid = Dieser Code ist ungültig oder abgelaufen. Prüfen Sie ihn oder fordern Sie auf Ihrem Gerät einen neuen an.
device-limited = Zu viele falsche Codes.

### Who asks, an app or a device
ask-heading = Darf { $client } Ihr Konto nutzen?
ask-scopes = Folgendes wird erlaubt
ask-no-scopes = Es werden keine Berechtigungen angefordert
ask-account = Konto: { $user }
ask-new = Neu
ask-approve = Erlauben
ask-deny = Ablehnen

### An app asks
consent-title = App erlauben
consent-again = Sie haben diese App schon einmal erlaubt.
consent-again-more = Sie haben diese App schon einmal erlaubt. Jetzt fordert sie weitere Berechtigungen an.
consent-safety = Wollten Sie sich gerade bei dieser App anmelden? Wenn nicht, wählen Sie Ablehnen.
consent-safety-more = Sie können den Zugriff jederzeit auf Ihrer Kontoseite entfernen.
consent-goes-to = In beiden Fällen werden Sie zu { $host } weitergeleitet.

### Nothing to allow
withheld-title = Nicht verfügbar
withheld-heading = { $client } steht Ihnen nicht zur Verfügung
withheld-text = { $why ->
    [scopes] Ihr Konto kann keine der Berechtigungen erhalten, um die gebeten wird.
   *[client] Dieser Zugang ist nur für bestimmte Konten gedacht, und Ihres gehört nicht dazu.
}
withheld-next = Wenn Sie Zugriff haben sollten, wenden Sie sich an Ihre Administration. Um ein anderes Konto zu verwenden, melden Sie sich zuerst ab.
withheld-back = Zurück zur App

### On the way to an app
redirecting-title = Weiterleitung …
redirecting-heading = Weiterleitung …
redirecting-lead = Sie werden zu { $host } weitergeleitet. Wenn nichts geschieht, wählen Sie Weiter.

### Connect a device: who asks
confirm-title = Erlauben oder ablehnen
confirm-compare = Prüfen Sie, ob Ihr Gerät diesen Code anzeigt
confirm-retype = Geben Sie den Code ein, den Ihr Gerät anzeigt
confirm-retype-wrong = Das ist nicht der Code dieses Geräts. Sehen Sie noch einmal auf dem Bildschirm nach.
confirm-details = Woher die Anfrage kommt
confirm-address = IP des Geräts
confirm-browser-address = Ihre IP
confirm-started = Angefordert
confirm-network-heading = Das Gerät ist in einem anderen Netzwerk
confirm-network-warning = Es ist wahrscheinlich nicht in Ihrer Nähe. Vielleicht hat Ihnen jemand aus der Ferne diesen Code geschickt, um in Ihr Konto zu gelangen. Wenn Sie unsicher sind, wählen Sie Ablehnen.
confirm-network-refused = Diese App lässt sich nur aus dem Netzwerk des Geräts erlauben. Wechseln Sie in dieses Netzwerk und öffnen Sie die Seite noch einmal, oder wählen Sie Ablehnen.
confirm-safety = Haben Sie das selbst gestartet, auf einem Gerät, das Sie sehen? Wenn nicht, wählen Sie Ablehnen.
confirm-safety-more = Kein Support wird Sie je bitten, einen Code zu erlauben, den er Ihnen geschickt hat.

### Connect a device: decided
done-title = { $outcome ->
    [denied] Abgelehnt
   *[approved] Erlaubt
}
done-heading = { $outcome ->
    [denied] Anfrage abgelehnt
   *[approved] Gerät verbunden
}
done-text = { $outcome ->
    [denied] { $client } hat keinen Zugriff auf Ihr Konto erhalten.
   *[approved] { $client } hat jetzt den Zugriff, den Sie erlaubt haben.
}
done-next = { $outcome ->
    [denied] Wenn Sie das nicht gestartet haben, wenden Sie sich an Ihre Administration. Sie können diese Seite schließen.
   *[approved] Gehen Sie zurück zu Ihrem Gerät. Dort geht es in wenigen Sekunden von selbst weiter. Sie können diese Seite schließen.
}

### Sign out
logout-title = Abmelden
logout-heading = Abmelden?
logout-asked = { $client } bittet Sie, sich abzumelden.
logout-refused = Die Anfrage der App, die Sie hierher geschickt hat, ist ungültig. Sie können sich trotzdem abmelden, werden aber nicht zur App zurückgeleitet.
logout-text = Sie sind als { $user } angemeldet. Damit melden Sie diesen Browser ab und die Apps, bei denen Sie sich hier angemeldet haben, es sei denn, sie dürfen ihren Zugriff behalten. Verbundene Geräte bleiben verbunden.
logout-stay = Angemeldet bleiben
signed-out-title = Abgemeldet
signed-out-heading = Sie sind abgemeldet
signed-out-text = Wenn auch andere diesen Browser benutzen, schließen Sie alle seine Fenster.
signed-out-client = Sie können zu { $client } zurückkehren oder diese Seite schließen.
signed-out-again = Erneut anmelden

### The account
account-title = Ihr Konto
account-heading = Ihr Konto
account-lead = Geräte, Apps und Sitzungen mit Zugriff auf Ihr Konto. Entfernen Sie, was Sie nicht kennen.
account-notice = { $notice ->
    [session_ended] Dieser Browser wurde abgemeldet.
    [app_removed] Die App hat keinen Zugriff mehr. Sie muss Sie erneut fragen.
    [device_removed] Das Gerät hat keinen Zugriff mehr. Es muss Sie erneut fragen.
    [password_changed] Ihr Passwort wurde geändert. Alle anderen Browser wurden abgemeldet.
    [stale] Die Seite war nicht mehr aktuell, deshalb wurde nichts geändert. Bitte versuchen Sie es noch einmal.
   *[gone] Das wurde bereits entfernt.
}
account-when = { $event ->
    [seen] Zuletzt aktiv: { $ago }
    [allowed] Erlaubt: { $ago }
   *[connected] Verbunden: { $ago }
}
account-sessions = Wo Sie angemeldet sind
account-here = Dieser Browser
account-address = IP-Adresse
account-last-seen = Zuletzt aktiv
account-began = Angemeldet
account-apps = Verbundene Apps
account-no-apps = Keine App hat Zugriff auf Ihr Konto.
account-remove-access = Zugriff entfernen
account-since = Erlaubt
account-devices = Verbundene Geräte
account-no-devices = Kein Gerät hat Zugriff auf Ihr Konto.
account-disconnect = Trennen
account-connected = Verbunden
account-more = { $count ->
    [one] Ein älterer Eintrag wird nicht angezeigt.
   *[other] { $count } ältere Einträge werden nicht angezeigt.
}
account-uncounted = Ältere Einträge werden nicht angezeigt.
account-older = Ältere Apps und Geräte anzeigen
account-password = Passwort
account-password-current = Aktuelles Passwort
account-password-new = Neues Passwort (mindestens 8 Zeichen)
account-password-repeated = Neues Passwort wiederholen
account-password-change = Passwort ändern
account-password-text = Damit werden alle anderen Browser abgemeldet, und alle Apps und Geräte verlieren den Zugriff.
account-password-elsewhere = Ihr Passwort wird von Ihrer Administration verwaltet. Wenden Sie sich an sie, um es zu ändern.
account-password-problem = { $problem ->
    [short] Das neue Passwort ist zu kurz. Verwenden Sie mindestens 8 Zeichen.
    [long] Das neue Passwort ist zu lang.
    [different] Die beiden neuen Passwörter stimmen nicht überein.
   *[wrong] Das aktuelle Passwort ist falsch.
}
account-everywhere-heading = Sie erkennen etwas nicht wieder?
account-everywhere-text = Melden Sie sich in allen Browsern ab, auch in diesem, und entfernen Sie den Zugriff aller Apps und Geräte.
account-everywhere = Überall abmelden
account-everywhere-ask = Sie müssen sich danach in jedem Browser neu anmelden und Ihre Apps und Geräte neu erlauben.
account-everywhere-confirm = Ja, überall abmelden

### What this server is
home-title = Start
home-heading = Ihr Konto bei { $host }
home-text = Entscheiden Sie, welche Geräte und Apps Ihr Konto nutzen dürfen. Jedes Gerät und jede App fragt zuerst und erhält nur den Zugriff, den Sie erlauben.

### Errors
error-title = { $fault ->
    [bad_request] Ungültige Anfrage
    [unknown_client] Unbekannte App
    [redirect_uri] Adresse nicht registriert
    [not_supported] Anfrage nicht unterstützt
    [bad_logout] Ungültige Abmeldeanfrage
    [not_found] Seite nicht gefunden
    [method_not_allowed] Nicht zulässig
    [too_large] Zu viele Daten
    [too_many_requests] Zu viele Anfragen
    [unavailable] Vorübergehend nicht verfügbar
    [busy] Gerade melden sich viele an
   *[internal] Etwas ist schiefgegangen
}
error-text = { $fault ->
    [bad_request] Ihr Browser hat etwas gesendet, das dieser Server nicht lesen kann. Gehen Sie zurück und versuchen Sie es noch einmal.
    [unknown_client] Der Link, dem Sie gefolgt sind, gehört zu einer App, die hier nicht registriert ist. Es wurde nichts an Dritte gesendet. Gehen Sie zurück und wenden Sie sich an den Betreiber der App.
    [redirect_uri] Der Link, dem Sie gefolgt sind, führt zu einer Adresse, die für seine App nicht registriert ist. Sie wurden nicht dorthin weitergeleitet, und es wurde nichts an Dritte gesendet. Gehen Sie zurück und wenden Sie sich an den Betreiber der App.
    [not_supported] Die App, die Sie hierher geleitet hat, hat eine Anfrage gesendet, die dieser Server nicht unterstützt. Es wurde nichts an andere gesendet. Gehen Sie zurück und wenden Sie sich an die Betreiber der App.
    [bad_logout] Eine App hat Sie zum Abmelden hierher geschickt, aber ihre Anfrage ist ungültig. Es wurde nichts geändert. Sie können sich auf der Startseite abmelden.
    [not_found] Unter dieser Adresse gibt es nichts. Prüfen Sie, ob sie richtig geschrieben ist.
    [method_not_allowed] Diese Adresse kann so nicht verwendet werden. Es wurde nichts geändert.
    [too_large] Ihr Browser hat mehr Daten gesendet, als dieser Server annimmt.
    [too_many_requests] Warten Sie einen Moment und versuchen Sie es dann noch einmal.
    [unavailable] Der Server kann seine Daten gerade nicht erreichen. Es wurde nichts geändert. Versuchen Sie es in einer Minute noch einmal.
    [busy] Es melden sich mehr Personen an, als dieser Server gleichzeitig bedienen kann. Es wurde nichts geändert. Versuchen Sie es in einigen Sekunden noch einmal.
   *[internal] Bei uns ist etwas schiefgegangen; der Fehler wurde protokolliert. Versuchen Sie es noch einmal. Wenn es weiterhin geschieht, wenden Sie sich an Ihre Administration.
}
error-developers-heading = Für die Entwickler der App
error-developers = { $fault ->
    [unknown_client] Der Parameter client_id fehlt, ist doppelt angegeben oder nicht die ID eines Clients dieses Ausstellers.
    [redirect_uri] Der Parameter redirect_uri muss Zeichen für Zeichen mit einer der redirect_uris in der Konfiguration des Clients übereinstimmen. Nur der Port einer Loopback-Adresse darf abweichen.
    [not_supported] Die Autorisierungsanfrage muss ihre Parameter selbst enthalten, auch redirect_uri. Was unterstützt wird, steht in den Metadaten dieses Servers.
   *[bad_logout] Vergleichen Sie mit der Konfiguration des Clients: id_token_hint muss ein ID-Token sein, das dieser Aussteller dem Client ausgestellt hat, und post_logout_redirect_uri (oder logout_uri) genau eine seiner post_logout_redirect_uris.
}
error-status = Fehler { $status }
error-trace = Trace-ID
error-home = Zur Startseite

### The first administrator
admin-first-title = Ersten Administrator anlegen
admin-first-lead = um { $host } zu verwalten
admin-first-done = { $user } ist jetzt Administrator.
admin-first-exists = Es gibt bereits einen Administrator, der weitere hinzufügen kann.
admin-first-code = Code aus der Datei
admin-first-username = Benutzername
admin-first-create = Administrator anlegen
admin-first-code-wrong = Dieser Code ist falsch, zu alt oder wurde schon verwendet. Im Protokoll des Servers steht, in welcher Datei der Code ist.
admin-first-name-taken = Ein anderer Benutzer hat diesen Namen.
admin-first-name-wrong = Das kann kein Benutzername sein.
admin-first-password-wrong = Das Passwort muss mindestens 8 Zeichen haben.
