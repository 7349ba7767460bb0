# Every sentence of the pages, in French. Values in braces are filled in; keep them. No-break spaces stand before two-part marks.

### Every page
brand = Accueil de { $host }
footer = Propulsé par Grantor
signed-in-as = Session de { $user }
sign-out = Se déconnecter
sign-in = Se connecter
connect-device = Connecter un appareil
see-account = Votre compte
go-on = Continuer
try-again-in = { $minutes ->
    [one] Attendez une minute, puis réessayez.
   *[other] Attendez { $minutes } minutes, puis réessayez.
}

### What a client may do; a scope of a resource has the words of the configuration.
scope = { $scope ->
    [openid] Savoir qui vous êtes
    [profile] Voir votre nom et votre profil
    [email] Voir votre adresse e-mail
    [phone] Voir votre numéro de téléphone
    [address] Voir votre adresse postale
    [groups] Voir les groupes dont vous faites partie
    [offline_access] Garder son accès même quand votre session est fermée
   *[other] { $scope }
}
scope-claims = Voir d'autres informations de votre compte :

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
   *[now] il y a moins d’une minute
}
at = { $time } UTC
says-it-runs = Se présente comme
agent-on = { $product } sous { $system }
agent-unknown = Non précisé

### Sign in
login-title = Connexion
login-heading = Connexion
login-heading-again = Confirmez que c’est bien vous
login-lead = pour continuer vers { $host }
login-lead-client = pour continuer vers { $client }
login-again = Votre session est déjà ouverte. Votre mot de passe montre que c’est toujours vous.
login-lead-device = Connectez-vous d’abord, puis connectez votre appareil.
login-username = Nom d’utilisateur ou adresse e-mail
login-password = Mot de passe
login-stay = Rester connecté
login-stay-hint = Uniquement dans votre propre navigateur.
login-wrong = Nom d’utilisateur ou mot de passe incorrect.
login-limited = Trop de tentatives.
login-stale = Cette page n’était plus à jour, vous n’avez donc pas été connecté. Saisissez de nouveau votre mot de passe.
login-no-cookies = Votre navigateur n’a pas renvoyé nos cookies, sans lesquels la connexion est impossible. Autorisez les cookies pour ce site, puis connectez-vous.

### Connect a device: the code
device-title = Connecter un appareil
device-heading = Connecter un appareil
device-lead = Saisissez le code affiché par votre appareil.
device-lead-prefilled = Est-ce bien le code affiché par votre appareil ? Ne continuez que si les deux sont identiques.
device-code = Code
device-hint = Les majuscules, les espaces et les tirets n’ont pas d’importance.
device-hint-prefilled = Pas d’appareil près de vous, ou un autre code ? Alors fermez cette page.
device-not-valid = Ce code n’est pas valable ou a expiré. Vérifiez-le, ou demandez-en un nouveau sur votre appareil.
device-limited = Trop de codes incorrects.

### Who asks, an app or a device
ask-heading = Autoriser { $client } à utiliser votre compte ?
ask-client-id = ID client { $id }
ask-scopes = Ce qui sera permis
ask-no-scopes = Aucune permission n’est demandée
ask-approve = Autoriser
ask-deny = Refuser

### An app asks
consent-title = Autoriser une application
consent-again = Vous avez déjà autorisé cette application. Elle demande maintenant davantage.
consent-safety = Venez-vous de choisir de vous connecter à cette application ? Sinon, refusez.
consent-safety-more = Vous pourrez retirer cet accès à tout moment, sur la page de votre compte.
consent-goes-to = Quel que soit votre choix, vous continuez vers { $host }.

### On the way to an app
going-on-title = Redirection
going-on-heading = Un instant
going-on-lead = Vous continuez vers { $host }. Si rien ne se passe, continuez à la main.

### Connect a device: who asks
confirm-title = Autoriser ou refuser
confirm-compare = Votre appareil doit afficher ce code
confirm-retype = Saisissez le code affiché par votre appareil
confirm-retype-wrong = Ce n’est pas le code de cet appareil. Regardez de nouveau son écran.
confirm-details = D’où vient la demande
confirm-address = Adresse de l’appareil
confirm-browser-address = Votre adresse
confirm-started = Début
confirm-network-heading = L’appareil est sur un autre réseau
confirm-network-warning = Il n’est sans doute pas près de vous. Quelqu’un, au loin, vous a peut-être envoyé ce code pour accéder à votre compte. En cas de doute, refusez.
confirm-network-refused = Cette application ne peut être autorisée que depuis le réseau de l’appareil. Rejoignez ce réseau et rouvrez cette page, ou refusez.
confirm-safety = Avez-vous lancé cette demande vous-même, sur un appareil que vous voyez ? Sinon, refusez.
confirm-safety-more = Pour vous aider, personne n’a jamais besoin que vous autorisiez un code qu’on vous a envoyé.

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
    [denied] { $client } n’a pas obtenu d’accès à votre compte.
   *[approved] { $client } a maintenant l’accès que vous avez autorisé.
}
done-next = { $outcome ->
    [denied] Si vous n’aviez rien demandé, prévenez les responsables de ce serveur. Vous pouvez fermer cette page.
   *[approved] Retournez à votre appareil. Il continue de lui-même dans quelques secondes. Vous pouvez fermer cette page.
}

### Sign out
logout-title = Déconnexion
logout-heading = Se déconnecter ?
logout-asked = { $client } demande votre déconnexion.
logout-refused = La demande par laquelle une application vous amène ici n’est pas valable. Vous pouvez tout de même vous déconnecter, mais sans retour à l’application.
logout-text = La session de { $user } est ouverte. Elle prendra fin dans ce navigateur, et avec elle celles des applications que vous y avez ouvertes, sauf si elles peuvent garder leur accès. Les appareils que vous avez connectés gardent le leur.
logout-stay = Garder la session ouverte
signed-out-title = Session terminée
signed-out-heading = Votre session est terminée
signed-out-text = Si d’autres personnes utilisent ce navigateur, fermez ses fenêtres.
signed-out-client = Vous pouvez retourner à { $client } ou fermer cette page.
signed-out-again = Se reconnecter

### The account
account-title = Votre compte
account-heading = Votre compte
account-lead = Ce qui peut agir au nom de { $user }, et où. Vous pouvez tout arrêter ici.
account-notice = { $notice ->
    [session_ended] La session de cet autre navigateur est terminée.
    [app_removed] L’application n’a plus d’accès. Elle devra vous le redemander.
    [device_removed] L’appareil n’a plus d’accès. Il devra vous le redemander.
    [password_changed] Votre mot de passe a été modifié. Tous les autres navigateurs sont déconnectés.
    [stale] La page n’était plus à jour, rien n’a donc été modifié. Réessayez ici.
   *[gone] C’était déjà terminé.
}
account-sessions = Vos sessions ouvertes
account-here = Ce navigateur
account-address = Adresse
account-last-seen = Vu en dernier
account-began = Ouverte
account-apps = Applications connectées
account-no-apps = Aucune application n’a accès à votre compte.
account-take-back = Retirer l’accès
account-client-id = ID client
account-since = Autorisée
account-devices = Appareils connectés
account-no-devices = Aucun appareil n’a accès à votre compte.
account-disconnect = Déconnecter
account-approved = Autorisé
account-more = { $count ->
    [one] Il y en a un de plus, moins récent.
   *[other] Il y en a { $count } de plus, moins récents.
}
account-password = Mot de passe
account-password-current = Mot de passe actuel
account-password-new = Nouveau mot de passe, 8 caractères au moins
account-password-repeated = Confirmer le nouveau mot de passe
account-password-change = Modifier le mot de passe
account-password-text = Tous les autres navigateurs seront déconnectés, et l’accès de toutes les applications et de tous les appareils sera retiré.
account-password-elsewhere = Votre mot de passe est géré par votre administrateur. Adressez-vous à lui pour le modifier.
account-password-problem = { $problem ->
    [short] Le nouveau mot de passe est trop court. Utilisez au moins 8 caractères.
    [long] Le nouveau mot de passe est trop long.
    [different] Les deux nouveaux mots de passe ne correspondent pas.
   *[wrong] Le mot de passe actuel est incorrect.
}
account-uncounted = Il y en a d’autres, moins récents.
account-older = Afficher les applications et appareils à l’accès moins récent
account-everywhere = Tout déconnecter
account-everywhere-text = Vous voyez ici quelque chose d’inconnu ? Fermez la session de tous les navigateurs, y compris celui-ci, et retirez l’accès de toutes les applications et de tous les appareils.

### What this server is
home-title = Accueil
home-heading = Votre compte chez { $host }
home-text = Ici, vous vous connectez et vous décidez quels appareils et quelles applications peuvent agir en votre nom. Chacun demande d’abord, et n’obtient que ce que vous autorisez.

### Errors
error-title = { $fault ->
    [bad_request] Demande incomprise
    [unknown_client] Application inconnue
    [redirect_uri] Adresse non enregistrée
    [not_supported] Demande non prise en charge
    [bad_logout] Déconnexion incomprise
    [not_found] Page introuvable
    [method_not_allowed] Impossible ici
    [too_large] Trop de données
    [too_many_requests] Trop de demandes
    [unavailable] Indisponible pour le moment
    [busy] Beaucoup de connexions en cours
   *[internal] Une erreur s’est produite
}
error-text = { $fault ->
    [bad_request] Votre navigateur a envoyé quelque chose que ce serveur ne peut pas lire. Revenez en arrière et réessayez.
    [unknown_client] Le lien suivi ne nomme aucune application connue de ce serveur. Rien n’a été envoyé à personne. Retournez d’où vous venez, et prévenez les responsables.
    [redirect_uri] Le lien suivi demande de continuer vers une adresse qui n’est pas enregistrée pour l’application nommée. Vous n’irez pas à cette adresse, et rien n’a été transmis à personne. Retournez d’où vous venez, et prévenez les responsables.
    [not_supported] L’application qui vous a conduit ici utilise une forme de demande que ce serveur ne prend pas en charge. Rien n’a été envoyé à personne. Revenez là d’où vous venez et prévenez le responsable de l’application.
    [bad_logout] Une application vous amène ici pour vous déconnecter, avec une demande que ce serveur ne peut pas accepter. Rien n’a été modifié. Vous pouvez vous déconnecter depuis la page d’accueil.
    [not_found] Il n’y a rien à cette adresse. Vérifiez qu’elle est bien écrite.
    [method_not_allowed] Cette adresse ne peut pas être utilisée de cette façon. Rien n’a été modifié.
    [too_large] Ce que votre navigateur a envoyé dépasse tous les formulaires de ce serveur.
    [too_many_requests] Attendez un peu, puis réessayez.
    [unavailable] Le serveur ne peut pas atteindre ses données pour le moment. Rien n’a été modifié. Réessayez dans une minute.
    [busy] Plus de personnes se connectent que ce serveur ne peut en vérifier à la fois. Rien n’a été modifié. Réessayez dans quelques secondes.
   *[internal] L’erreur vient de nous, et elle a été notée. Réessayez. Si elle persiste, prévenez les responsables de ce serveur.
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
