// Holds the pages back until it is known who is signed in, and ends a session that the portal no longer accepts.
import {useEffect, useRef} from 'react';
import {useSCUser} from '@selfcommunity/react-core';
import {endSession, signInPath} from './stub/conf';

export default function SessionGate({children}) {
  // The user is undefined while the session loads, and null for an anonymous visitor. While it loads, the vendor's
  // pages treat everyone as anonymous: they request everything twice, and their buttons lead to the sign-in form.
  const {user, session} = useSCUser();
  // Refreshing the token loads the session again; the pages then stay mounted, and keep what has been typed into them.
  const known = useRef(false);
  known.current ||= user !== undefined;

  // A token, but no user: the stub was restarted, for example. The vendor's session would keep sending the token.
  const dead = user === null && Boolean(session.authToken);
  useEffect(() => {
    if (dead) {
      endSession(signInPath());
    }
  }, [dead]);

  return known.current && !dead ? children : null;
}
