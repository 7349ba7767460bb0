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
try-again-in = { $minutes ->
    [one] Warten Sie eine Minute und versuchen Sie es dann noch einmal.
   *[other] Warten Sie { $minutes } Minuten und versuchen Sie es dann noch einmal.
}

### What a client may do; a scope of a resource has the words of the configuration.
scope = { $scope ->
    [openid] Wissen, wer Sie sind
    [profile] Ihren Namen und Ihr Profil sehen
    [email] Ihre E-Mail-Adresse sehen
    [phone] Ihre Telefonnummer sehen
    [address] Ihre Postanschrift sehen
    [groups] Sehen, zu welchen Gruppen Sie gehören
    [offline_access] Verbunden bleiben, auch wenn Sie nicht angemeldet sind
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
   *[now] vor weniger als einer Minute
}
at = { $time } UTC
says-it-runs = Eigene Angabe
agent-on = { $product } unter { $system }
agent-unknown = Keine Angabe

### Sign in
login-title = Anmelden
login-heading = Anmelden
login-heading-again = Noch einmal anmelden
login-lead = und weiter zu { $host }
login-lead-client = und weiter zu { $client }
login-again = Sie sind schon angemeldet. Mit Ihrem Passwort zeigen Sie, dass noch immer Sie es sind.
login-lead-device = Melden Sie sich zuerst an, dann verbinden Sie Ihr Gerät.
login-username = Benutzername oder E-Mail-Adresse
login-password = Passwort
login-stay = Angemeldet bleiben
login-stay-hint = Nur in einem Browser, der Ihnen gehört.
login-wrong = Benutzername oder Passwort ist falsch.
login-limited = Zu viele Versuche.
login-stale = Diese Seite war nicht mehr aktuell, deshalb wurden Sie nicht angemeldet. Bitte geben Sie Ihr Passwort noch einmal ein.
login-no-cookies = Ihr Browser hat unsere Cookies nicht zurückgeschickt. Ohne sie ist keine Anmeldung möglich. Erlauben Sie Cookies für diese Seite und melden Sie sich dann an.

### Connect a device: the code
device-title = Gerät verbinden
device-heading = Gerät verbinden
device-lead = Geben Sie den Code ein, den Ihr Gerät anzeigt.
device-lead-prefilled = Zeigt Ihr Gerät diesen Code? Gehen Sie nur weiter, wenn beide gleich sind.
device-code = Code
device-hint = Großschreibung, Leerzeichen und Striche spielen keine Rolle.
device-hint-prefilled = Kein Gerät bei Ihnen, oder ein anderer Code? Dann schließen Sie diese Seite.
device-not-valid = Dieser Code ist ungültig oder abgelaufen. Prüfen Sie ihn oder lassen Sie Ihr Gerät einen neuen anzeigen.
device-limited = Zu viele falsche Codes.

### Who asks, an app or a device
ask-heading = Darf { $client } Ihr Konto benutzen?
ask-client-id = Client-ID { $id }
ask-scopes = Das wird damit erlaubt
ask-no-scopes = Es werden keine Rechte verlangt
ask-approve = Erlauben
ask-deny = Ablehnen

### An app asks
consent-title = App erlauben
consent-again = Sie haben dieser App schon etwas erlaubt. Jetzt verlangt sie mehr.
consent-safety = Wollten Sie sich gerade bei dieser App anmelden? Wenn nicht, lehnen Sie ab.
consent-safety-more = Was Sie erlauben, können Sie auf der Seite Ihres Kontos jederzeit zurücknehmen.
consent-goes-to = In jedem Fall geht es weiter zu { $host }.

### On the way to an app
going-on-title = Weiterleitung
going-on-heading = Einen Moment
going-on-lead = Es geht weiter zu { $host }. Wenn nichts geschieht, gehen Sie von Hand weiter.

### Connect a device: who asks
confirm-title = Erlauben oder ablehnen
confirm-compare = Ihr Gerät muss diesen Code zeigen
confirm-retype = Geben Sie den Code ein, den Ihr Gerät anzeigt
confirm-retype-wrong = Das ist nicht der Code dieses Geräts. Sehen Sie noch einmal auf seinen Bildschirm.
confirm-details = Woher die Anfrage kommt
confirm-address = Adresse des Geräts
confirm-browser-address = Ihre Adresse
confirm-started = Begonnen
confirm-network-heading = Das Gerät ist in einem anderen Netz
confirm-network-warning = Es steht wahrscheinlich nicht bei Ihnen. Vielleicht hat Ihnen jemand aus der Ferne diesen Code geschickt, um an Ihr Konto zu kommen. Wenn Sie nicht sicher sind, lehnen Sie ab.
confirm-network-refused = Diese App lässt sich nur aus dem Netz erlauben, in dem das Gerät ist. Wechseln Sie in dieses Netz und öffnen Sie die Seite noch einmal, oder lehnen Sie ab.
confirm-safety = Haben Sie das selbst begonnen, auf einem Gerät, das Sie sehen? Wenn nicht, lehnen Sie ab.
confirm-safety-more = Wer Ihnen hilft, braucht nie, dass Sie einen zugeschickten Code erlauben.

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
    [denied] { $client } hat keinen Zugriff auf Ihr Konto bekommen.
   *[approved] { $client } hat jetzt den Zugriff, den Sie erlaubt haben.
}
done-next = { $outcome ->
    [denied] Wenn Sie das nicht begonnen haben, melden Sie es den Betreibern dieses Servers. Sie können diese Seite schließen.
   *[approved] Gehen Sie zurück zu Ihrem Gerät. Es macht in ein paar Sekunden von selbst weiter. Sie können diese Seite schließen.
}

### Sign out
logout-title = Abmelden
logout-heading = Abmelden?
logout-asked = { $client } bittet Sie, sich abzumelden.
logout-refused = Die Anfrage, mit der eine App Sie hierher geschickt hat, ist nicht gültig. Sie können sich trotzdem abmelden, werden aber nicht zur App zurückgeschickt.
logout-text = Sie sind angemeldet als { $user }. Abgemeldet wird dieser Browser, und mit ihm die Apps, bei denen Sie sich hier angemeldet haben, außer sie dürfen verbunden bleiben. Geräte, die Sie verbunden haben, behalten ihren Zugriff.
logout-stay = Angemeldet bleiben
signed-out-title = Abgemeldet
signed-out-heading = Sie sind abgemeldet
signed-out-text = Wenn auch andere diesen Browser benutzen, schließen Sie seine Fenster.
signed-out-client = Sie können zu { $client } zurückgehen oder diese Seite schließen.
signed-out-again = Wieder anmelden

### The account
account-title = Ihr Konto
account-heading = Ihr Konto
account-lead = Was für { $user } handeln darf, und wo. Alles davon können Sie hier beenden.
account-notice = { $notice ->
    [session_ended] Dieser Browser ist abgemeldet.
    [app_removed] Die App hat keinen Zugriff mehr. Sie muss Sie neu fragen.
    [device_removed] Das Gerät hat keinen Zugriff mehr. Es muss Sie neu fragen.
    [password_changed] Ihr Passwort ist geändert. Alle anderen Browser sind abgemeldet.
    [stale] Die Seite war nicht mehr aktuell, deshalb wurde nichts geändert. Bitte versuchen Sie es hier noch einmal.
   *[gone] Das war schon beendet.
}
account-sessions = Wo Sie angemeldet sind
account-here = Dieser Browser
account-address = Adresse
account-last-seen = Zuletzt benutzt
account-began = Angemeldet
account-apps = Verbundene Apps
account-no-apps = Keine App hat Zugriff auf Ihr Konto.
account-take-back = Zugriff entziehen
account-client-id = Client-ID
account-since = Erlaubt
account-devices = Verbundene Geräte
account-no-devices = Kein Gerät hat Zugriff auf Ihr Konto.
account-disconnect = Trennen
account-approved = Erlaubt
account-more = { $count ->
    [one] Es gibt noch einen Eintrag, der älter ist.
   *[other] Es gibt noch { $count } Einträge, die älter sind.
}
account-password = Passwort
account-password-current = Aktuelles Passwort
account-password-new = Neues Passwort, mindestens 8 Zeichen
account-password-repeated = Neues Passwort wiederholen
account-password-change = Passwort ändern
account-password-text = Damit werden alle anderen Browser abgemeldet, und keine App und kein Gerät hat mehr Zugriff.
account-password-elsewhere = Ihr Passwort wird von Ihrer Administration verwaltet. Wenden Sie sich an sie, um es zu ändern.
account-password-problem = { $problem ->
    [short] Das neue Passwort ist zu kurz. Verwenden Sie mindestens 8 Zeichen.
    [long] Das neue Passwort ist zu lang.
    [different] Die beiden neuen Passwörter stimmen nicht überein.
   *[wrong] Das aktuelle Passwort ist falsch.
}
account-uncounted = Es gibt noch weitere Einträge, die älter sind.
account-older = Apps und Geräte mit älterem Zugriff anzeigen
account-everywhere = Überall abmelden
account-everywhere-text = Etwas dabei, das Sie nicht kennen? Melden Sie sich in jedem Browser ab, auch in diesem, und entziehen Sie allen Apps und Geräten den Zugriff.

### What this server is
home-title = Start
home-heading = Ihr Konto bei { $host }
home-text = Hier melden Sie sich an, und hier entscheiden Sie, welche Geräte und Apps für Sie handeln dürfen. Alle fragen zuerst und bekommen nur, was Sie erlauben.

### Errors
error-title = { $fault ->
    [bad_request] Anfrage nicht verstanden
    [unknown_client] App unbekannt
    [redirect_uri] Adresse nicht eingetragen
    [not_supported] Anfrage nicht unterstützt
    [bad_logout] Abmeldung nicht verstanden
    [not_found] Seite nicht gefunden
    [method_not_allowed] Hier nicht möglich
    [too_large] Zu viele Daten
    [too_many_requests] Zu viele Anfragen
    [unavailable] Gerade nicht verfügbar
    [busy] Gerade melden sich viele an
   *[internal] Etwas ist schiefgegangen
}
error-text = { $fault ->
    [bad_request] Ihr Browser hat etwas geschickt, das dieser Server nicht lesen kann. Gehen Sie zurück und versuchen Sie es noch einmal.
    [unknown_client] Der Link, der Sie hierher gebracht hat, nennt keine App, die dieser Server kennt. Es wurde niemandem etwas geschickt. Gehen Sie dorthin zurück, woher Sie kamen, und melden Sie es dort den Betreibern.
    [redirect_uri] Der Link, der Sie hierher gebracht hat, will Sie an eine Adresse weiterschicken, die für die genannte App nicht eingetragen ist. Sie werden nicht dorthin geschickt, und es wurde niemandem etwas geschickt. Gehen Sie dorthin zurück, woher Sie kamen, und melden Sie es dort den Betreibern.
    [not_supported] Die App, die Sie hierher gebracht hat, fragt auf eine Weise, die dieser Server nicht unterstützt. Es wurde niemandem etwas geschickt. Gehen Sie dorthin zurück, woher Sie kamen, und melden Sie es den Betreibern der App.
    [bad_logout] Eine App hat Sie zum Abmelden hierher geschickt, mit einer Anfrage, die dieser Server nicht annehmen kann. Es wurde nichts geändert. Abmelden können Sie sich auf der Startseite.
    [not_found] Unter dieser Adresse gibt es nichts. Prüfen Sie, ob sie richtig geschrieben ist.
    [method_not_allowed] Diese Adresse lässt sich so nicht benutzen. Es wurde nichts geändert.
    [too_large] Was Ihr Browser geschickt hat, ist größer als jedes Formular dieses Servers.
    [too_many_requests] Warten Sie ein wenig und versuchen Sie es dann noch einmal.
    [unavailable] Der Server erreicht seine Daten im Augenblick nicht. Es wurde nichts geändert. Versuchen Sie es in einer Minute noch einmal.
    [busy] Es melden sich mehr Personen an, als dieser Server gleichzeitig prüfen kann. Es wurde nichts geändert. Versuchen Sie es in einigen Sekunden noch einmal.
   *[internal] Der Fehler liegt bei uns und ist aufgezeichnet. Versuchen Sie es noch einmal. Wenn er bleibt, melden Sie es den Betreibern dieses Servers.
}
error-developers-heading = Für die Entwickler der App
error-developers = { $fault ->
    [unknown_client] Der Parameter client_id fehlt, steht zweimal da oder ist nicht die ID eines Clients dieses Ausstellers.
    [redirect_uri] Der Parameter redirect_uri muss genau einer der redirect_uris sein, die für den Client eingestellt sind, Zeichen für Zeichen. Nur der Port einer Loopback-Adresse darf abweichen.
    [not_supported] Die Autorisierungsanfrage muss ihre Parameter selbst enthalten, auch redirect_uri. Was unterstützt wird, steht in den Metadaten dieses Servers.
   *[bad_logout] Vergleichen Sie mit den Einstellungen des Clients: id_token_hint muss ein ID-Token sein, das dieser Aussteller dem Client gegeben hat, und post_logout_redirect_uri (oder logout_uri) genau einer seiner post_logout_redirect_uris.
}
error-status = Fehler { $status }
error-trace = Trace-ID
error-home = Zur Startseite
