// The conf of the vendor's SCContextProvider: everything that ties their components to this app and to the portal.
import {Link} from 'react-router';
import {
  SCAlertMessagesProvider,
  SCLocaleProvider,
  SCPreferencesProvider,
  SCRoutingProvider,
  SCThemeProvider,
  SCUserProvider,
} from '@selfcommunity/react-core';
import defaultTheme from '@selfcommunity/react-theme-default';
import {CLIENT_ID, type Token, forget, refresh, storedToken} from './session';

// The vendor's types are narrower than what their provider takes: options of a theme, any component for links.
const theme: any = defaultTheme;
const routerLink: any = Link;

/** Call this once per page load: a new conf object would make the vendor's provider restart its session. */
export function makeConf(portal: string) {
  return {
    portal,
    locale: {default: 'en'},
    theme,
    // No custom routes: the app has its pages at the vendor's default paths (/course/:id/:slug/ and so on).
    router: {routerLink},
    session: {
      type: 'OAuth',
      clientId: CLIENT_ID,
      authToken: storedToken(),
      handleRefreshToken: ({authToken}: {authToken: Token}) =>
        refresh(portal, authToken).catch((error: unknown) => {
          endSession(signInPath());
          throw error;
        }),
      handleLogout: () => endSession('/courses/'),
    },
    // What buttons that need a login do, such as "Sign up" on a course.
    handleAnonymousAction: () => startAfresh(signInPath()),
    // The vendor's default list without notifications, which would open a web socket that the stub does not have, and
    // without reactions, which courses do not use. The order matters: each may use those before it.
    contextProviders: [
      SCPreferencesProvider,
      SCRoutingProvider,
      SCUserProvider,
      SCLocaleProvider,
      SCThemeProvider,
      SCAlertMessagesProvider,
    ],
  };
}

/** The path of the sign-in form, which leads back to `next` (default: the current page). */
export function signInPath(next = window.location.pathname): string {
  return `/signin/?next=${encodeURIComponent(next)}`;
}

/** Signs the user out, and continues at `path` as an anonymous visitor. */
export function endSession(path: string): void {
  forget();
  startAfresh(path);
}

/** Goes to a path by a full page load, which clears the vendor's in-memory cache of the previous user's data. */
export function startAfresh(path: string): void {
  window.location.assign(path);
}
