import { assembleClient, DEADLINE_SECONDS_DEFAULT, type Client } from "../client.js";
import { tokenFetcher, type TokenFunction } from "../tokens/auth.js";
import { TokenSource } from "../tokens/token-source.js";
import { sessionKey, SESSION_COOKIE_DEFAULT } from "./session-key.js";
import { SessionCache } from "./session-cache.js";

const SESSIONS_MAX_DEFAULT = 1000;

/** Settings of the clients of a server. */
export interface ServerClientSettings {
  /** The URL of the platform. */
  url: string;
  /** Returns the token of whoever sent a request, such as `(headers) => auth.api.getToken({ headers })`. */
  getToken: (headers: Headers) => ReturnType<TokenFunction>;
  /** The name of Better Auth's session cookie, if it is configured, without `__Secure-`. */
  sessionCookie?: string;
  /** Of how many sessions the tokens are kept; 1000 by default. */
  sessionsMax?: number;
  /** How long a call may take with all its repetitions; 30 by default. */
  deadlineSeconds?: number;
  /** Sends requests; by default the global `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
}

/** Returns the client of whoever sent a request with these headers. */
export type ServerClient = (headers: Headers) => Client;

/** Make a function that returns a client for each request; requests of one session share a token. */
export function createServerClient(settings: ServerClientSettings): ServerClient {
  const { url, getToken, sessionCookie = SESSION_COOKIE_DEFAULT } = settings;
  const sessions = new SessionCache<Session>(settings.sessionsMax ?? SESSIONS_MAX_DEFAULT);
  const transport = {
    fetch: settings.fetch ?? ((request: Request) => fetch(request)),
    deadlineSeconds: settings.deadlineSeconds ?? DEADLINE_SECONDS_DEFAULT,
    // A server has many users: their tasks would fill its memory.
    etags: null,
    subject: null,
  };

  return (headers) => {
    const session = sessions.getOrMake(sessionKey(headers, sessionCookie), () =>
      createSession(getToken, headers),
    );
    // Better Auth may have renewed other cookies of the session.
    session.headers = headers;
    return assembleClient(url, { ...transport, tokens: session.tokens });
  };
}

/** One session with its token. */
interface Session {
  /** Those of the last request of this session. */
  headers: Headers;
  tokens: TokenSource;
}

function createSession(getToken: ServerClientSettings["getToken"], headers: Headers): Session {
  const session: Session = {
    headers,
    tokens: new TokenSource(tokenFetcher(() => getToken(session.headers))),
  };
  return session;
}
