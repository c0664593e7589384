// The worlds of the server: made, forked, reset, deleted, and their addresses to hand on.
import {useEffect, useState} from 'preact/hooks';
import {addressOf, all, control, pathOf, prefix, worldName} from './api';
import {VirtualList, usePaged} from './list';
import {Choice, Copy, Field, attempt, number, readable, useNarrow, usePromise} from './parts';
import type {Live} from './live';
import type {Snapshot, World} from './types';

/** The link that offers a copy of a world to whoever follows it. */
export const forkLink = (world: string): string => `${location.origin}${prefix}/?fork=${encodeURIComponent(world)}`;

export function Worlds({version}: {version: number}) {
  const [done, setDone] = useState(0);
  const changed = version * 1000 + done;
  const paged = usePaged<World>('/worlds', changed);
  const snapshots = usePromise(() => all<Snapshot>('/snapshots'), [changed]);
  const isNarrow = useNarrow();
  const refresh = () => setDone((count) => count + 1);

  async function act(said: string, method: string, path: string, body?: unknown) {
    await attempt(said, () => control(method, path, body));
    refresh();
  }

  return (
    <section class="page worlds" aria-label="Worlds">
      <h2>
        Worlds <small>{paged.count === undefined ? '' : paged.count.toLocaleString('en')}</small>
      </h2>
      <p class="muted">
        Each is a community of its own, with its own rows, clock, faults and requests. An app uses the address of a world,
        or its header.
      </p>
      <Make snapshots={snapshots.value ?? []} />
      <VirtualList
        paged={paged}
        height={isNarrow ? 144 : 104}
        fits
        label="Worlds, by name"
        empty={<p>There are no worlds yet; the first request makes one.</p>}
        row={(world) => <Item world={world} act={act} />}
      />
      <h3>
        Snapshots <small>{snapshots.value?.length ?? ''}</small>
      </h3>
      <Take act={act} />
      <ul class="cards">
        {(snapshots.value ?? []).map((snapshot) => (
          <li key={snapshot.name}>
            <div>
              <b>{snapshot.name}</b>
              <p class="muted">
                {snapshot.fixture}, {number(snapshot.changed_rows, 'changed row')}
              </p>
            </div>
            <span class="actions">
              <button
                type="button"
                aria-label={`Restore here: ${worldName} from ${snapshot.name}`}
                onClick={() =>
                  confirm(`Replace all that is in world ${worldName} by the snapshot ${snapshot.name}?`) &&
                  void act('The world is restored.', 'POST', `/snapshots/${encodeURIComponent(snapshot.name)}/restore`)
                }
              >
                Restore here
              </button>
              <button
                type="button"
                aria-label={`Delete the snapshot ${snapshot.name}`}
                onClick={() =>
                  confirm(`Delete the snapshot ${snapshot.name}?`) &&
                  void act('The snapshot is deleted.', 'DELETE', `/snapshots/${encodeURIComponent(snapshot.name)}`)
                }
              >
                Delete
              </button>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

type Act = (said: string, method: string, path: string, body?: unknown) => Promise<void>;

function Take({act}: {act: Act}) {
  const [name, setName] = useState('');

  function take(event: Event) {
    event.preventDefault();
    void act(`The snapshot ${name} is taken.`, 'POST', '/snapshots', {name}).then(() => setName(''));
  }

  return (
    <form class="filters" onSubmit={take}>
      <Field label={`Take one of ${worldName}, as`} value={name} onInput={setName} required />
      <button>Take</button>
    </form>
  );
}

function Make({snapshots}: {snapshots: Snapshot[]}) {
  const fixtures = usePromise(() => all<{name: string; first: boolean}>('/fixtures'), []);
  const [name, setName] = useState('');
  const [from, setFrom] = useState('');

  async function make(event: Event) {
    event.preventDefault();
    const [kind, source] = from === '' ? [] : [from.slice(0, from.indexOf(' ')), from.slice(from.indexOf(' ') + 1)];
    const body = {...(name && {name}), ...(kind && {[kind]: source})};
    const world = await attempt('The world is made.', () => control<World>('POST', '/worlds', body));
    if (world !== undefined) {
      location.assign(`${pathOf(world.name)}/`);
    }
  }

  return (
    <form class="filters" onSubmit={(event) => void make(event)}>
      <Field label="New world" placeholder="any name" value={name} onInput={setName} />
      <Choice
        label="From"
        value={from}
        onChange={setFrom}
        options={[
          ['', 'the fixture of the server'],
          ...(fixtures.value ?? []).map(({name}): [string, string] => [`fixture ${name}`, `fixture ${name}`]),
          ...snapshots.map(({name}): [string, string] => [`snapshot ${name}`, `snapshot ${name}`]),
          [`world ${worldName}`, `world ${worldName} as it is now`],
        ]}
      />
      <button>Make and open</button>
    </form>
  );
}

function Item({world, act}: {world: World; act: Act}) {
  const {name} = world;
  const path = `/worlds/${encodeURIComponent(name)}`;

  async function fork() {
    const made = await attempt('The world is forked.', () => control<World>('POST', '/worlds', {world: name}));
    if (made !== undefined) {
      location.assign(`${pathOf(made.name)}/`);
    }
  }

  return (
    <div class="line world" aria-current={name === worldName ? 'true' : undefined}>
      <span class="what">
        <a href={`${pathOf(name)}/`}>{name}</a> <span class="muted">{world.fixture}</span>
        {name === worldName && <span class="mark calm">open here</span>}
        {world.strict && <span class="mark">strict</span>}
      </span>
      <span class="who muted">
        {number(world.requests, 'request')}, {number(world.changed_rows, 'changed row')},{' '}
        {number(world.faults, 'fault')}, {readable(world.clock.now)}
        {world.clock.frozen && ' (frozen)'}
      </span>
      <span class="actions">
        <Copy what={`the address of ${name}`} text={addressOf(name)}>
          Address
        </Copy>
        <Copy what={`the header of ${name}`} text={`X-Stub-World: ${name}`}>
          Header
        </Copy>
        <Copy what={`a link to a copy of ${name}`} text={forkLink(name)}>
          Link to a copy
        </Copy>
        <button type="button" aria-label={`Fork ${name}`} onClick={() => void fork()}>
          Fork
        </button>
        <button
          type="button"
          aria-label={`Reset ${name}`}
          onClick={() =>
            confirm(`Reset world ${name} to its fixture? Its rows, faults, clock and journal are lost.`) &&
            void act(`World ${name} is reset.`, 'POST', `${path}/reset`)
          }
        >
          Reset
        </button>
        <button
          type="button"
          aria-label={`Delete ${name}`}
          onClick={() =>
            confirm(`Delete world ${name} with all that is in it?`) &&
            void act(`World ${name} is deleted.`, 'DELETE', path)
          }
        >
          Delete
        </button>
      </span>
    </div>
  );
}

/** What a link to a copy, or to a world with a fixture of choice, leads to. Only the button makes a world. */
export function Offer({fork, fixture, world}: {fork: string | null; fixture: string | null; world: Live['world']}) {
  const [name, setName] = useState('');
  useEffect(() => {
    if (fork === null && world?.fixture === fixture) {
      location.replace(`${pathOf()}/`); // it is there already
    }
  }, [world]);

  async function make(event: Event) {
    event.preventDefault();
    const body = fork !== null ? {world: fork, ...(name && {name})} : {fixture, name: worldName};
    const world = await attempt('The world is made.', () => control<World>('POST', '/worlds', body));
    if (world !== undefined) {
      location.assign(`${pathOf(world.name)}/`);
    }
  }

  return (
    <form class="offer" onSubmit={(event) => void make(event)}>
      {fork !== null ? (
        <>
          <h2>A copy of world {fork}, for you</h2>
          <p>You get all that is in it now. What you change in your copy does not change the original.</p>
          <Field label="Name of your copy" placeholder="any" value={name} onInput={setName} />
          <button>Make my copy</button>
        </>
      ) : (
        <>
          <h2>
            World {worldName}, from fixture {fixture}
          </h2>
          {world ? (
            <p>There is a world of this name already, from fixture {world.fixture}.</p>
          ) : (
            <p>Whoever follows this link gets the same world; the first one makes it.</p>
          )}
          <button disabled={!!world}>Make the world</button>
        </>
      )}{' '}
      <a href={`${pathOf()}/`}>Open world {worldName} instead</a>
    </form>
  );
}
