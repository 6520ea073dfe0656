/* The token of the session that the browser has at this origin. It is kept in memory only. */

const TOKEN_PATH = "/api/auth/token";

const status = document.getElementById("session-status");
let expiryTimer;

function showStatus(...content) {
  status.replaceChildren(...content);
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

/** Request the token of the session; null if the server cannot be reached. */
async function requestToken() {
  try {
    return await fetch(TOKEN_PATH, { credentials: "same-origin", cache: "no-store" });
  } catch {
    return null;
  }
}

/** Say why there is no token, and what to do. */
function explain(response) {
  if (response?.status === 401) {
    const signIn = link("/", "Sign in");
    showStatus("Nobody is signed in in this browser. ", signIn, ", then press the button again.");
  } else if (response?.status === 404) {
    showStatus(
      "There is no sign-in at this address. Press Authorize, and paste a token; " +
        "in development, `make token` prints one.",
    );
  } else {
    showStatus("The sign-in server cannot be reached. Try again in a moment.");
  }
}

function announceExpiry(token) {
  const expiry = expiryOf(token);
  const time = new Date(expiry).toLocaleTimeString([], { timeStyle: "short" });
  showStatus(`Requests are sent as the signed-in user until ${time}.`);
  expiryTimer = setTimeout(() => {
    showStatus("The token has expired. Press the button again.");
  }, expiry - Date.now());
}

/**
 * Let a button send requests as the signed-in user.
 *
 * @param button The button.
 * @param authorize Called with the token of the session.
 * @param forget Called when nobody is signed in any more.
 */
export function offerSession(button, authorize, forget) {
  let isInUse = false;
  button.addEventListener("click", async () => {
    clearTimeout(expiryTimer);
    const response = await requestToken();
    if (response?.ok) {
      const { token } = await response.json();
      authorize(token);
      isInUse = true;
      announceExpiry(token);
      return;
    }
    explain(response);
    if (response?.status === 401 && isInUse) {
      forget();
      isInUse = false;
    }
  });
}
