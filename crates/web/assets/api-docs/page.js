// Nothing of the address counts, and tokens stay in the memory of this page.
const ui = SwaggerUIBundle({
  url: "../openapi.json",
  dom_id: "#swagger-ui",
  queryConfigEnabled: false,
  validatorUrl: null,
  persistAuthorization: false,
  deepLinking: false,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  syntaxHighlight: { activated: true },
  oauth2RedirectUrl: new URL("oauth2-redirect.html", document.baseURI).href,
});
ui.initOAuth({
  clientId: "grantor-docs",
  usePkceWithAuthorizationCodeGrant: true,
});
