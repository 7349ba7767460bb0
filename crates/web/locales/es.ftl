# Every sentence of the pages, in Spanish. Values in braces are filled in; keep them.

### Every page
brand = Inicio de { $host }
footer = Funciona con Grantor
signed-in-as = Sesión iniciada como { $user }
sign-out = Cerrar sesión
sign-in = Iniciar sesión
connect-device = Conectar un dispositivo
see-account = Tu cuenta
go-on = Continuar
details = Detalles
client-id = ID de cliente
try-again-in = { $minutes ->
    [one] Vuelve a intentarlo dentro de un minuto.
   *[other] Vuelve a intentarlo dentro de { $minutes } minutos.
}

### What a client may do; a scope of a resource has the words of the configuration.
scope = { $scope ->
    [openid] Saber quién eres
    [profile] Ver tu nombre y tu perfil
    [email] Ver tu dirección de correo electrónico
    [phone] Ver tu número de teléfono
    [address] Ver tu dirección postal
    [groups] Ver los grupos a los que perteneces
    [offline_access] Mantener el acceso cuando no tengas la sesión iniciada
   *[other] { $scope }
}
scope-claims = Ver otros datos de tu cuenta:

### When, and by what software
ago = { $unit ->
    [minutes] { $count ->
        [one] hace { $count } minuto
       *[other] hace { $count } minutos
    }
    [hours] { $count ->
        [one] hace { $count } hora
       *[other] hace { $count } horas
    }
    [days] { $count ->
        [one] hace { $count } día
       *[other] hace { $count } días
    }
   *[now] hace un momento
}
at = { $time } UTC
reported-software = Software declarado
agent-on = { $product } en { $system }
agent-unknown = Desconocido

### Sign in
login-title = Iniciar sesión
login-heading = Iniciar sesión
login-heading-again = Confirma que eres tú
login-lead = para continuar a { $host }
login-lead-client = para continuar a { $client }
login-again = Has iniciado sesión como { $user }. Introduce tu contraseña para continuar.
login-other = Has iniciado sesión como { $user }. Para usar otra cuenta, inicia sesión con ella aquí.
login-another = Usar otra cuenta
login-lead-device = Primero inicia sesión y después conecta tu dispositivo.
login-username = Nombre de usuario o correo electrónico
login-password = Contraseña
login-stay = Mantener la sesión iniciada
login-stay-hint = Solo en un navegador que sea tuyo.
login-wrong = El nombre de usuario o la contraseña no son correctos.
login-limited = Demasiados intentos.
login-stale = Esta página no estaba actualizada y no se ha iniciado la sesión. Vuelve a introducir tu contraseña.
login-no-cookies = Para iniciar sesión hacen falta cookies, pero tu navegador no nos las ha devuelto. Permite las cookies de este sitio e inicia sesión.

### Connect a device: the code
device-title = Conectar un dispositivo
device-heading = Conectar un dispositivo
device-lead = Introduce el código que aparece en tu dispositivo.
device-lead-prefilled = Comprueba que coincide con el código de tu dispositivo.
device-code = Código
device-hint = Puedes omitir los espacios y los guiones. No importa si usas mayúsculas o minúsculas.
device-hint-prefilled = ¿No tienes el dispositivo a mano o el código es otro? Cierra esta página.
device-not-valid = El código no es válido o ha caducado. Compruébalo o pide uno nuevo en tu dispositivo.
device-limited = Demasiados códigos incorrectos.

### Who asks, an app or a device
ask-heading = ¿Permitir que { $client } use tu cuenta?
ask-scopes = Esto le permitirá
ask-no-scopes = No solicita ningún permiso
ask-account = Cuenta: { $user }
ask-new = Nuevo
ask-approve = Permitir
ask-deny = Denegar

### An app asks
consent-title = Permitir una aplicación
consent-again = Ya has permitido esta aplicación antes.
consent-again-more = Ya has permitido esta aplicación antes. Ahora solicita más permisos.
consent-safety = ¿Acabas de elegir iniciar sesión en esta aplicación? Si no es así, elige Denegar.
consent-safety-more = Puedes quitarle el acceso en cualquier momento desde la página de tu cuenta.
consent-goes-to = En ambos casos se te redirigirá a { $host }.

### Nothing to allow
withheld-title = No disponible
withheld-heading = { $client } no está disponible para ti
withheld-text = { $why ->
    [scopes] Tu cuenta no puede recibir ninguno de los permisos que se solicitan.
   *[client] Es solo para determinadas cuentas, y la tuya no es una de ellas.
}
withheld-next = Si crees que deberías tener acceso, ponte en contacto con tu administrador. Para usar otra cuenta, cierra sesión primero.
withheld-back = Volver a la aplicación

### On the way to an app
redirecting-title = Redirigiendo…
redirecting-heading = Redirigiendo…
redirecting-lead = Se te está redirigiendo a { $host }. Si no ocurre nada, selecciona Continuar.

### Connect a device: who asks
confirm-title = Permitir o denegar
confirm-compare = Comprueba que tu dispositivo muestra este código
confirm-retype = Introduce el código que aparece en tu dispositivo
confirm-retype-wrong = Ese no es el código de este dispositivo. Vuelve a mirar su pantalla.
confirm-details = Origen de la solicitud
confirm-address = IP del dispositivo
confirm-browser-address = Tu IP
confirm-started = Solicitado
confirm-network-heading = El dispositivo está en otra red
confirm-network-warning = Es probable que no esté cerca de ti. Puede que alguien te haya enviado este código desde otro lugar para entrar en tu cuenta. Si tienes dudas, elige Denegar.
confirm-network-refused = Esta aplicación solo se puede permitir desde la red del dispositivo. Conéctate a esa red y vuelve a abrir esta página, o elige Denegar.
confirm-safety = ¿Has iniciado esto tú, en un dispositivo que tienes a la vista? Si no es así, elige Denegar.
confirm-safety-more = Ningún servicio de asistencia te pedirá nunca que permitas un código que te haya enviado.

### Connect a device: decided
done-title = { $outcome ->
    [denied] Denegado
   *[approved] Permitido
}
done-heading = { $outcome ->
    [denied] Solicitud denegada
   *[approved] Dispositivo conectado
}
done-text = { $outcome ->
    [denied] { $client } no ha obtenido acceso a tu cuenta.
   *[approved] { $client } ya tiene el acceso que has permitido.
}
done-next = { $outcome ->
    [denied] Si no has iniciado tú esta solicitud, avisa a tu administrador. Puedes cerrar esta página.
   *[approved] Vuelve a tu dispositivo. Continuará por sí solo en unos segundos. Puedes cerrar esta página.
}

### Sign out
logout-title = Cerrar sesión
logout-heading = ¿Cerrar sesión?
logout-asked = { $client } solicita que cierres la sesión.
logout-refused = La solicitud de la aplicación que te ha traído aquí no es válida. Puedes cerrar la sesión de todos modos, pero no volverás a la aplicación.
logout-text = Has iniciado sesión como { $user }. Se cerrará la sesión en este navegador y en las aplicaciones en las que entraste desde aquí, salvo las que puedan mantener el acceso. Los dispositivos que conectaste seguirán conectados.
logout-stay = Mantener la sesión iniciada
signed-out-title = Sesión cerrada
signed-out-heading = Has cerrado la sesión
signed-out-text = Si otras personas usan este navegador, cierra todas sus ventanas.
signed-out-client = Puedes volver a { $client } o cerrar esta página.
signed-out-again = Volver a iniciar sesión

### The account
account-title = Tu cuenta
account-heading = Tu cuenta
account-lead = Dispositivos, aplicaciones y sesiones con acceso a tu cuenta. Quita los que no reconozcas.
account-notice = { $notice ->
    [session_ended] Se ha cerrado la sesión en ese navegador.
    [app_removed] La aplicación ya no tiene acceso. Tendrá que volver a pedírtelo.
    [device_removed] El dispositivo ya no tiene acceso. Tendrá que volver a pedírtelo.
    [password_changed] Se ha cambiado tu contraseña y se ha cerrado la sesión en todos los demás navegadores.
    [stale] La página no estaba actualizada y no se ha cambiado nada. Vuelve a intentarlo.
   *[gone] Eso ya se había quitado.
}
account-when = { $event ->
    [seen] Última actividad { $ago }
    [allowed] Permitida { $ago }
   *[connected] Conectado { $ago }
}
account-sessions = Dónde has iniciado sesión
account-here = Este navegador
account-address = Dirección IP
account-last-seen = Última actividad
account-began = Inicio de sesión
account-apps = Aplicaciones conectadas
account-no-apps = Ninguna aplicación tiene acceso a tu cuenta.
account-remove-access = Quitar acceso
account-since = Permitida
account-devices = Dispositivos conectados
account-no-devices = Ningún dispositivo tiene acceso a tu cuenta.
account-disconnect = Desconectar
account-connected = Conectado
account-more = { $count ->
    [one] Hay un elemento más antiguo que no se muestra.
   *[other] Hay { $count } elementos más antiguos que no se muestran.
}
account-uncounted = Hay elementos más antiguos que no se muestran.
account-older = Mostrar aplicaciones y dispositivos más antiguos
account-password = Contraseña
account-password-current = Contraseña actual
account-password-new = Nueva contraseña (8 caracteres como mínimo)
account-password-repeated = Repite la nueva contraseña
account-password-change = Cambiar contraseña
account-password-text = Se cerrará la sesión en todos los demás navegadores y se quitará el acceso a todas las aplicaciones y dispositivos.
account-password-elsewhere = Tu administrador gestiona tu contraseña. Pídele que la cambie.
account-password-problem = { $problem ->
    [short] La nueva contraseña es demasiado corta. Usa al menos 8 caracteres.
    [long] La nueva contraseña es demasiado larga.
    [different] Las dos contraseñas nuevas no coinciden.
   *[wrong] La contraseña actual no es correcta.
}
account-everywhere-heading = ¿Hay algo que no reconoces?
account-everywhere-text = Cierra la sesión en todos los navegadores, incluido este, y quita el acceso a todas las aplicaciones y dispositivos.
account-everywhere = Cerrar sesión en todas partes
account-everywhere-ask = Tendrás que volver a iniciar sesión en cada navegador y volver a permitir tus aplicaciones y dispositivos.
account-everywhere-confirm = Sí, cerrar sesión en todas partes

### What this server is
home-title = Inicio
home-heading = Tu cuenta en { $host }
home-text = Decide qué dispositivos y aplicaciones pueden usar tu cuenta. Todos preguntan primero y solo obtienen el acceso que tú permites.

### Errors
error-title = { $fault ->
    [bad_request] Solicitud no válida
    [unknown_client] Aplicación desconocida
    [redirect_uri] Dirección no registrada
    [not_supported] Solicitud no admitida
    [bad_logout] Solicitud de cierre de sesión no válida
    [not_found] Página no encontrada
    [method_not_allowed] No permitido
    [too_large] Demasiados datos
    [too_many_requests] Demasiadas solicitudes
    [unavailable] No disponible en este momento
    [busy] Hay muchos inicios de sesión
   *[internal] Se ha producido un error
}
error-text = { $fault ->
    [bad_request] Tu navegador ha enviado algo que este servidor no puede leer. Vuelve atrás e inténtalo de nuevo.
    [unknown_client] El enlace que has seguido es de una aplicación que no está registrada aquí. No se ha enviado nada a nadie. Vuelve atrás y avisa al responsable de la aplicación.
    [redirect_uri] El enlace que has seguido lleva a una dirección que no está registrada para su aplicación. No se te ha enviado a ella ni se ha enviado nada a nadie. Vuelve atrás y avisa al responsable de la aplicación.
    [not_supported] La aplicación que te ha traído aquí usa un tipo de solicitud que este servidor no admite. No se ha enviado nada a nadie. Vuelve atrás y contacta con el responsable de la aplicación.
    [bad_logout] Una aplicación te ha traído aquí para cerrar la sesión, pero su solicitud no es válida. No se ha cambiado nada. Puedes cerrar la sesión desde la página de inicio.
    [not_found] No hay nada en esta dirección. Comprueba que esté bien escrita.
    [method_not_allowed] Esta dirección no se puede usar de esa forma. No se ha cambiado nada.
    [too_large] Tu navegador ha enviado más datos de los que acepta este servidor.
    [too_many_requests] Espera un momento y vuelve a intentarlo.
    [unavailable] El servidor no puede acceder a sus datos en este momento. No se ha cambiado nada. Vuelve a intentarlo dentro de un minuto.
    [busy] Están iniciando sesión más personas de las que este servidor puede atender a la vez. No se ha cambiado nada. Vuelve a intentarlo dentro de unos segundos.
   *[internal] Ha ocurrido un error por nuestra parte y ha quedado registrado. Vuelve a intentarlo. Si sigue ocurriendo, avisa a tu administrador.
}
error-developers-heading = Para los desarrolladores de la aplicación
error-developers = { $fault ->
    [unknown_client] El parámetro client_id falta, aparece dos veces o no es el ID de un cliente de este emisor.
    [redirect_uri] El parámetro redirect_uri debe ser exactamente una de las redirect_uris del cliente en la configuración, carácter por carácter. Solo puede variar el puerto de una dirección de bucle local.
    [not_supported] La solicitud de autorización debe contener directamente sus parámetros, incluido redirect_uri. Los metadatos de este servidor indican lo que se admite.
   *[bad_logout] Compara con la configuración del cliente: id_token_hint debe ser un token de identidad que este emisor haya dado al cliente, y post_logout_redirect_uri (o logout_uri) exactamente una de sus post_logout_redirect_uris.
}
error-status = Error { $status }
error-trace = ID de seguimiento
error-home = Ir a la página de inicio

### The first administrator
admin-first-title = Crear el primer administrador
admin-first-lead = para administrar { $host }
admin-first-done = { $user } ya es administrador.
admin-first-exists = Ya hay un administrador, que puede añadir otros.
admin-first-code = Código del archivo
admin-first-username = Nombre de usuario
admin-first-create = Crear administrador
admin-first-code-wrong = Este código es incorrecto, ha caducado o ya se ha usado. El registro del servidor indica en qué archivo está el código.
admin-first-name-taken = Otro usuario tiene este nombre.
admin-first-name-wrong = Esto no puede ser un nombre de usuario.
admin-first-password-wrong = La contraseña debe tener al menos 8 caracteres.
