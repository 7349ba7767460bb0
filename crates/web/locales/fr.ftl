# Every sentence of the pages, in French. Values in braces are filled in; keep them. No-break spaces stand before two-part marks.

### Every page
brand = Accueil de { $host }
footer = Propulsé par Grantor
signed-in-as = Connecté en tant que { $user }
sign-out = Se déconnecter
sign-in = Se connecter
connect-device = Connecter un appareil
see-account = Votre compte
go-on = Continuer
details = Détails
client-id = ID client
try-again-in = { $minutes ->
    [one] Réessayez dans une minute.
   *[other] Réessayez dans { $minutes } minutes.
}

### What a client may do; a scope of a resource has the words of the configuration.
scope = { $scope ->
    [openid] Savoir qui vous êtes
    [profile] Voir votre nom et votre profil
    [email] Voir votre adresse e-mail
    [phone] Voir votre numéro de téléphone
    [address] Voir votre adresse postale
    [groups] Voir les groupes dont vous faites partie
    [offline_access] Conserver son accès lorsque vous n’êtes pas connecté
   *[other] { $scope }
}
scope-claims = Voir d’autres informations de votre compte :

### When, and by what software
ago = { $unit ->
    [minutes] { $count ->
        [one] il y a { $count } minute
       *[other] il y a { $count } minutes
    }
    [hours] { $count ->
        [one] il y a { $count } heure
       *[other] il y a { $count } heures
    }
    [days] { $count ->
        [one] il y a { $count } jour
       *[other] il y a { $count } jours
    }
   *[now] à l’instant
}
at = { $time } UTC
reported-software = Logiciel déclaré
agent-on = { $product } sous { $system }
agent-unknown = Inconnu

### Sign in
login-title = Connexion
login-heading = Connexion
login-heading-again = Confirmez que c’est bien vous
login-lead = pour continuer vers { $host }
login-lead-client = pour continuer vers { $client }
login-again = Vous êtes connecté en tant que { $user }. Saisissez votre mot de passe pour continuer.
login-other = Vous êtes connecté en tant que { $user }. Pour utiliser un autre compte, connectez-vous ici avec celui-ci.
login-another = Utiliser un autre compte
login-lead-device = Connectez-vous d’abord, puis connectez votre appareil.
login-username = Nom d’utilisateur ou adresse e-mail
login-password = Mot de passe
login-stay = Rester connecté
login-stay-hint = Uniquement dans votre propre navigateur.
login-wrong = Nom d’utilisateur ou mot de passe incorrect.
login-limited = Trop de tentatives.
login-stale = Cette page n’était plus à jour, vous n’avez donc pas été connecté. Saisissez de nouveau votre mot de passe.
login-no-cookies = La connexion nécessite des cookies, mais votre navigateur n’a pas renvoyé les nôtres. Autorisez les cookies pour ce site, puis connectez-vous.

### Connect a device: the code
device-title = Connecter un appareil
device-heading = Connecter un appareil
device-lead = Saisissez le code affiché par votre appareil.
device-lead-prefilled = Vérifiez que ce code est bien celui de votre appareil.
device-code = Code
device-hint = Vous pouvez omettre les espaces et les tirets. Majuscules ou minuscules, peu importe.
device-hint-prefilled = Pas d’appareil avec vous, ou un autre code ? Fermez cette page.
device-not-valid = Ce code n’est pas valide ou a expiré. Vérifiez-le, ou demandez-en un nouveau sur votre appareil.
device-limited = Trop de codes incorrects.

### Who asks, an app or a device
ask-heading = Autoriser { $client } à utiliser votre compte ?
ask-scopes = Cela lui permettra de
ask-no-scopes = Aucune autorisation n’est demandée
ask-account = Compte : { $user }
ask-new = Nouveau
ask-approve = Autoriser
ask-deny = Refuser

### An app asks
consent-title = Autoriser une application
consent-again = Vous avez déjà autorisé cette application.
consent-again-more = Vous avez déjà autorisé cette application. Elle demande maintenant d’autres autorisations.
consent-safety = Venez-vous de choisir de vous connecter à cette application ? Sinon, choisissez Refuser.
consent-safety-more = Vous pouvez retirer l’accès à tout moment sur la page de votre compte.
consent-goes-to = Dans les deux cas, vous serez redirigé vers { $host }.

### Nothing to allow
withheld-title = Non disponible
withheld-heading = { $client } n’est pas disponible pour vous
withheld-text = { $why ->
    [scopes] Votre compte ne peut recevoir aucune des autorisations demandées.
   *[client] L’accès est réservé à certains comptes, et le vôtre n’en fait pas partie.
}
withheld-next = Si vous pensez devoir y avoir accès, contactez votre administrateur. Pour utiliser un autre compte, déconnectez-vous d’abord.
withheld-back = Revenir à l’application

### On the way to an app
redirecting-title = Redirection…
redirecting-heading = Redirection…
redirecting-lead = Vous êtes redirigé vers { $host }. Si rien ne se passe, choisissez Continuer.

### Connect a device: who asks
confirm-title = Autoriser ou refuser
confirm-compare = Vérifiez que votre appareil affiche ce code
confirm-retype = Saisissez le code affiché par votre appareil
confirm-retype-wrong = Ce n’est pas le code de cet appareil. Regardez de nouveau son écran.
confirm-details = D’où vient la demande
confirm-address = IP de l’appareil
confirm-browser-address = Votre IP
confirm-started = Demandé
confirm-network-heading = L’appareil est sur un autre réseau
confirm-network-warning = Il n’est sans doute pas près de vous. Quelqu’un vous a peut-être envoyé ce code à distance pour accéder à votre compte. En cas de doute, choisissez Refuser.
confirm-network-refused = Cette application ne peut être autorisée que depuis le réseau de l’appareil. Rejoignez ce réseau et rouvrez cette page, ou choisissez Refuser.
confirm-safety = Avez-vous lancé cette demande vous-même, sur un appareil que vous voyez ? Sinon, choisissez Refuser.
confirm-safety-more = Aucun service d’assistance ne vous demandera jamais d’autoriser un code qu’il vous a envoyé.

### Connect a device: decided
done-title = { $outcome ->
    [denied] Refusé
   *[approved] Autorisé
}
done-heading = { $outcome ->
    [denied] Demande refusée
   *[approved] Appareil connecté
}
done-text = { $outcome ->
    [denied] { $client } n’a pas obtenu l’accès à votre compte.
   *[approved] { $client } dispose maintenant de l’accès que vous avez autorisé.
}
done-next = { $outcome ->
    [denied] Si vous n’êtes pas à l’origine de cette demande, contactez votre administrateur. Vous pouvez fermer cette page.
   *[approved] Retournez à votre appareil. Il continuera de lui-même dans quelques secondes. Vous pouvez fermer cette page.
}

### Sign out
logout-title = Déconnexion
logout-heading = Se déconnecter ?
logout-asked = { $client } vous demande de vous déconnecter.
logout-refused = La demande de l’application qui vous a envoyé ici n’est pas valide. Vous pouvez tout de même vous déconnecter, mais vous ne reviendrez pas à l’application.
logout-text = Vous êtes connecté en tant que { $user }. Vous serez déconnecté de ce navigateur et des applications auxquelles vous y avez accédé, sauf si elles peuvent conserver leur accès. Les appareils connectés le restent.
logout-stay = Rester connecté
signed-out-title = Déconnecté
signed-out-heading = Vous êtes déconnecté
signed-out-text = Si d’autres personnes utilisent ce navigateur, fermez toutes ses fenêtres.
signed-out-client = Vous pouvez retourner à { $client } ou fermer cette page.
signed-out-again = Se reconnecter

### The account
account-title = Votre compte
account-heading = Votre compte
account-lead = Appareils, applications et sessions ayant accès à votre compte. Retirez ceux que vous ne reconnaissez pas.
account-notice = { $notice ->
    [session_ended] Ce navigateur a été déconnecté.
    [app_removed] L’application n’a plus accès à votre compte. Elle devra vous le redemander.
    [device_removed] L’appareil n’a plus accès à votre compte. Il devra vous le redemander.
    [password_changed] Votre mot de passe a été modifié. Tous les autres navigateurs ont été déconnectés.
    [stale] La page n’était plus à jour, rien n’a donc été modifié. Réessayez.
   *[gone] Cet élément avait déjà été retiré.
}
account-when = { $event ->
    [seen] Dernière activité : { $ago }
    [allowed] Autorisée { $ago }
   *[connected] Connecté { $ago }
}
account-sessions = Où vous êtes connecté
account-here = Ce navigateur
account-address = Adresse IP
account-last-seen = Dernière activité
account-began = Connexion
account-apps = Applications connectées
account-no-apps = Aucune application n’a accès à votre compte.
account-remove-access = Retirer l’accès
account-since = Autorisée
account-devices = Appareils connectés
account-no-devices = Aucun appareil n’a accès à votre compte.
account-disconnect = Déconnecter
account-connected = Connecté
account-more = { $count ->
    [one] Un élément plus ancien n’est pas affiché.
   *[other] { $count } éléments plus anciens ne sont pas affichés.
}
account-uncounted = Des éléments plus anciens ne sont pas affichés.
account-older = Afficher les applications et appareils plus anciens
account-password = Mot de passe
account-password-current = Mot de passe actuel
account-password-new = Nouveau mot de passe (8 caractères minimum)
account-password-repeated = Répéter le nouveau mot de passe
account-password-change = Modifier le mot de passe
account-password-text = Tous les autres navigateurs seront déconnectés, et toutes les applications et tous les appareils perdront leur accès.
account-password-elsewhere = Votre mot de passe est géré par votre administrateur. Adressez-vous à lui pour le modifier.
account-password-problem = { $problem ->
    [short] Le nouveau mot de passe est trop court. Utilisez au moins 8 caractères.
    [long] Le nouveau mot de passe est trop long.
    [different] Les deux nouveaux mots de passe ne correspondent pas.
   *[wrong] Le mot de passe actuel est incorrect.
}
account-everywhere-heading = Vous ne reconnaissez pas un élément ?
account-everywhere-text = Déconnectez-vous de tous les navigateurs, y compris celui-ci, et retirez l’accès de toutes les applications et de tous les appareils.
account-everywhere = Se déconnecter partout
account-everywhere-ask = Vous devrez vous reconnecter dans chaque navigateur, et autoriser de nouveau vos applications et appareils.
account-everywhere-confirm = Oui, se déconnecter partout

### What this server is
home-title = Accueil
home-heading = Votre compte chez { $host }
home-text = Décidez quels appareils et quelles applications peuvent utiliser votre compte. Chacun demande d’abord, et n’obtient que l’accès que vous autorisez.

### Errors
error-title = { $fault ->
    [bad_request] Demande non valide
    [unknown_client] Application inconnue
    [redirect_uri] Adresse non enregistrée
    [not_supported] Demande non prise en charge
    [bad_logout] Demande de déconnexion non valide
    [not_found] Page introuvable
    [method_not_allowed] Non autorisé
    [too_large] Trop de données
    [too_many_requests] Trop de demandes
    [unavailable] Temporairement indisponible
    [busy] Beaucoup de connexions en cours
   *[internal] Une erreur s’est produite
}
error-text = { $fault ->
    [bad_request] Votre navigateur a envoyé quelque chose que ce serveur ne peut pas lire. Revenez en arrière et réessayez.
    [unknown_client] Le lien que vous avez suivi concerne une application qui n’est pas enregistrée ici. Rien n’a été envoyé à personne. Revenez en arrière et contactez le responsable de l’application.
    [redirect_uri] Le lien que vous avez suivi mène à une adresse qui n’est pas enregistrée pour son application. Vous n’y avez pas été redirigé, et rien n’a été envoyé à personne. Revenez en arrière et contactez le responsable de l’application.
    [not_supported] L’application qui vous a conduit ici utilise une forme de demande que ce serveur ne prend pas en charge. Rien n’a été envoyé à personne. Revenez là d’où vous venez et prévenez le responsable de l’application.
    [bad_logout] Une application vous a envoyé ici pour vous déconnecter, mais sa demande n’est pas valide. Rien n’a été modifié. Vous pouvez vous déconnecter depuis la page d’accueil.
    [not_found] Il n’y a rien à cette adresse. Vérifiez qu’elle est bien écrite.
    [method_not_allowed] Cette adresse ne peut pas être utilisée de cette façon. Rien n’a été modifié.
    [too_large] Votre navigateur a envoyé plus de données que ce serveur n’en accepte.
    [too_many_requests] Patientez un instant, puis réessayez.
    [unavailable] Le serveur ne peut pas accéder à ses données pour le moment. Rien n’a été modifié. Réessayez dans une minute.
    [busy] Trop de personnes se connectent en même temps pour ce serveur. Rien n’a été modifié. Réessayez dans quelques secondes.
   *[internal] Une erreur s’est produite de notre côté et a été consignée. Réessayez. Si elle persiste, contactez votre administrateur.
}
error-developers-heading = Pour l’équipe qui développe l’application
error-developers = { $fault ->
    [unknown_client] Le paramètre client_id manque, figure deux fois, ou n’est pas l’ID d’un client de cet émetteur.
    [redirect_uri] Le paramètre redirect_uri doit être exactement l’une des redirect_uris configurées pour le client, au caractère près. Seul le port d’une adresse de bouclage peut différer.
    [not_supported] La demande d’autorisation doit contenir elle-même ses paramètres, dont redirect_uri. Les métadonnées de ce serveur indiquent ce qui est pris en charge.
   *[bad_logout] Comparez avec la configuration du client : id_token_hint doit être un jeton d’identité que cet émetteur a donné au client, et post_logout_redirect_uri (ou logout_uri) exactement l’une de ses post_logout_redirect_uris.
}
error-status = Erreur { $status }
error-trace = ID de trace
error-home = Aller à l’accueil

### The first administrator
admin-first-title = Créer le premier administrateur
admin-first-lead = pour administrer { $host }
admin-first-done = { $user } est maintenant administrateur.
admin-first-exists = Il y a déjà un administrateur, qui peut en ajouter d’autres.
admin-first-code = Code du fichier
admin-first-username = Nom d’utilisateur
admin-first-create = Créer l’administrateur
admin-first-code-wrong = Ce code est incorrect, expiré ou déjà utilisé. Le journal du serveur indique dans quel fichier se trouve le code.
admin-first-name-taken = Un autre utilisateur porte ce nom.
admin-first-name-wrong = Ce nom d’utilisateur n’est pas valide.
admin-first-password-wrong = Le mot de passe doit comporter au moins 8 caractères.
