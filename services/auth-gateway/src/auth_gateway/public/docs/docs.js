import { plugin } from "./plugin.js";
import { offerSession } from "./session.js";

/** The name of the security scheme in the OpenAPI document. */
const SECURITY_SCHEME = "token";

const viewer = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#viewer",
  plugins: [plugin],
  filter: true,
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null,
});

offerSession(
  document.getElementById("use-session"),
  (token) => viewer.preauthorizeApiKey(SECURITY_SCHEME, token),
  () => viewer.authActions.logout([SECURITY_SCHEME]),
);

// Swagger UI has a dark mode, but leaves it to the page when to show it.
const darkScheme = matchMedia("(prefers-color-scheme: dark)");

function applyScheme() {
  document.documentElement.classList.toggle("dark-mode", darkScheme.matches);
}

darkScheme.addEventListener("change", applyScheme);
applyScheme();
