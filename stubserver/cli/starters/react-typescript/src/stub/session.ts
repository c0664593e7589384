// Who is signed in: the OAuth password and refresh grants, and the token, which is stored for the next page load.

export const CLIENT_ID = 'stub-app';
const KEY = 'session';

/** A token, in the form of the vendor's conf. */
export interface Token {
  accessToken: string;
  refreshToken: string;
  tokenType: string;
  expiresIn: number;
}

/** The current user's token; undefined for an anonymous visitor. */
export function storedToken(): Token | undefined {
  return JSON.parse(sessionStorage.getItem(KEY) ?? 'null') ?? undefined;
}

/** Exchanges a name and a password for a token. If refused, throws an Error with the server's message. */
export function signIn(portal: string, username: string, password: string): Promise<Token> {
  return grant(portal, {grant_type: 'password', username, password});
}

/** Exchanges the refresh token for a new token; the vendor's session calls this after a 401. */
export function refresh(portal: string, {refreshToken}: {refreshToken: string}): Promise<Token> {
  return grant(portal, {grant_type: 'refresh_token', refresh_token: refreshToken});
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
}

async function grant(portal: string, fields: Record<string, string>): Promise<Token> {
  // With URLSearchParams as its body, fetch sends application/x-www-form-urlencoded.
  const body = new URLSearchParams({client_id: CLIENT_ID, ...fields});
  const response = await fetch(`${portal}/oauth/token/`, {method: 'POST', body});
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(answer.error_description ?? answer.error ?? `The server answered ${response.status}.`);
  }
  const token = {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token,
    tokenType: answer.token_type,
    expiresIn: answer.expires_in,
  };
  sessionStorage.setItem(KEY, JSON.stringify(token));
  return token;
}
