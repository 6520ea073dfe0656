/*
 * Starts Swagger UI, and adds what it lacks: a search over operations, the token of the session that the
 * browser has at this origin, and links from problem documents to their pages.
 */
"use strict";

const TOKEN_PATH = "/api/auth/token";

/** The name of the security scheme in the OpenAPI document. */
const SECURITY_SCHEME = "token";

// --- Search: Swagger UI itself finds tags only.

/** Everything of an operation that a search looks at, in lower case. */
function searchableText(operation) {
  const details = operation.get("operation");
  const parameters = details.get("parameters");
  const names = parameters ? parameters.map((parameter) => parameter.get("name")).join(" ") : "";
  return [
    operation.get("method"),
    operation.get("path"),
    details.get("summary"),
    details.get("operationId"),
    details.get("description"),
    names,
  ]
    .join(" ")
    .toLowerCase();
}

/** Keep the operations that contain every word of the phrase, and the tags that have any. */
function filterOperations(taggedOperations, phrase) {
  const words = phrase.toLowerCase().split(/\s+/);
  const isFound = (operation) => {
    const text = searchableText(operation);
    return words.every((word) => text.includes(word));
  };
  return taggedOperations
    .map((tag) => tag.update("operations", (operations) => operations.filter(isFound)))
    .filter((tag) => tag.get("operations").size > 0);
}

function createSearchBox(React) {
  return function SearchBox({ layoutSelectors, layoutActions, specSelectors }) {
    const filter = layoutSelectors.currentFilter();
    const phrase = typeof filter === "string" ? filter : "";
    const isNothingFound = phrase && specSelectors.taggedOperations().size === 0;
    return React.createElement(
      "div",
      { className: "search" },
      React.createElement("input", {
        type: "search",
        "aria-label": "Search operations",
        placeholder: "Search operations",
        value: phrase,
        onChange: (event) => layoutActions.updateFilter(event.target.value),
      }),
      isNothingFound && React.createElement("p", { role: "status" }, "No operation has all these words."),
    );
  };
}

/** Swagger UI says that there are no operations at all when a search finds none. */
function hideIfNothingIsFound(Operations, { React }) {
  return function FoundOperations(props) {
    if (props.specSelectors.taggedOperations().size === 0) return null;
    return React.createElement(Operations, props);
  };
}

// --- Problem documents link to the page of their code.

function problemCode(response) {
  try {
    const { type, code } = JSON.parse(response.get("text"));
    return type === `/problems/${code}` ? code : null;
  } catch {
    return null;
  }
}

function linkProblem(LiveResponse, { React }) {
  return function LinkedLiveResponse(props) {
    const code = problemCode(props.response);
    const link = React.createElement(
      "p",
      { className: "problem" },
      React.createElement("a", { href: `/problems/${code}`, target: "_blank" }, `What ${code} means`),
    );
    return React.createElement(
      React.Fragment,
      null,
      code && link,
      React.createElement(LiveResponse, props),
    );
  };
}

// --- Forms: Swagger UI would send the example of each optional parameter, and NDJSON as one JSON string.

const NDJSON = "application/x-ndjson";

function showNdjsonAsText(getSampleSchema) {
  return (schema, mediaType, ...options) =>
    getSampleSchema(schema, mediaType === NDJSON ? "text/plain" : mediaType, ...options);
}

function moveExamplesToDescriptions(api) {
  for (const path of Object.values(api.paths)) {
    for (const operation of Object.values(path)) {
      operation.parameters = operation.parameters.map(moveExampleToDescription);
    }
  }
  return api;
}

function moveExampleToDescription({ example, ...parameter }) {
  if (parameter.required || example === undefined) return { example, ...parameter };
  const description = `${parameter.description ?? ""}\n\nSuch as \`${example}\``;
  return { ...parameter, description };
}

function plugin({ React, fn }) {
  return {
    fn: {
      opsFilter: filterOperations,
      getSampleSchema: showNdjsonAsText(fn.getSampleSchema),
    },
    components: { FilterContainer: createSearchBox(React) },
    wrapComponents: { liveResponse: linkProblem, operations: hideIfNothingIsFound },
    statePlugins: {
      spec: {
        wrapActions: {
          updateJsonSpec: (updateJsonSpec) => (api) => updateJsonSpec(moveExamplesToDescriptions(api)),
        },
      },
    },
  };
}

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

// --- The session: its token is kept in memory only.

const sessionStatus = document.getElementById("session-status");
let expiry;

function showStatus(...content) {
  sessionStatus.replaceChildren(...content);
}

function link(href, text) {
  const element = document.createElement("a");
  element.href = href;
  element.textContent = text;
  return element;
}

/** The time at which a token expires, in milliseconds since 1970. Source: RFC 7519, 4.1.4. */
function expiryOf(token) {
  const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  return JSON.parse(atob(payload)).exp * 1000;
}

async function useSession() {
  clearTimeout(expiry);
  let response;
  try {
    response = await fetch(TOKEN_PATH, { credentials: "same-origin", cache: "no-store" });
  } catch {
    showStatus("The sign-in server cannot be reached. Try again in a moment.");
    return;
  }
  if (response.status === 401) {
    showStatus("Nobody is signed in in this browser. ", link("/", "Sign in"), ", then press the button again.");
  } else if (response.status === 404) {
    showStatus("There is no sign-in at this address. Press Authorize, and paste a token: ");
  } else if (!response.ok) {
    showStatus(`The sign-in server responded with ${response.status}. Try again in a moment.`);
  } else {
    const { token } = await response.json();
    viewer.preauthorizeApiKey(SECURITY_SCHEME, token);
    const milliseconds = expiryOf(token) - Date.now();
    const time = new Date(expiryOf(token)).toLocaleTimeString([], { timeStyle: "short" });
    showStatus(`Requests are sent as the signed-in user until ${time}.`);
    expiry = setTimeout(() => showStatus("The token has expired. Press the button again."), milliseconds);
  }
}

document.getElementById("use-session").addEventListener("click", useSession);

// --- Dark mode: Swagger UI has one, but leaves it to the page when to show it.

const darkScheme = matchMedia("(prefers-color-scheme: dark)");

function applyScheme() {
  document.documentElement.classList.toggle("dark-mode", darkScheme.matches);
}

darkScheme.addEventListener("change", applyScheme);
applyScheme();
