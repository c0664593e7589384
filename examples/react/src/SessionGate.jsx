// Keeps the pages back until it is known who is signed in, and ends a session that the portal no longer takes.
import {useEffect, useRef} from 'react';
import {useSCUser} from '@selfcommunity/react-core';
import {endSession, signInPath} from './stub/conf';

export default function SessionGate({children}) {
  // The user is undefined while the session loads, and null for an anonymous visitor. Until then the vendor's pages
  // take everybody for anonymous: they ask for everything twice, and their buttons lead to the sign-in form.
  const {user, session} = useSCUser();
  // Refreshing the token loads the session once more; by then the pages stay, with whatever is typed into them.
  const known = useRef(false);
  known.current ||= user !== undefined;

  // A token, but no user: the stub was started anew, for example. The vendor's session would go on sending the token.
  const dead = user === null && Boolean(session.authToken);
  useEffect(() => {
    if (dead) {
      endSession(signInPath());
    }
  }, [dead]);

  return known.current && !dead ? children : null;
}
