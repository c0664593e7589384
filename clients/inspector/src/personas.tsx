// Who uses the API here: the tokens to copy, and what the same request answers to each of them, side by side.
import {useState} from 'preact/hooks';
import {API, all, askAll, pathOf} from './api';
import type {Answer} from './api';
import {Copy, Field, Json, Status, usePromise} from './parts';
import type {Persona} from './types';

const ANONYMOUS = 'anonymous';

interface Props {
  version: number;
  /** The path to ask for. */
  asked: string | undefined;
  /** The token of the only persona to ask as. */
  as: string | undefined;
}

const linkTo = (path: string, token?: string) =>
  `#personas/${encodeURIComponent(path)}${token === undefined ? '' : `/${encodeURIComponent(token)}`}`;

export function Personas({version, asked, as}: Props) {
  const personas = usePromise(() => all<Persona>('/personas'), []);
  const people = personas.value ?? [];
  const path = asked ?? `${API}/user/me/`;
  return (
    <section class={asked === undefined ? 'split' : 'split opened'} aria-label="Personas">
      <div class="master people">
        <p class="muted">
          Send a token as <code>Authorization: Bearer TOKEN</code>. <a href={`${pathOf()}/docs/`}>Swagger</a> takes it
          under “Authorize”.
        </p>
        {personas.error !== '' && (
          <p class="problem" role="alert">
            {personas.error}
          </p>
        )}
        {personas.value?.length === 0 && <p class="empty">The fixture of this world has no personas.</p>}
        <ul class="cards">
          {people.map((persona) => (
            <li key={persona.token}>
              <div>
                <code>{persona.token}</code> <b>{persona.username}</b> <span class="mark calm">{persona.role}</span>
                <p class="muted">{persona.about}</p>
              </div>
              <span class="actions">
                <Copy what={`the token ${persona.token}`} text={persona.token}>
                  Copy token
                </Copy>
                <a
                  class="button"
                  href={linkTo(path, persona.token)}
                  aria-current={as === persona.token ? 'true' : undefined}
                  aria-label={`Open the API as ${persona.username}`}
                >
                  Open the API
                </a>
              </span>
            </li>
          ))}
        </ul>
        <p class="actions">
          <a class="button" href={linkTo(path)}>
            Ask as everybody
          </a>
        </p>
      </div>
      <div class="detail">
        <a class="back" href="#personas">
          All personas
        </a>
        <Ask key={path + (as ?? '')} path={path} as={as} />
        {asked !== undefined && people.length > 0 && (
          <Answers
            key={path + (as ?? '')}
            path={path}
            version={version}
            tokens={as === undefined ? [...people.map(({token}) => token), null] : [as]}
          />
        )}
      </div>
    </section>
  );
}

/** The address that is asked for, as one persona or as all of them. */
function Ask({path: given, as}: {path: string; as: string | undefined}) {
  const [path, setPath] = useState(given);

  function ask(event: Event) {
    event.preventDefault();
    location.hash = linkTo(path, as);
  }

  return (
    <>
      <h2>{as === undefined ? 'The same GET as each of them' : `A GET as ${as}`}</h2>
      <form class="filters ask" onSubmit={ask}>
        <Field label="Path" value={path} onInput={setPath} pattern="/(api|oauth)/.*" required />
        <button>{as === undefined ? 'Ask as everybody' : 'Ask'}</button>
      </form>
      <p class="muted">A copy of the world is asked, so nothing of it is in the journal.</p>
    </>
  );
}

function Answers({path, tokens, version}: {path: string; tokens: (string | null)[]; version: number}) {
  // A copy of the world is a world, too, so only what is new in this one is asked for anew.
  const {value, error} = usePromise(() => askAll(path, tokens), [path, version]);
  if (value === undefined) {
    return <p class={error ? 'problem' : 'muted'}>{error || 'Asking …'}</p>;
  }
  const groups = new Map<string, {answer: Answer; who: string[]}>();
  value.forEach((answer, index) => {
    const key = JSON.stringify(answer);
    const group = groups.get(key) ?? {answer, who: []};
    group.who.push(tokens[index] ?? ANONYMOUS);
    groups.set(key, group);
  });
  return (
    <div class="side">
      {[...groups.values()].map(({answer, who}) => (
        <article key={who[0]}>
          <h3>
            <Status status={answer.status} /> {who.join(', ')}
          </h3>
          <Json value={answer.body} />
        </article>
      ))}
    </div>
  );
}
