// The inspector: one page that shows a world of the stub server while it is used.
import {render} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import {addressOf, keepToken, onTokenNeeded, pathOf, worldName} from './api';
import {ClockView} from './clock';
import {CoverageView} from './coverage';
import {Faults} from './faults';
import {useLive, useNow} from './live';
import type {Live} from './live';
import {Copy, Field, Sayings, number, readable} from './parts';
import {Personas} from './personas';
import {Requests} from './requests';
import {State} from './state';
import {Variants} from './variants';
import {Offer, Worlds, forkLink} from './worlds';
import './styles.css';

const VIEWS = ['requests', 'state', 'clock', 'faults', 'variants', 'coverage', 'personas', 'worlds'] as const;
type View = (typeof VIEWS)[number];

/** What the part of the address behind # names: a view, and what is opened in it. */
function route(): [View, ...string[]] {
  const [view, ...others] = location.hash.slice(1).split('/').map(decoded);
  return [VIEWS.find((name) => name === view) ?? 'requests', ...others];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function useRoute(): [View, ...string[]] {
  const [found, setFound] = useState(route);
  useEffect(() => {
    const look = () => setFound(route());
    addEventListener('hashchange', look);
    return () => removeEventListener('hashchange', look);
  }, []);
  return found;
}

function Inspector() {
  const [attempts, setAttempts] = useState(0);
  const [needsToken, setNeedsToken] = useState(false);
  const live = useLive(attempts);
  const now = useNow(live);
  const [view, first, second] = useRoute();
  useEffect(() => onTokenNeeded(() => setNeedsToken(true)), []);
  useEffect(() => {
    document.title = `Inspector of ${worldName}: ${view}`;
  }, [view]);

  const query = new URLSearchParams(location.search);
  const fork = query.get('fork');
  const fixture = query.get('fixture');
  return (
    <>
      <Head live={live} now={now} />
      <nav class="views" aria-label="Views">
        {VIEWS.map((name) => (
          <a key={name} href={`#${name}`} aria-current={name === view ? 'page' : undefined}>
            {name.charAt(0).toUpperCase() + name.slice(1)}
            {(name === 'faults' || name === 'variants') && !!live.world?.[name] && <mark>{live.world[name]}</mark>}
          </a>
        ))}
        <span class="elsewhere">
          <a href={`${pathOf()}/docs/`}>API docs</a>
          <a href={`${pathOf()}/__stub/docs/`}>Control docs</a>
        </span>
      </nav>
      {live.problem !== '' && !needsToken && (
        <p class="problem banner" role="alert">
          {live.problem}
        </p>
      )}
      <main>
        {needsToken ? (
          <AskForToken
            done={() => {
              setNeedsToken(false);
              setAttempts(attempts + 1);
            }}
          />
        ) : fork !== null || fixture !== null ? (
          <Offer fork={fork} fixture={fixture} world={live.world} />
        ) : (
          <Shown key={attempts} view={view} live={live} now={now} first={first} second={second} />
        )}
      </main>
      <Sayings />
    </>
  );
}

interface ShownProps {
  view: View;
  live: Live;
  now: Date | undefined;
  first: string | undefined;
  second: string | undefined;
}

function Shown({view, live, now, first, second}: ShownProps) {
  switch (view) {
    case 'requests':
      return <Requests version={live.version} opened={first} />;
    case 'state':
      return <State version={live.version} table={first} opened={second} />;
    case 'clock':
      return <ClockView live={live} now={now} />;
    case 'faults':
      return <Faults version={live.version} />;
    case 'variants':
      return <Variants version={live.version} />;
    case 'coverage':
      return <CoverageView version={live.version} />;
    case 'personas':
      return <Personas version={live.version} asked={first} as={second} />;
    default:
      return <Worlds version={live.version} />;
  }
}

const STATES = {connecting: 'connecting', live: 'live', paused: 'paused', lost: 'not connected'};

function Head({live, now}: {live: Live; now: Date | undefined}) {
  const {world} = live;
  return (
    <header>
      <h1>
        <span class="muted">World</span> {worldName}{' '}
        <span class={`dot ${live.state}`}>{STATES[live.state]}</span>
      </h1>
      <p class="facts">
        {world === null && 'Nobody has used it yet.'}
        {world && (
          <>
            <a href="#worlds">fixture {world.fixture}</a>, <a href="#requests">{number(world.requests, 'request')}</a>,{' '}
            <a href="#state">{number(world.changed_rows, 'changed row')}</a>
            {now !== undefined && (
              <>
                ,{' '}
                <a href="#clock">
                  {readable(now)}
                  {world.clock.frozen && ' (frozen)'}
                </a>
              </>
            )}
          </>
        )}
      </p>
      <p class="actions">
        <code>{addressOf()}</code>
        <Copy what="the address of this world" text={addressOf()}>
          Copy address
        </Copy>
        <Copy what="a link to a copy of this world" text={forkLink(worldName)}>
          Share
        </Copy>
      </p>
    </header>
  );
}

function AskForToken({done}: {done(): void}) {
  const [token, setToken] = useState('');
  return (
    <form
      class="offer"
      onSubmit={(event) => {
        event.preventDefault();
        keepToken(token.trim());
        done();
      }}
    >
      <h2>The control plane needs its token</h2>
      <p>The server printed it when it started. It is kept in this tab until the tab is closed.</p>
      <Field label="Token" type="password" value={token} onInput={setToken} required />
      <button>Use it</button>
    </form>
  );
}

const place = document.getElementById('inspector');
if (place !== null) {
  render(<Inspector />, place);
}
