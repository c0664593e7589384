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
import theme from '@selfcommunity/react-theme-default';
import {CLIENT_ID, forget, refresh, storedToken} from './session';

/** Made once per page load: a new conf object would make the vendor's provider start its session anew. */
export function makeConf(portal) {
  return {
    portal,
    locale: {default: 'en'},
    theme,
    // No routes of our own: the app has its pages at the vendor's default paths (/course/:id/:slug/ and so on).
    router: {routerLink: Link},
    session: {
      type: 'OAuth',
      clientId: CLIENT_ID,
      authToken: storedToken(),
      handleRefreshToken: ({authToken}) =>
        refresh(portal, authToken).catch((error) => {
          endSession(signInPath());
          throw error;
        }),
      handleLogout: () => endSession('/courses/'),
    },
    // What a button does that needs a login, such as "Sign up" on a course.
    handleAnonymousAction: () => startAfresh(signInPath()),
    // The vendor's default list less its notifications, which would open a web socket that the stub does not have,
    // and less its reactions, which courses do not use. The order matters: each may use those before it.
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

/** The sign-in form, which leads back to a page; to the one that is open, if none is given. */
export function signInPath(next = window.location.pathname) {
  return `/signin/?next=${encodeURIComponent(next)}`;
}

/** Forgets who was signed in, and goes on as an anonymous visitor. */
export function endSession(path) {
  forget();
  startAfresh(path);
}

/** Goes to a path by loading the page: the vendor's cache in memory keeps what the former user was told. */
export function startAfresh(path) {
  window.location.assign(path);
}
