// The sign-in form. All users in the stub's default world have the same password.
import {useState} from 'react';
import {Alert, Button, Card, CardContent, Chip, Stack, TextField, Typography} from '@mui/material';
import {startAfresh} from '../stub/conf';
import {signIn} from '../stub/session';

const PEOPLE = {wren_hollis: 'creator', dilys_pruett: 'member', 'tobin-ashdale': 'stranger'};

export default function SignInPage({portal}) {
  const [username, setUsername] = useState('wren_hollis');
  const [password, setPassword] = useState('stub-password');
  const [refusal, setRefusal] = useState(null);

  const submit = (event) => {
    event.preventDefault();
    signIn(portal, username, password)
      .then(() => startAfresh(nextPath()))
      .catch((error) => setRefusal(error.message));
  };

  return (
    <Card sx={{maxWidth: 420, marginX: 'auto', marginY: 4}}>
      <CardContent component="form" onSubmit={submit}>
        <Stack spacing={2}>
          <Typography variant="h5" component="h1">
            Sign in
          </Typography>
          <TextField
            label="Username"
            autoComplete="username"
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
          <TextField
            label="Password"
            type="password"
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
          {refusal && <Alert severity="error">{refusal}</Alert>}
          <Button type="submit" variant="contained">
            Sign in
          </Button>
          <Stack direction="row" flexWrap="wrap" useFlexGap spacing={1}>
            {Object.entries(PEOPLE).map(([name, role]) => (
              <Chip key={name} size="small" label={`${name}, ${role}`} onClick={() => setUsername(name)} />
            ))}
          </Stack>
        </Stack>
      </CardContent>
    </Card>
  );
}

/** The page to show after signing in. Anyone can craft a link to this form, so links out of the app are ignored. */
function nextPath() {
  const {origin, search} = window.location;
  const next = new URL(new URLSearchParams(search).get('next') ?? '/', origin);
  return next.origin === origin && next.pathname !== '/signin/' ? next.pathname : '/courses/';
}
