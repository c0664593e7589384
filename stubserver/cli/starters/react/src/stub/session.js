// Who is signed in: the OAuth password and refresh grants, and the token kept for the next page load.

export const CLIENT_ID = 'stub-app';
const KEY = 'session';

/** The token of whoever is signed in, as the vendor's conf wants it; undefined for an anonymous visitor. */
export function storedToken() {
  return JSON.parse(sessionStorage.getItem(KEY)) ?? undefined;
}

/** Trades a name and a password for a token. Throws an Error with the server's own words when refused. */
export function signIn(portal, username, password) {
  return grant(portal, {grant_type: 'password', username, password});
}

/** Trades the refresh token for a new token; the vendor's session calls this after an answer 401. */
export function refresh(portal, {refreshToken}) {
  return grant(portal, {grant_type: 'refresh_token', refresh_token: refreshToken});
}

export function forget() {
  sessionStorage.removeItem(KEY);
}

async function grant(portal, fields) {
  // URLSearchParams as a body makes fetch send application/x-www-form-urlencoded.
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
