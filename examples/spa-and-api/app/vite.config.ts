import react from "@vitejs/plugin-react";
import { type Plugin, defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => {
  const { VITE_ISSUER, VITE_API } = loadEnv(mode, import.meta.dirname, "VITE_");
  const at = { host: "127.0.0.1", port: Number(process.env.APP_PORT ?? 8081), strictPort: true };
  return {
    plugins: [react(), contentSecurityPolicy([VITE_ISSUER, VITE_API])],
    server: at,
    // What whoever serves the app must send with it: these a <meta> cannot say.
    preview: { ...at, headers: { "Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff" } },
  };
});

/** Only the app's own scripts run, and they reach only Grantor and the API: what keeps others from its tokens. */
function contentSecurityPolicy(reached: (string | undefined)[]): Plugin {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${reached.join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
  return {
    name: "content-security-policy",
    // Not while developing: Vite puts scripts of its own into the page then.
    apply: "build",
    transformIndexHtml: () => [{ tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: policy }, injectTo: "head-prepend" }],
  };
}
